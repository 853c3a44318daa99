package connectortest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/ldap"
	"github.com/provhub/provhub/connectors/scim"
)

// kit reads a testkit.yaml with this text.
func kit(t *testing.T, text string) Target {
	t.Helper()
	path := filepath.Join(t.TempDir(), "testkit.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	target, end, err := LoadTarget(path, "./none")
	require.NoError(t, err)
	t.Cleanup(end)
	target.Binary = ""
	return target
}

// A line of testkit.yaml is all that a connector of provhub needs to be tested
// against a fake, the faults of networks included.
func TestTheFakesStandInForTheTargetsOfOurConnectors(t *testing.T) {
	for text, d := range map[string]*connector.Definition{
		"fake: scim": scim.Definition,
		"fake: ldap": ldap.Definition,
	} {
		t.Run(text, func(t *testing.T) {
			target := kit(t, text)
			target.Definition = d
			report, err := Suite(t.Context(), target, Options{Quick: true, Only: []string{"C", "E1", "E3", "F5", "G1", "G2", "G5"}})
			require.NoError(t, err)
			passed := map[string]bool{}
			for _, o := range report.Outcomes {
				assert.NotEqual(t, Failed, o.Status, o.explain())
				passed[o.ID] = o.Status == Pass
			}
			for _, id := range []string{"C4", "C5", "E1", "F5", "G1", "G2", "G5"} {
				assert.True(t, passed[id], "%s is not skipped: the proxy makes its fault", id)
			}
		})
	}
}

// What a fake is called in testkit.yaml leads to it.
func TestTheWordsOfAFake(t *testing.T) {
	for kind, words := range map[string][]string{
		"http": {"url", "token", "new_token"}, "scim": {"url", "token", "ca_file"}, "sqlite": {"path", "dsn"},
		"ldap": {"url", "plain_url", "base_dn", "people_dn", "groups_dn", "bind_dn", "password", "ca_file"},
		"sftp": {"address", "host", "port", "user", "password", "host_key"},
	} {
		text := "fake: " + kind + "\nconfig:\n"
		for _, w := range words {
			text += "  " + w + ": ${fake." + w + "}\n"
		}
		config := string(kit(t, text).Config)
		assert.NotContains(t, config, "${", kind)
		assert.NotContains(t, config, `""`, kind)
	}
}
