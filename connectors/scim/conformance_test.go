package scim

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
)

// plugin builds the plugin's binary.
func plugin(t *testing.T) string {
	binary := filepath.Join(t.TempDir(), "provhub-connector-scim")
	out, err := exec.Command("go", "build", "-o", binary, "../../plugins/provhub-connector-scim").CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

func tokenSecret(token string) map[string]connector.Secret {
	return map[string]connector.Secret{"token": connector.NewSecret(token)}
}

// The suite that every connector passes, against a SCIM service that others wrote.
func TestConformance(t *testing.T) {
	s := newReal(t)
	connectortest.Run(t, connectortest.Target{
		Definition: Definition, Binary: plugin(t), Config: json.RawMessage(s.config("")),
		Secrets: tokenSecret(s.token), WrongSecrets: tokenSecret("wrong-Qx7"), Durable: true,
	})
}
