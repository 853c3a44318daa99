package scimapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

func env(t testing.TB, name string) string {
	v := os.Getenv(name)
	if v == "" {
		t.Skip("needs " + name + ": run make test")
	}
	return v
}

// lab is a set of users of the test's own on the real service.
type lab struct {
	testing.TB
	client *scim.Client
	prefix string
	config Config
	token  connector.Secret
}

func newLab(t testing.TB) *lab {
	l := &lab{TB: t, token: connector.NewSecret(env(t, "PROVHUB_TEST_SCIM_TOKEN"))}
	var b [4]byte
	_, _ = rand.Read(b[:])
	l.prefix = "src-" + hex.EncodeToString(b[:]) + "-"
	l.config = Config{Access: scim.Access{BaseURL: env(t, "PROVHUB_TEST_SCIM_URL"), Dialect: "scimmy", AllowInsecure: []string{"127.0.0.1"}},
		People: Kind{Filter: fmt.Sprintf("userName sw %q", l.prefix), Attributes: source.Attributes{{Name: "login", From: "userName", Required: true}, {Name: "given", From: "name.givenName"},
			{Name: "mails", From: "emails.value", Type: "list"}, {Name: "active", Type: "bool"}}}}
	o, err := l.config.Access.Options(map[string]connector.Secret{"token": l.token})
	require.NoError(t, err)
	l.client, err = scim.New(o)
	require.NoError(t, err)
	t.Cleanup(l.clean)
	return l
}

func (l *lab) clean() {
	ctx := context.Background()
	for _, t := range []scim.ResourceType{scim.Groups, scim.Users} {
		name := map[scim.ResourceType]string{scim.Users: "userName", scim.Groups: "displayName"}[t]
		var ids []string
		_, _ = l.client.List(ctx, scim.Query{Type: t, Filter: scim.Compare{Path: scim.MustPath(name), Op: scim.OpStartsWith, Value: l.prefix}}, func(r scim.Resource) error {
			ids = append(ids, r.ID())
			return nil
		})
		for _, id := range ids {
			_ = l.client.Delete(ctx, t, id, "")
		}
	}
}

func (l *lab) user(name string, more map[string]any) string {
	l.Helper()
	r := scim.Resource{"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": l.prefix + name}
	for k, v := range more {
		r[k] = v
	}
	got, err := l.client.Create(context.Background(), scim.Users, r)
	require.NoError(l, err)
	return got.ID()
}

func (l *lab) open() *Reader {
	l.Helper()
	r, err := New(l.config, map[string]connector.Secret{"token": l.token})
	require.NoError(l, err)
	l.Cleanup(r.Close)
	return r
}

// collect reads into a map by login, without the lab's prefix.
func collect(prefix string, out map[string]string) func(*source.Record) error {
	return func(rec *source.Record) error {
		switch {
		case rec.Fault != nil:
			out[rec.Anchor] = rec.Fault.Reason
		case rec.Deleted:
			out[rec.Anchor] = "deleted"
		default:
			a := rec.Attributes()
			name := strings.TrimPrefix(a.Text("login")+a.Text("name"), prefix)
			delete(a, "login")
			delete(a, "name")
			out[name] = fmt.Sprint(map[string]any(a))
			if rec.Members != nil {
				out[name] += fmt.Sprintf(" %d members", len(rec.Members()))
			}
		}
		return nil
	}
}

func TestPeopleOfARealService(t *testing.T) {
	l := newLab(t)
	l.config.PageSize = 7
	for i := range 25 {
		l.user(fmt.Sprintf("u%02d", i), nil)
	}
	l.user("ann", map[string]any{"name": map[string]any{"givenName": "Ann"}, "active": false,
		"emails": []any{map[string]any{"value": "b@x.test", "type": "work"}, map[string]any{"value": "a@x.test", "type": "home"}}})
	got := map[string]string{}
	report, err := l.open().Read(t.Context(), collect(l.prefix, got))
	require.NoError(t, err)
	require.True(t, report.Complete, "%v", report.Incomplete)
	require.Len(t, got, 26)
	require.Equal(t, "map[active:false given:Ann mails:[a@x.test b@x.test]]", got["ann"])
	require.Equal(t, "map[active:true]", got["u07"])
}

func TestWhatWasModifiedIsAskedFor(t *testing.T) {
	l := newLab(t)
	l.config.Overlap = time.Millisecond
	id := l.user("ann", nil)
	l.user("bo", nil)
	r := l.open()
	report, err := r.Read(t.Context(), func(*source.Record) error { return nil })
	require.NoError(t, err)
	require.NotNil(t, report.Token, "%v", report.Warnings)
	time.Sleep(1100 * time.Millisecond) // the overlap is in whole seconds
	_, err = l.client.Update(t.Context(), scim.Update{Type: scim.Users, ID: id, Changes: []scim.Change{{Path: scim.MustPath("name.givenName"), Replace: []any{"Ann"}}}})
	require.NoError(t, err)
	l.user("cy", nil)
	got := map[string]string{}
	changes, err := r.Changes(t.Context(), report.Token, collect(l.prefix, got))
	require.NoError(t, err)
	require.True(t, changes.Delta)
	require.Equal(t, "map[active:true given:Ann]", got["ann"])
	require.Contains(t, got, "cy")
	other := l.config
	other.Access.BaseURL += "/"
	foreign, err := New(other, map[string]connector.Secret{"token": l.token})
	require.NoError(t, err)
	_, err = foreign.Changes(t.Context(), report.Token, nil)
	require.ErrorIs(t, err, source.ErrTokenExpired, "another address is another service")
}

