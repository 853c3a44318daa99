package sftp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// crowd makes n accounts.
func crowd(n int) (ops []connector.Operation) {
	for i := range n {
		ops = append(ops, create(fmt.Sprint("c", i), fmt.Sprintf("%04d", i), "Name"))
	}
	return ops
}

func leave(from, to int) (ops []connector.Operation) {
	for i := from; i < to; i++ {
		ops = append(ops, remove(fmt.Sprint("d", i), fmt.Sprintf("%04d", i)))
	}
	return ops
}

func invoke(t testing.TB, x *Target, name, args string) (map[string]any, error) {
	t.Helper()
	raw, err := x.Invoke(context.Background(), connector.Invocation{Name: name, Arguments: json.RawMessage(args)}, func(connector.Progress) {})
	if err != nil {
		return nil, err
	}
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	return out, nil
}

// A full file that has lost too much is held back until a person lets it pass.
func TestShrinkGuard(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, x, crowd(100)...)
	must(t, x, leave(0, 20)...)
	held := apply(t, x, leave(20, 60)...)[0]
	require.Equal(t, connector.OutcomePending, held.Outcome)
	got := pollFor(t, x, held)
	require.Equal(t, connector.CodeConfiguration, got.Err.Code)
	require.Equal(t, connector.ClassInstance, got.Err.Class(), "the connector stops and a person is told")
	require.Contains(t, got.Err.Message, "would hold 40 accounts, and the last one (2) held 80")
	require.True(t, connector.IsCode(x.Check(context.Background()), connector.CodeConfiguration))
	for _, name := range s.FS.Names() {
		require.NotContains(t, name, "people_0003", "nothing of it has left")
	}

	_, err := invoke(t, x, "publish", `{}`)
	require.True(t, connector.IsCode(err, connector.CodeConfiguration))
	out, err := invoke(t, x, "publish", `{"allow_shrink": true}`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"published": true, "sequence": 3.0, "mode": "full", "rows": 40.0, "at": out["at"]}, out)
	require.Equal(t, connector.OutcomeApplied, pollFor(t, x, held).Outcome)
	require.NoError(t, x.Check(context.Background()))
	require.Equal(t, 41, strings.Count(text(t, s, "/outgoing/people_0003.csv"), "\n"))
}

// A full file at a person's word, where files hold changes only.
func TestPublishFullByHand(t *testing.T) {
	s := server(t)
	x := target(t, deltas(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, x, create("1", "7", "Zoë"))
	must(t, x, create("2", "8", "Ann"))
	out, err := invoke(t, x, "publish", `{}`)
	require.NoError(t, err)
	require.Equal(t, false, out["published"])
	out, err = invoke(t, x, "publish", `{"full": true}`)
	require.NoError(t, err)
	require.Equal(t, 2.0, out["rows"])
	require.Equal(t, "DO,ID,NAME,MAIL,STATUS,ROLES\nU,7,Zoë,,active,\nU,8,Ann,,active,\n", text(t, s, "/outgoing/people_0003.csv"))
	_, err = invoke(t, x, "nonsense", ``)
	require.True(t, connector.IsCode(err, connector.CodeUnsupported))
}

// QUIRKS FILE-5: a key is learnt by an action that shows its fingerprint, and
// nothing else.
func TestHostKeyAction(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)).with(settings{"host_keys": nil}), secretsOf(s))
	require.True(t, connector.IsCode(x.Check(context.Background()), connector.CodeConfiguration))
	out, err := invoke(t, x, "host_key", ``)
	require.NoError(t, err)
	key := out["host_keys"].([]any)[0].(map[string]any)
	require.Equal(t, s.HostKey(), key["key"])
	require.True(t, strings.HasPrefix(key["fingerprint"].(string), "SHA256:"))
	require.True(t, connector.IsCode(x.Check(context.Background()), connector.CodeConfiguration), "it is not trusted by that")
}

