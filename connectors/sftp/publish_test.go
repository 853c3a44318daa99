package sftp

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
)

// A life in full files: each holds everybody, and none is like another.
func TestFullFiles(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, x, create("1", "7", "Zoë"), create("2", "8", `O"Neil, J`), grant("3", "7", "writer"), grant("4", "7", "reader"))
	require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoë,,active,reader|writer\n8,\"O\"\"Neil, J\",,active,\n", text(t, s, "/outgoing/people_0001.csv"))
	must(t, x, disable("5", "7"), revoke("6", "7", "writer"))
	require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoë,,disabled,reader\n8,\"O\"\"Neil, J\",,active,\n", text(t, s, "/outgoing/people_0002.csv"))
	must(t, x, remove("7", "8"))
	require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoë,,disabled,reader\n", text(t, s, "/outgoing/people_0003.csv"))
	require.Equal(t, "", text(t, s, "/outgoing/people_0003.csv.done"))
	chain(t, s.FS.Get, "/outgoing/people_%04d.csv.manifest.json", 3)

	for _, op := range []connector.Operation{enable("8", "8"), rename("9", "8", "x"), grant("10", "8", "reader")} {
		require.Equal(t, connector.CodeNotFound, apply(t, x, op)[0].Err.Code)
	}
	for _, op := range []connector.Operation{disable("11", "7"), remove("12", "8"), rename("13", "7", "Zoë"), revoke("14", "7", "admin")} {
		require.Equal(t, connector.OutcomeUnchanged, apply(t, x, op)[0].Outcome)
	}
	require.Len(t, s.FS.Deliveries(), 9, "nothing changed, so nothing was published")
}

// QUIRKS FILE-4: the manifests of all publications name each other.
func chain(t testing.TB, get func(string) ([]byte, bool), pattern string, n int) {
	t.Helper()
	previous := ""
	for seq := 1; seq <= n; seq++ {
		name := sprintf(pattern, seq)
		b, ok := get(name)
		require.True(t, ok, name)
		m, err := feed.DecodeManifest(b)
		require.NoError(t, err)
		require.EqualValues(t, seq, m.Sequence)
		require.Equal(t, previous, m.Previous)
		previous = sum(b)
	}
}