func TestGroupsOfARealService(t *testing.T) {
	l := newLab(t)
	id := l.user("ann", nil)
	_, err := l.client.Create(t.Context(), scim.Groups, scim.Resource{"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:Group"},
		"displayName": l.prefix + "sales", "members": []any{map[string]any{"value": id}}})
	require.NoError(t, err)
	l.config.Groups = &Kind{Filter: fmt.Sprintf("displayName sw %q", l.prefix), Attributes: source.Attributes{{Name: "name", From: "displayName"}}}
	got := map[string]string{}
	_, err = l.open().Read(t.Context(), func(rec *source.Record) error {
		if rec.Kind == identity.Group {
			require.Equal(t, []string{id}, rec.Members())
		} else {
			require.Equal(t, id, rec.Name)
		}
		return collect(l.prefix, got)(rec)
	})
	require.NoError(t, err)
	require.Equal(t, "map[] 1 members", got["sales"])
}

func TestOnePersonIsReadAgain(t *testing.T) {
	l := newLab(t)
	id := l.user("ann", nil)
	got := map[string]string{}
	r := l.open()
	require.NoError(t, r.ReadOne(t.Context(), identity.Person, id, collect(l.prefix, got)))
	require.NoError(t, r.ReadOne(t.Context(), identity.Person, "nobody-"+id, collect(l.prefix, got)))
	require.Equal(t, map[string]string{"ann": "map[active:true]", "nobody-" + id: "deleted"}, got)
}

// liar is a service that is not what it should be.
func liar(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *Reader {
	s := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(s.Close)
	r, err := New(Config{Access: scim.Access{BaseURL: s.URL, AllowInsecure: []string{"127.0.0.1"}}, Incremental: Never,
		People: Kind{Attributes: source.Attributes{{Name: "login", From: "userName"}}}}, map[string]connector.Secret{"token": connector.NewSecret("t")})
	require.NoError(t, err)
	return r
}

func users(w http.ResponseWriter, total int, ids ...string) {
	w.Header().Set("Content-Type", "application/scim+json")
	list := []any{}
	for _, id := range ids {
		list = append(list, map[string]any{"id": id, "userName": id})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": total, "itemsPerPage": len(ids), "startIndex": 1, "Resources": list})
}

// QUIRKS SCIM-17, HR-5: a service that repeats, lies or breaks off never lets
// anybody seem gone.
func TestLiesAreNotComplete(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"ids repeated": func(w http.ResponseWriter, _ *http.Request) { users(w, 4, "a", "b") },
		"total too big": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("startIndex") == "1" {
				users(w, 9, "a", "b")
			} else {
				users(w, 9)
			}
		},
		"page for people": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>sign in</html>")
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/scim+json")
			fmt.Fprint(w, `{"totalResults": 2, "Resources": [{"id": "a"`)
		},
		"second page fails": func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/Users") && r.URL.Query().Get("startIndex") != "1" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			users(w, 4, "a", "b")
		},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := liar(t, answer).Read(t.Context(), func(*source.Record) error { return nil })
			require.True(t, err != nil || !report.Complete, "it must not pass for complete")
		})
	}
}

func TestFaultsOfTheConfigAreToldAtOnce(t *testing.T) {
	_, err := New(Config{Access: scim.Access{BaseURL: "https://x", SignIn: scim.SignIn{Kind: "magic"}}, Incremental: "often",
		People: Kind{Filter: "userName like 1", Anchor: "a..b", Attributes: source.Attributes{{Name: "a", From: "x[", Type: "colour"}, {Name: "a"}}}}, nil)
	for _, want := range []string{`incremental is "often"`, "people: filter: ", "people: anchor: ", `"a" is there twice`, `type "colour" is not known`, `called "magic"`} {
		require.ErrorContains(t, err, want)
	}
	_, err = New(Config{Access: scim.Access{BaseURL: "https://x"}}, nil)
	require.ErrorContains(t, err, "secret token is missing")
}

func TestValues(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	r := &Reader{zone: zone}
	for _, c := range []struct {
		typ  source.Type
		raw  []any
		want any
		err  string
	}{
		{"text", nil, nil, ""},
		{"text", []any{json.Number("17")}, "17", ""},
		{"text", []any{map[string]any{"value": "x"}}, "x", ""},
		{"list", []any{"b", "a", "b"}, []string{"a", "b"}, ""},
		{"bool", []any{"True"}, true, ""}, // QUIRKS SCIM-63
		{"bool", []any{"perhaps"}, nil, "neither"},
		{"integer", []any{json.Number("4.5")}, nil, "whole"},
		{"number", []any{json.Number("4.5")}, 4.5, ""},
		{"date", []any{"2026-03-31T20:00:00Z"}, "2026-04-01", ""},
		{"date", []any{"2026-03-31"}, "2026-03-31", ""},
		{"date", []any{"31.3."}, nil, "no date"},
	} {
		got, err := r.forms().Value(c.typ, textsOf(c.raw))
		if c.err != "" {
			require.ErrorContains(t, err, c.err)
			continue
		}
		require.NoError(t, err, "%v", c)
		require.Equal(t, c.want, got, "%v", c)
	}
}
