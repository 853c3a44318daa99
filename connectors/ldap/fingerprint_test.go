package ldap

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

const minimal = `{"urls": ["{url}"], "tls_ca_file": "{ca}", "bind_dn": "{bind}", "directory": "DIRECTORY",
	"users": {"base": "ou=people,{base}", "attributes": [{"name": "uid"}, {"name": "cn"}]}}`

// A test system has the same suffix and other entries.
func TestADirectoryNamesItself(t *testing.T) {
	for flavor, directory := range map[fakeldap.Flavor]string{fakeldap.OpenLDAP: "openldap", fakeldap.DS389: "389ds", fakeldap.ActiveDirectory: "ad"} {
		t.Run(directory, func(t *testing.T) {
			names := map[string]bool{}
			for range 2 {
				f := newFake(t, fakeldap.Options{Flavor: flavor})
				target := f.open(f.config(minimal, "DIRECTORY", directory))
				name, err := target.Fingerprint(t.Context())
				require.NoError(t, err)
				require.True(t, strings.HasPrefix(strings.ToLower(name), f.BaseDN()+", "), name)
				again, err := target.Fingerprint(t.Context())
				require.NoError(t, err)
				require.Equal(t, name, again)
				names[name] = true
			}
			require.Len(t, names, 2)
		})
	}
}

func TestARealDirectoryNamesItself(t *testing.T) {
	bind := env(t, "PROVHUB_TEST_LDAP_BIND_DN")
	config := strings.NewReplacer("{url}", env(t, "PROVHUB_TEST_LDAPS_URL"), "{ca}", env(t, "PROVHUB_TEST_CA_FILE"), "{bind}", bind,
		"{base}", env(t, "PROVHUB_TEST_LDAP_BASE_DN"), "DIRECTORY", "openldap").Replace(minimal)
	target, err := Definition.Open(t.Context(), []byte(config), connector.Instance{
		Secrets: map[string]connector.Secret{secretPassword: connector.NewSecret(env(t, "PROVHUB_TEST_LDAP_PASSWORD"))}})
	require.NoError(t, err)
	defer target.(*Target).Close(t.Context())
	name, err := target.(*Target).Fingerprint(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `^dc=example,dc=org, [0-9a-f]{8}-`, name)
}