// QUIRKS FILE-8: a delta file says what changed and what is asked for.
func TestDeltaFiles(t *testing.T) {
	s := server(t)
	x := target(t, deltas(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, x, create("1", "7", "Zoë"), create("2", "8", "Ann"))
	require.Equal(t, "DO,ID,NAME,MAIL,STATUS,ROLES\nA,7,Zoë,,active,\nA,8,Ann,,active,\n", text(t, s, "/outgoing/people_0001.csv"))
	must(t, x, disable("3", "7"), grant("4", "7", "admin"), remove("5", "8"))
	require.Equal(t, "DO,ID,NAME,MAIL,STATUS,ROLES\nU,7,Zoë,,disabled,admin\nD,8,Ann,,deleted,\n", text(t, s, "/outgoing/people_0002.csv"))
	must(t, x, create("6", "9", "Bo"), remove("7", "9"))
	_, there := s.FS.Get("/outgoing/people_0003.csv")
	require.False(t, there, "who came and went between two files is in neither")
	must(t, x, create("8", "9", "Bo"))
	require.Equal(t, "DO,ID,NAME,MAIL,STATUS,ROLES\nA,9,Bo,,active,\n", text(t, s, "/outgoing/people_0003.csv"), "numbers have no gaps")
}

func TestMemberships(t *testing.T) {
	s := server(t)
	for mode, want := range map[string][2]string{
		"full":  {"account,group\n7,reader\n7,writer\n", "account,group\n7,admin\n7,reader\n"},
		"delta": {"action,account,group\nA,7,reader\nA,7,writer\n", "action,account,group\nD,7,writer\nA,7,admin\n"},
	} {
		t.Run(mode, func(t *testing.T) {
			cfg := people(t.TempDir())
			if mode == "delta" {
				cfg = deltas(t.TempDir())
			}
			cfg = cfg.with(at(s)).with(settings{"memberships": settings{"name": "members_" + mode + "_{seq}.csv"}, "file": settings{"name": mode + "_{seq}.csv"}})
			x := target(t, cfg, secretsOf(s))
			must(t, x, create("1", "7", "Zoë"), grant("2", "7", "writer"), grant("3", "7", "reader"))
			require.Equal(t, want[0], text(t, s, "/outgoing/members_"+mode+"_1.csv"))
			must(t, x, grant("4", "7", "admin"), revoke("5", "7", "writer"))
			require.Equal(t, want[1], text(t, s, "/outgoing/members_"+mode+"_2.csv"))
			var m feed.Manifest
			require.NoError(t, json.Unmarshal([]byte(text(t, s, "/outgoing/"+mode+"_2.csv.manifest.json")), &m))
			require.Len(t, m.Files, 2)
		})
	}
}

// What becomes of the rows of those who are disabled or deleted is config.
func TestDisableAndDelete(t *testing.T) {
	for _, tt := range []struct {
		name   string
		base   func(string) settings
		change settings
		want   [2]string // after the disable, after the delete
	}{
		{name: "rows go", base: people, change: settings{"on_disable": "remove"}, want: [2]string{"8\n", "8\n"}},
		{name: "rows are marked", base: people, change: settings{"on_delete": "mark"}, want: [2]string{"7 disabled\n8 active\n", "7 deleted\n8 active\n"}},
		{name: "actions", base: deltas, change: settings{"actions": settings{"disable": "X"}}, want: [2]string{"X 7\n", "D 7\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t)
			columns := map[string][]settings{
				"rows go":         {{"name": "employeeNumber"}},
				"rows are marked": {{"name": "employeeNumber"}, {"kind": "state", "header": "s"}},
				"actions":         {{"kind": "action", "header": "do"}, {"name": "employeeNumber"}},
			}[tt.name]
			cfg := tt.base(t.TempDir()).with(at(s)).with(tt.change).with(settings{"columns": columns, "groups": nil, "shrink": settings{"max_percent": 100},
				"file": settings{"name": "f_{seq}", "delimiter": " ", "no_header": true}})
			x := target(t, cfg, secretsOf(s))
			one := func(op, id string) connector.Create {
				return connector.Create{Call: call(op), Type: "user", Attributes: attrs("employeeNumber", id)}
			}
			must(t, x, one("1", "7"), one("2", "8"))
			must(t, x, disable("3", "7"))
			require.Equal(t, tt.want[0], text(t, s, "/outgoing/f_2"))
			o, err := x.Get(context.Background(), user("7"), nil)
			require.NoError(t, err)
			require.Equal(t, connector.IsDisabled, o.Enabled)
			must(t, x, remove("4", "7"))
			_, err = x.Get(context.Background(), user("7"), nil)
			require.True(t, connector.IsCode(err, connector.CodeNotFound))
			if name := "/outgoing/f_3"; tt.want[0] != tt.want[1] {
				require.Equal(t, tt.want[1], text(t, s, name))
			}
			must(t, x, one("5", "7")) // the same number again
			o, err = x.Get(context.Background(), user("7"), nil)
			require.NoError(t, err)
			require.Equal(t, connector.IsEnabled, o.Enabled)
		})
	}
}

// The steps of one account take effect together or not at all.
func TestGroupsOfSteps(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, x, create("1", "7", "Zoë"))
	in := func(c connector.Call) connector.Call { c.Group, c.GroupSize = "g", 2; return c }
	good, bad := grant("2", "7", "reader"), rename("3", "7", "")
	good.Call, bad.Call, bad.Changes[0].Replace = in(good.Call), in(bad.Call), nil
	rs := apply(t, x, good, bad)
	require.Equal(t, connector.OutcomeCancelled, rs[0].Outcome)
	require.Equal(t, connector.OutcomeFailed, rs[1].Outcome)
	require.Equal(t, connector.CodeInvalidValue, rs[1].Err.Code)
	missing := grant("4", "7", "nobody")
	missing.Call, good.Call = in(missing.Call), in(call("5"))
	rs = apply(t, x, good, missing)
	require.Equal(t, connector.OutcomeApplied, rs[0].Outcome, "a group that is not there holds back only itself")
	require.Equal(t, connector.CodeDependencyMissing, rs[1].Err.Code)
	require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoë,,active,reader\n", text(t, s, "/outgoing/people_0002.csv"))
}
