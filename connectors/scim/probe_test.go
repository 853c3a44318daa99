package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// probe runs the action and checks what holds for every probe: its profile can
// be loaded, and every value says what it rests on.
func probe(t *testing.T, target *Target, arguments string) probeResult {
	t.Helper()
	raw, err := target.Invoke(context.Background(), connector.Invocation{ID: "p", Name: "probe", Arguments: json.RawMessage(arguments)}, func(connector.Progress) {})
	require.NoError(t, err)
	var r probeResult
	require.NoError(t, json.Unmarshal(raw, &r))
	loaded := load(t, r.Profile)
	require.Equal(t, client.TriedOn, loaded.Verified)
	for _, f := range r.Findings {
		require.NotEmpty(t, f.Evidence, f.Key)
		require.Contains(t, loaded.Src[f.Key], f.Evidence[0].Request, "the profile itself says so")
		require.False(t, f.Evidence[0].At.IsZero())
	}
	return r
}

func load(t *testing.T, profile string) *client.Profile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "probed.yaml")
	require.NoError(t, os.WriteFile(path, []byte(profile), 0o600))
	p, err := client.LoadProfile(path)
	require.NoError(t, err, profile)
	return p
}

// value is what was found of a column; nil when nothing was.
func (r probeResult) value(key string) any {
	for _, f := range r.Findings {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// A service that others wrote: nothing but the synthetic objects is changed, and
// they are gone afterwards.
func TestProbeOfARealService(t *testing.T) {
	s := newReal(t)
	r := probe(t, s.target(""), `{"write": true}`)
	require.Empty(t, r.Stopped)
	require.Empty(t, r.LeftBehind)
	require.Empty(t, r.Changes)
	for key, want := range map[string]any{
		"patch_style": "per_path", "bool_style": "json", "clear_style": "remove", "disable": "active_false", "disabled_visible": "visible",
		"delete": "hard", "etag": "none", "paging": "index", "members_read": "full", "member_remove_style": "filter_path", "bad_member": "fails_all",
	} {
		require.Equal(t, want, r.value(key), key)
	}
	page := s.do(http.MethodGet, "/Users?filter=userName%20sw%20%22provhub-probe-%22", "")
	require.Equal(t, "0", page.Text("totalResults"))
}

// The simulator keeps to a dialect, and the probe finds the dialect out: through
// the root profile, which knows nothing of it.
func TestProbeFindsTheDialect(t *testing.T) {
	for dialect, want := range map[string]map[string]any{
		"aws-identity-center": {"paging": "cursor", "members_read": "filter_only", "member_add_max": 100.0, "member_remove_max": 100.0, "filter_ops": []any{"eq", "and"}, "list_without_filter": true, "attributes_param": "none"},
		"entra-target":        {"members_read": "filter_only", "member_add_max": 20.0, "member_remove_max": 1.0, "path_filters": "type_only", "paging": "cursor"},
		"slack":               {"delete": "soft"},
		"okta-style":          {"user_update": "put_merge", "discovery": "none"},
		"wso2":                {"members_wrap": "pathless_object"},
		"salesforce":          {"group_ops": []any{"read"}, "delete": "forbidden"},
		"zoom":                {"user_update": "put_partial"},
		"atlassian":           {"disabled_visible": "hidden"},
		"gitlab":              {"bool_style": "string_true", "id_source": "external_id", "group_ops": []any{}},
	} {
		t.Run(dialect, func(t *testing.T) {
			f := newFake(t, dialect, map[string]any{"rate": []any{}}, nil)
			f.seedUsers(130)
			through := f.open(config{"dialect": writeProfile(t, f, dialect)})
			r := probe(t, through, `{"write": true, "members": 122}`)
			require.Empty(t, r.Stopped)
			require.LessOrEqual(t, len(r.LeftBehind), 3, "where nothing can be deleted, little is made")
			for _, u := range f.Users()[130:] {
				require.False(t, u.Active(), "what stays is deactivated")
			}
			for key, v := range want {
				require.Equal(t, v, r.value(key), "%s\n%s", key, r.Profile)
			}
		})
	}
}

// writeProfile makes a profile with no more of a dialect than what a request of
// any kind needs: headers and what a new account must have.
func writeProfile(t *testing.T, f *fake, name string) string {
	p, err := client.LoadProfile(name)
	require.NoError(t, err)
	required, err := json.Marshal(p.RequiredOnCreate)
	require.NoError(t, err)
	single, err := json.Marshal(p.SingleValued)
	require.NoError(t, err)
	path := filepath.Join(f.dir, "start.yaml")
	text := "name: start\nversion: 1\nverified: docs-only\nverified_on: 2026-11-22\naccept: " + p.Accept + "\nspc_path: " + p.SPCPath +
		"\nrequired_on_create: " + string(required) + "\nsingle_valued: " + string(single) + "\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// Where nobody is listed, pages are seen by the accounts that the probe makes:
// whatever groups allow, and as it is told when it may not write.
func TestProbeOfAServiceWithoutAccounts(t *testing.T) {
	pages := func(r probeResult) []any {
		return []any{r.value("paging"), r.value("total_results"), r.value("attributes_param"), r.value("excluded_attributes_param"), r.value("list_without_filter")}
	}
	for name, tt := range map[string]struct{ dialect, arguments string }{
		"with members":       {"rfc7644", `{"write": true}`},
		"without groups":     {"gitlab", `{"write": true}`},
		"with a cursor":      {"aws-identity-center", `{"write": true}`},
		"with few to make":   {"rfc7644", `{"write": true, "members": 1}`},
		"without leave":      {"rfc7644", ``},
		"nothing is deleted": {"salesforce", `{"write": true}`},
	} {
		t.Run(name, func(t *testing.T) {
			full := newFake(t, tt.dialect, nil, nil)
			full.seedUsers(3)
			want := probe(t, full.target, tt.arguments)
			empty := newFake(t, tt.dialect, nil, nil)
			got := probe(t, empty.target, tt.arguments)
			require.Empty(t, got.Stopped)
			if untold := name == "without leave" || name == "with few to make"; untold {
				require.Nil(t, got.value("paging"))
				require.Contains(t, strings.Join(got.Summary, "\n"), "too few accounts")
				return
			}
			require.Equal(t, pages(want), pages(got), "as with accounts of others")
			require.NotContains(t, strings.Join(got.Summary, "\n"), "too few accounts")
			require.LessOrEqual(t, len(got.LeftBehind), len(want.LeftBehind)+1, "where nothing can be deleted, little is made")
		})
	}
}

// Without being told to write, a probe changes nothing.
func TestProbeWithoutWriting(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	f.seedUsers(3)
	before := f.Users()
	r := probe(t, f.target, ``)
	require.Equal(t, before, f.Users())
	for _, q := range f.Log() {
		require.True(t, q.Method == http.MethodGet || q.Method == http.MethodPost && strings.HasSuffix(q.Path, "/.search"), "%s", q)
	}
	require.Nil(t, r.value("patch_style"), "what was not tried is not claimed")
	require.Equal(t, "trusted", r.value("total_results"))
	require.NotContains(t, r.Profile, "u0", "nobody's name is in the evidence")
}

// Whatever happens, what the probe made is removed, or named.
func TestProbeCleansUp(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	before := f.seedUsers(2)
	for _, fault := range []fakescim.FaultName{fakescim.Dropped, fakescim.LostReply} {
		for skip := range 5 {
			disarm := f.Arm(fakescim.Fault{Name: fault, Method: http.MethodPost, Skip: skip, Times: 1})
			r := probe(t, f.target, `{"write": true}`)
			disarm()
			if fault == fakescim.Dropped {
				require.NotEmpty(t, r.Stopped, "%s of POST %d", fault, skip)
			}
			require.Len(t, f.Users(), len(before), "%s of POST %d: %s", fault, skip, r.Stopped)
			require.Empty(t, f.Groups())
			require.Empty(t, r.LeftBehind)
		}
	}
	for skip := range 3 {
		disarm := f.Arm(fakescim.Fault{Name: fakescim.Dropped, Method: http.MethodDelete, Skip: skip, Times: 1})
		r := probe(t, f.target, `{"write": true}`)
		disarm()
		require.Len(t, f.Users(), len(before), "DELETE %d got no answer: %s", skip, r.Stopped)
		require.Empty(t, r.LeftBehind)
	}

	f.Arm(fakescim.Fault{Name: fakescim.Refused, Method: http.MethodDelete, Status: 403})
	r := probe(t, f.target, `{"write": true}`)
	require.Len(t, f.Users(), len(before)+len(r.LeftBehind)-1)
	require.NotEmpty(t, r.LeftBehind)
	for _, l := range r.LeftBehind {
		require.True(t, strings.Contains(strings.ToLower(l.Name), "provhub"), l.Name)
		require.NotEmpty(t, l.ID)
		require.Contains(t, l.Why, "403")
	}
}

func TestProbeThatIsStopped(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := f.target.Invoke(ctx, connector.Invocation{Name: "probe", Arguments: json.RawMessage(`{"write": true}`)}, func(p connector.Progress) {
		if p.Message == "members" {
			cancel()
		}
	})
	require.NoError(t, err)
	require.Empty(t, f.Users(), "who stops a probe does not want its accounts to stay")
	require.Empty(t, f.Groups())
}

// A second probe tells what the vendor has changed meanwhile.
func TestProbeTellsWhatChanged(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	first := probe(t, f.target, `{"write": true}`)
	arguments, err := json.Marshal(map[string]any{"write": true, "former": first.Profile})
	require.NoError(t, err)
	require.Empty(t, probe(t, f.target, string(arguments)).Changes)
	f.Arm(fakescim.Fault{Name: fakescim.ActiveAsText})
	f.Arm(fakescim.Fault{Name: fakescim.HideDisabled})
	r := probe(t, f.target, string(arguments))
	var keys []string
	for _, c := range r.Changes {
		keys = append(keys, c.Key)
	}
	require.True(t, slices.Contains(keys, "bool_style") && slices.Contains(keys, "disabled_visible"), "%v", keys)
}

func TestProbeRefusesBadArguments(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	for arguments, want := range map[string]connector.Code{
		`{"members": 0}`: connector.CodeInvalidValue, `{"members": 1000}`: connector.CodeInvalidValue, `{"write": 1}`: connector.CodeInvalidValue,
		`{"former": "no: [profile"}`: connector.CodeInvalidValue, `{"former": "a: b"}`: connector.CodeInvalidValue,
	} {
		_, err := f.target.Invoke(context.Background(), connector.Invocation{Name: "probe", Arguments: json.RawMessage(arguments)}, func(connector.Progress) {})
		require.Equal(t, want, code(err), arguments)
	}
	_, err := f.target.Invoke(context.Background(), connector.Invocation{Name: "dance"}, func(connector.Progress) {})
	require.Equal(t, connector.CodeUnsupported, code(err))
	f.Arm(fakescim.Fault{Name: fakescim.Down})
	_, err = f.target.Invoke(context.Background(), connector.Invocation{Name: "probe"}, func(connector.Progress) {})
	require.Equal(t, connector.CodeUnavailable, code(err))
}