// A state that is lost is made anew from the last full file, wherever the receiver
// has put it.
func TestStateMadeAnew(t *testing.T) {
	for _, taken := range []bool{false, true} {
		for _, format := range []settings{{}, {"format": "jsonl"}, {"encoding": "utf-16le", "quote": "all", "line_end": "crlf"}, {"compress": "gzip", "trailer": "END {rows}", "leader": "{seq}"}} {
			t.Run(fmt.Sprint(taken, format), func(t *testing.T) {
				s := server(t)
				if taken {
					s.FS.Consume("*", "/taken")
				}
				base := kitSettings("", "people").with(at(s)).with(settings{"file": settings{"name": "people_{seq}.csv"}.with(format), "receiver": settings{"folders": []string{"/taken"}},
					"memberships": settings{"name": "members_{seq}.csv"}})
				x := target(t, base.with(settings{"state": t.TempDir()}), secretsOf(s))
				full := create("1", "7", "Zoë")
				full.Attributes = append(full.Attributes,
					connector.Attribute{Name: "start", Values: connector.Values{connector.Date("2026-03-31")}}, connector.Attribute{Name: "floor", Values: connector.Values{int64(3)}},
					connector.Attribute{Name: "seen", Values: connector.Values{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}, connector.Attribute{Name: "staff", Values: connector.Values{true}},
					connector.Attribute{Name: "phones", Values: connector.Values{"1", "2"}}, connector.Attribute{Name: "ratio", Values: connector.Values{1.5}})
				must(t, x, full, create("2", "8", "O'Neil, \"J\""), grant("3", "7", "writer"), grant("4", "7", "reader"), disable("5", "8"))
				var want, got []connector.Object
				list(t, x, &want)
				require.Len(t, want, 2)
				require.NoError(t, x.Close(context.Background()))

				x = target(t, base.with(settings{"state": t.TempDir()}), secretsOf(s))
				steps, _ := x.CheckSteps(context.Background())
				require.Equal(t, connector.CheckWarn, steps[3].Status, "check tells, and changes nothing")
				list(t, x, &got)
				require.Equal(t, want, got)
				must(t, x, rename("6", "7", "Zoe"))
				dir := "/outgoing"
				if taken {
					dir = "/taken"
				}
				chain(t, s.FS.Get, dir+"/people_%d.csv.manifest.json", 2)
			})
		}
	}
}

func list(t testing.TB, x *Target, to *[]connector.Object) {
	t.Helper()
	end, err := x.List(context.Background(), connector.ListQuery{Type: "user"}, func(o connector.Object) error { *to = append(*to, o); return nil })
	require.NoError(t, err)
	require.True(t, end.Complete)
}

// A state that is lost for good is never the beginning of an empty file.
func TestStateLost(t *testing.T) {
	damage := func(t *testing.T, s *fakesftp.Server, name string, change func(string) string) {
		s.FS.Put(name, []byte(change(text(t, s, name))))
	}
	for name, tt := range map[string]struct {
		base   func(string) settings
		change settings
		harm   func(t *testing.T, s *fakesftp.Server)
		says   string
	}{
		"delta files":         {base: deltas, says: "holds changes only"},
		"no manifest":         {base: people, change: settings{"manifest": "none"}, says: "there is no manifest"},
		"disabled left out":   {base: people, change: settings{"on_disable": "remove"}, says: "disabled accounts are not in the files"},
		"the file is gone":    {base: people, harm: func(_ *testing.T, s *fakesftp.Server) { s.FS.Remove("/outgoing/people_0001.csv") }, says: "people_0001.csv is not in any folder"},
		"the file is another": {base: people, harm: func(t *testing.T, s *fakesftp.Server) { damage(t, s, "/outgoing/people_0001.csv", strings.ToUpper) }, says: "SHA-256 differs"},
		"a manifest cut short": {base: people, harm: func(t *testing.T, s *fakesftp.Server) {
			damage(t, s, "/outgoing/people_0001.csv.manifest.json", func(x string) string { return x[:20] })
		}, says: "the manifest cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			base := tt.base("").with(at(s)).with(tt.change)
			x := target(t, base.with(settings{"state": t.TempDir()}), secretsOf(s))
			must(t, x, create("1", "7", "Zoë"))
			if tt.harm != nil {
				tt.harm(t, s)
			}
			x = target(t, base.with(settings{"state": t.TempDir()}), secretsOf(s))
			for range 2 {
				got := apply(t, x, create("2", "8", "Ann"))[0]
				require.Equal(t, connector.CodeConfiguration, got.Err.Code)
				require.Contains(t, got.Err.Message, tt.says)
			}
			_, err := x.List(context.Background(), connector.ListQuery{Type: "user"}, func(connector.Object) error { return nil })
			require.True(t, connector.IsCode(err, connector.CodeConfiguration), "nor is an empty listing complete")
			steps, _ := x.CheckSteps(context.Background())
			require.NotEqual(t, connector.CheckPass, steps[3].Status)

			x = target(t, base.with(settings{"state": t.TempDir(), "continue_after": 1}), secretsOf(s))
			must(t, x, create("2", "8", "Ann"))
			require.Contains(t, text(t, s, "/outgoing/people_0002.csv"), "8,Ann")
		})
	}
}

