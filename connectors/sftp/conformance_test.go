package sftp

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// kitSettings have a column of every type.
func kitSettings(state, name string) settings {
	return people(state).with(settings{
		"file":   settings{"name": name + "_{seq}.csv", "quote": "all"},
		"shrink": settings{"max_percent": 100},
		"tidy":   settings{"keep": 3},
		"columns": []settings{
			{"name": "employeeNumber"}, {"name": "displayName", "required": true}, {"name": "mail"}, {"name": "start", "type": "date"}, {"name": "floor", "type": "integer"},
			{"name": "ratio", "type": "double"}, {"name": "seen", "type": "timestamp"}, {"name": "staff", "type": "bool"}, {"name": "phones", "multi": true},
			{"name": "manager", "type": "reference"}, {"kind": "state", "header": "status"}, {"kind": "groups", "header": "roles"},
		},
	})
}

// binary builds the plugin.
func binary(t testing.TB) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "provhub-connector-sftp")
	text, err := exec.Command("go", "build", "-o", out, "../../plugins/provhub-connector-sftp").CombinedOutput()
	require.NoError(t, err, string(text))
	return out
}

// ways are how the suite runs the connector. Each has a state of its own, which
// belongs to one process.
func ways(t *testing.T, test func(t *testing.T, way connectortest.Target)) {
	t.Run("here", func(t *testing.T) { test(t, connectortest.Target{Definition: Definition}) })
	t.Run("plugin", func(t *testing.T) { test(t, connectortest.Target{Binary: binary(t)}) })
}

// The suite that every connector passes, with the faults that only a server of our
// own shows.
func TestConformance(t *testing.T) {
	ways(t, func(t *testing.T, way connectortest.Target) {
		s := server(t)
		dir := t.TempDir()
		cfg := kitSettings(filepath.Join(dir, "one"), "one").with(at(s))
		fault := func(fs ...fakesftp.Fault) json.RawMessage {
			addr, err := s.Listen(fs...)
			require.NoError(t, err)
			return cfg.with(settings{"host": addr}).json(t)
		}
		way.Config, way.Secrets, way.NewSecrets, way.Durable, way.Delay = cfg.json(t), secretsOf(s), secretsOf(s), true, 20*time.Millisecond
		way.Other = kitSettings(filepath.Join(dir, "two"), "two").with(at(s)).json(t)
		way.WrongSecrets = map[string]connector.Secret{"password": connector.NewSecret("wrong-Qx7")}
		way.Faults = map[connectortest.Fault]json.RawMessage{
			connectortest.LostReply: fault(fakesftp.Fault{On: "posix-rename", Name: "*.done", Times: 1, Do: fakesftp.LoseReply}),
			connectortest.Hang:      fault(fakesftp.Fault{On: "write", Do: fakesftp.Hang}),
			connectortest.Slow:      fault(fakesftp.Fault{On: "posix-rename", Name: "*.done", Do: fakesftp.Slow, Wait: 20 * time.Millisecond}),
			connectortest.Reset:     fault(fakesftp.Fault{On: "stat", Times: 1, Do: fakesftp.Cut}),
			connectortest.Down:      cfg.with(settings{"host": "127.0.0.1:1"}).json(t),
		}
		connectortest.Run(t, way)
	})
}

// The same against the real server. A reply that is lost is told from one that is
// not by what is on the server, which a stand-in between cannot know: that is
// proven above and by the cuts.
func TestConformanceOpenSSH(t *testing.T) {
	ways(t, func(t *testing.T, way connectortest.Target) {
		cfg, _, _ := openSSH(t)
		other, _, _ := openSSH(t)
		dir := t.TempDir()
		wrong := filepath.Join(dir, "key")
		require.NoError(t, exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", wrong).Run())
		key, err := os.ReadFile(wrong)
		require.NoError(t, err)
		good, err := os.ReadFile(cfg["key_file"].(string))
		require.NoError(t, err)
		private := func(b []byte) map[string]connector.Secret {
			return map[string]connector.Secret{"private_key": connector.NewSecret(string(b))}
		}
		cfg, other = cfg.with(settings{"key_file": nil}), other.with(settings{"key_file": nil})
		way.Config = kitSettings(path.Join(dir, "one"), "one").with(cfg).json(t)
		way.Other = kitSettings(path.Join(dir, "two"), "two").with(other).json(t)
		way.Secrets, way.NewSecrets, way.WrongSecrets, way.Durable = private(good), private(good), private(key), true
		way.Faults = map[connectortest.Fault]json.RawMessage{
			connectortest.Down: kitSettings(path.Join(dir, "one"), "one").with(cfg).with(settings{"host": "127.0.0.1:1"}).json(t),
		}
		connectortest.Run(t, way)
	})
}
