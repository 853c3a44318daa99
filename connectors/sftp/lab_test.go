package sftp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// settings are a config as it is written, for tests to change.
type settings map[string]any

// with returns s with changes; nil takes a key out.
func (s settings) with(changes settings) settings {
	out := maps.Clone(s)
	for k, v := range changes {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

func (s settings) json(t testing.TB) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	return b
}

// people is a full file with a state column, published at once.
func people(state string) settings {
	return settings{
		"folder": "/outgoing", "state": state, "key": "employeeNumber", "file": settings{"name": "people_{seq:4}.csv"},
		"columns": []settings{
			{"name": "employeeNumber", "header": "ID"}, {"name": "displayName", "header": "NAME", "required": true}, {"name": "mail", "header": "MAIL"},
			{"kind": "state", "header": "STATUS"}, {"kind": "groups", "header": "ROLES"},
		},
		"groups": settings{"type": "role", "names": []string{"reader", "writer", "admin"}}, "done": "{file}.done",
		"publish": settings{"after": "0s"},
	}
}

// deltas is people as a delta file.
func deltas(state string) settings {
	s := people(state)
	s["mode"] = "delta"
	s["columns"] = append([]settings{{"kind": "action", "header": "DO"}}, s["columns"].([]settings)...)
	return s
}

// server is a fake and the settings to reach it.
func server(t testing.TB, fs ...fakesftp.Fault) *fakesftp.Server {
	t.Helper()
	s, err := fakesftp.New(fakesftp.Options{Faults: fs, Folders: []string{"/outgoing", "/taken", "/acks", "/old"}})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func at(s *fakesftp.Server) settings { return s.Config() }

func secretsOf(s *fakesftp.Server) map[string]connector.Secret {
	return map[string]connector.Secret{"password": connector.NewSecret(s.Password())}
}

// target opens a connector; it is closed with the test, or before by hand.
func target(t testing.TB, s settings, secrets map[string]connector.Secret) *Target {
	t.Helper()
	raw := s.json(t)
	for _, f := range Definition.Validate(raw) {
		require.True(t, f.Warning, "%s: %s", f.Path, f.Summary)
	}
	x, err := Definition.Open(context.Background(), raw, connector.Instance{Secrets: secrets, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	out := x.(*Target)
	t.Cleanup(func() {
		if out.closed.Err() == nil {
			_ = out.Close(context.Background())
		}
	})
	return out
}

// openSSH is the real server with folders of the test's own: settings to reach it,
// the folder as the server knows it, and as this machine does.
func openSSH(t testing.TB) (s settings, dir, local string) {
	t.Helper()
	env := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			t.Skip("needs " + name + ": run make test")
		}
		return v
	}
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	name := "feed-" + hex.EncodeToString(b)
	dir, local = path.Join(env("PROVHUB_TEST_SFTP_REMOTE_DIR"), name), path.Join(env("PROVHUB_TEST_SFTP_LOCAL_DIR"), name)
	known, err := os.ReadFile(env("PROVHUB_TEST_SFTP_KNOWN_HOSTS"))
	require.NoError(t, err)
	var keys []string // without the name, so that they hold behind a proxy too
	for line := range strings.Lines(string(known)) {
		if _, key, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			keys = append(keys, key)
		}
	}
	s = settings{"host": env("PROVHUB_TEST_SFTP_ADDR"), "user": env("PROVHUB_TEST_SFTP_USER"), "host_keys": keys,
		"key_file": env("PROVHUB_TEST_SFTP_KEY_FILE"), "folder": dir}
	c, err := client.New(client.Config{Addr: s["host"].(string), User: s["user"].(string), HostKeys: keys,
		Auth: client.Auth{PrivateKeyFile: s["key_file"].(string)}})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.MkdirAll(context.Background(), dir))
	t.Cleanup(func() { _ = os.RemoveAll(local) })
	return s, dir, local
}

// --- tiny constructors

func call(id string) connector.Call { return connector.Call{ID: id, Key: id} }

func attrs(pairs ...string) (out connector.Attributes) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, connector.Attribute{Name: pairs[i], Values: connector.Values{pairs[i+1]}})
	}
	return out
}

func create(op, id, name string, more ...string) connector.Create {
	return connector.Create{Call: call(op), Type: "user", Enabled: connector.IsEnabled,
		Attributes: attrs(append([]string{"employeeNumber", id, "displayName", name}, more...)...)}
}

func user(id string) connector.Ref { return connector.Ref{Type: "user", ID: id} }

func rename(op, id, name string) connector.Update {
	return connector.Update{Call: call(op), Target: user(id), Changes: []connector.Change{{Name: "displayName", Replace: connector.Values{name}}}}
}

func disable(op, id string) connector.SetEnabled {
	return connector.SetEnabled{Call: call(op), Target: user(id)}
}

func enable(op, id string) connector.SetEnabled {
	return connector.SetEnabled{Call: call(op), Target: user(id), Enabled: true}
}

func remove(op, id string) connector.Delete {
	return connector.Delete{Call: call(op), Target: user(id)}
}

func role(name string) connector.Ref { return connector.Ref{Type: "role", ID: name} }

func grant(op, id, name string) connector.Grant {
	return connector.Grant{Call: call(op), Principal: user(id), Entitlement: role(name)}
}

func revoke(op, id, name string) connector.Revoke {
	return connector.Revoke{Call: call(op), Principal: user(id), Entitlement: role(name)}
}

// apply sends operations in one batch and returns the answers in their order.
func apply(t testing.TB, x *Target, ops ...connector.Operation) []connector.Result {
	t.Helper()
	byID := map[string]connector.Result{}
	for _, r := range x.ApplyBatch(context.Background(), ops) {
		byID[r.ID] = r
	}
	out := make([]connector.Result, len(ops))
	for i, op := range ops {
		var ok bool
		out[i], ok = byID[op.Meta().ID]
		require.True(t, ok, "%s was not answered", op.Meta().ID)
	}
	return out
}

// must sends operations that have to be applied.
func must(t testing.TB, x *Target, ops ...connector.Operation) {
	t.Helper()
	for i, r := range apply(t, x, ops...) {
		require.Equal(t, connector.OutcomeApplied, r.Outcome, "%s: %v", ops[i].Meta().ID, r.Err)
	}
}

// pollFor asks after an operation once.
func pollFor(t testing.TB, x *Target, r connector.Result) connector.Result {
	t.Helper()
	require.Equal(t, connector.OutcomePending, r.Outcome, "%v", r.Err)
	return apply(t, x, connector.Poll{Call: call(r.ID), Continuation: r.Continuation})[0]
}

// text is a file on the fake.
func text(t testing.TB, s *fakesftp.Server, name string) string {
	t.Helper()
	b, ok := s.FS.Get(name)
	require.True(t, ok, "%s is not there; there are %v", name, s.FS.Names())
	return string(b)
}

var sprintf = fmt.Sprintf