// A state that is older than the folder, from a backup, publishes nothing.
func TestOldState(t *testing.T) {
	s := server(t)
	state := t.TempDir()
	cfg := people(state).with(at(s))
	x := target(t, cfg, secretsOf(s))
	must(t, x, create("1", "7", "Zoë"))
	require.NoError(t, x.Close(context.Background()))
	backup := t.TempDir()
	require.NoError(t, os.CopyFS(backup, os.DirFS(state)))
	x = target(t, cfg, secretsOf(s))
	must(t, x, create("2", "8", "Ann"))
	require.NoError(t, x.Close(context.Background()))

	x = target(t, cfg.with(settings{"state": backup}), secretsOf(s))
	r := apply(t, x, create("3", "9", "Bo"))[0]
	got := pollFor(t, x, r)
	require.Equal(t, connector.CodeConfiguration, got.Err.Code)
	require.Contains(t, got.Err.Message, "the state is older than the folder")
	require.True(t, connector.IsCode(x.Check(context.Background()), connector.CodeConfiguration))
	require.Len(t, s.FS.Deliveries(), 6)
}

// QUIRKS FILE-18: what lies on this machine is for nobody else, and does not stay.
func TestLocalFiles(t *testing.T) {
	s := server(t)
	dir := filepath.Join(t.TempDir(), "outbox")
	x := target(t, people(dir).with(at(s)), secretsOf(s))
	must(t, x, create("1", "7", "Zoë"))
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, path)
		return nil
	}))
	left, err := os.ReadDir(filepath.Join(dir, "spool"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// Files that the receiver leaves are put away, ours alone.
func TestTidy(t *testing.T) {
	for _, folder := range []any{nil, "/old"} {
		s := server(t)
		s.FS.Put("/outgoing/people_0000.csv", []byte("somebody else's"))
		x := target(t, people(t.TempDir()).with(at(s)).with(settings{"tidy": settings{"keep": 2}.with(settings{"folder": folder}), "continue_after": 0, "done": nil}), secretsOf(s))
		for i := range 5 {
			must(t, x, create(fmt.Sprint(i), fmt.Sprint(i), "Name"))
		}
		var have []string
		for _, name := range s.FS.Names() {
			if strings.HasSuffix(name, ".csv") {
				have = append(have, name)
			}
		}
		want := []string{"/outgoing/people_0000.csv", "/outgoing/people_0004.csv", "/outgoing/people_0005.csv"}
		if folder != nil {
			want = []string{"/old/people_0001.csv", "/old/people_0002.csv", "/old/people_0003.csv", "/outgoing/people_0000.csv", "/outgoing/people_0004.csv", "/outgoing/people_0005.csv"}
		}
		require.Equal(t, want, have)
		s.Close()
	}
}

// Another layout writes every line anew; the same state and layout, the same bytes.
func TestAnotherLayout(t *testing.T) {
	s := server(t)
	cfg := people(t.TempDir()).with(at(s))
	x := target(t, cfg, secretsOf(s))
	must(t, x, crowd(50)...)
	require.NoError(t, x.Close(context.Background()))
	x = target(t, cfg.with(settings{"file": settings{"name": "people_{seq:4}.csv", "delimiter": ";"}}), secretsOf(s))
	must(t, x, create("x", "x", "Last"))
	require.Equal(t, 51, strings.Count(text(t, s, "/outgoing/people_0002.csv"), ";active;\n"))
	_, err := invoke(t, x, "publish", `{"full": true}`)
	require.NoError(t, err)
	require.True(t, bytes.Equal([]byte(text(t, s, "/outgoing/people_0002.csv")), []byte(text(t, s, "/outgoing/people_0003.csv"))), "QUIRKS FILE-16")
}
