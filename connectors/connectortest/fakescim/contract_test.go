package fakescim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// contract is one dialect under test: a server that plays it, and the client that
// speaks it.
type contract struct {
	*testing.T
	dialect string
	s       *Server
	c       *scim.Client
	p       *scim.Profile
}

// others are dialects that no profile of the program speaks, so that each rule is
// spoken by one.
var others = map[string]map[string]any{
	"pathless object":     {"patch_style": "pathless_object", "clear_style": "null"},
	"pathless single":     {"patch_style": "pathless_single", "path_filters": "none"},
	"dotted, with a dot":  {"patch_style": "dotted", "ext_sep": "dot"},
	"no path filters":     {"patch_style": "per_path", "path_filters": "none", "ext_sep": "dot"},
	"one operation":       {"patch_max_ops": 1, "manager_style": "sub_path"},
	"manager as a text":   {"manager_style": "string", "clear_style": "empty_string"},
	"PUT":                 {"user_update": "put_merge", "group_update": "put_merge", "manager_style": "string"},
	"PUT, partly":         {"user_update": "put_partial", "bool_style": "string_true", "clear_style": "null"},
	"disabled by PUT":     {"disable": "put"},
	"disabled by DELETE":  {"disable": "delete", "delete": "soft"},
	"versions required":   {"etag": "require"},
	"slash at the end":    {"trailing_slash": true, "users_path": "/People", "groups_path": "/Teams"},
	"search by POST":      {"post_search": true, "page_max": 20},
	"cursor, unasked":     {"paging": "cursor", "cursor_first": "omitted", "page_max": 20, "total_results": "absent"},
	"members by value":    {"member_remove_style": "value_array", "member_display_required": true, "member_add_max": 50, "member_remove_max": 50, "member_mix": false},
	"members are ignored": {"bad_member": "ignored", "group_create_members": "empty_first"},
	"filters in capitals": {"filter_op_case": "upper", "filter_paren": "always"},
}

// everyProfile runs a test on each dialect that comes with the program, and on others.
func everyProfile(t *testing.T, test func(c *contract)) {
	for _, name := range scim.Profiles() {
		t.Run(name, func(t *testing.T) {
			p, err := scim.LoadProfile(name)
			require.NoError(t, err)
			test(speaking(t, p))
		})
	}
	for name, keys := range others {
		t.Run(name, func(t *testing.T) {
			c := plain(t, keys)
			c.dialect = name
			test(c)
		})
	}
}

func speaking(t *testing.T, p *scim.Profile) *contract {
	s, _ := serve(t, Options{Profile: p})
	c, err := scim.New(scim.Options{BaseURL: s.URL(), Profile: p, Auth: scim.Bearer(connector.NewSecret(s.Token())), CAs: s.CertPool()})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &contract{t, p.Name, s, c, p}
}

// person is a user with what any dialect requires.
func person(name string) scim.Resource {
	return scim.Resource{
		"userName": name, "externalId": "E-" + name, "displayName": "Jane Doe", "active": true, "title": "Dr", "password": "Cr0codile!",
		"name":              map[string]any{"givenName": "Jane", "familyName": "Doe"},
		"emails":            []any{map[string]any{"type": "work", "value": name + "@x.org", "primary": true}},
		scim.EnterpriseUser: map[string]any{"department": "R&D"},
	}
}

// made creates a person.
func (c *contract) made(name string) scim.Resource {
	c.Helper()
	out, err := c.c.Create(c.Context(), scim.Users, c.person(name))
	require.NoError(c, err)
	require.NotEmpty(c, out.ID())
	return out
}

// person is a person with what this dialect alone requires.
func (c *contract) person(name string) scim.Resource {
	r := person(name)
	if slices.Contains(c.p.RequiredOnCreate, "mailNickname") {
		r["mailNickname"] = name
	}
	return r
}

// held is what the server holds, past the protocol.
func (c *contract) held(id string) Resource {
	c.Helper()
	for _, u := range c.s.Users() {
		if u.ID == id {
			return u
		}
	}
	c.Fatalf("there is no user %s", id)
	return Resource{}
}

// text is an attribute of what the server holds.
func (c *contract) text(id, path string) string {
	c.Helper()
	return scim.Resource(c.held(id).Attributes).Text(path)
}

// writes are the requests since the last call that write.
func (c *contract) writes() (out []Request) {
	for _, r := range c.s.Log() {
		if r.Method != "GET" && !strings.HasSuffix(r.Path, "/.search") {
			out = append(out, r)
		}
	}
	c.s.ResetLog()
	return out
}

// QUIRKS SCIM-16 to SCIM-20
func TestContractAListingIsComplete(t *testing.T) {
	everyProfile(t, func(c *contract) {
		for i := range 257 {
			seed(c, c.s, "User", fmt.Sprintf(`{"userName":"u%d","active":%v}`, i, i%5 > 0))
		}
		if c.p.Can(scim.GroupRead) {
			seed(c, c.s, "Group", `{"displayName":"G"}`)
		}
		seen := map[string]bool{}
		end, err := c.c.List(c.Context(), scim.Query{Type: scim.Users}, func(r scim.Resource) error { seen[r.ID()] = true; return nil })
		require.NoError(c, err)
		require.True(c, end.Complete, end.Reason)
		want := 257
		if c.p.DisabledVisible == scim.DisabledHidden {
			want = 205
		}
		require.Len(c, seen, want)
		end, err = c.c.List(c.Context(), scim.Query{Type: scim.Groups}, func(scim.Resource) error { return nil })
		if c.p.Can(scim.GroupRead) {
			require.NoError(c, err)
			require.True(c, end.Complete && end.Distinct == 1, end.Reason)
		} else {
			require.True(c, connector.IsCode(err, connector.CodeUnsupported), "%v", err)
		}
	})
}

// The client asks for nothing that the dialect refuses: its own checks come first.
func TestContractEveryFilterThatTheProfileAllowsIsUnderstood(t *testing.T) {
	everyProfile(t, func(c *contract) {
		id := seed(c, c.s, "User", `{"userName":"jane","externalId":"E","displayName":"J","emails":[{"value":"e@x.org","type":"work"}]}`)[0]
		for _, f := range []scim.Filter{
			scim.Eq("userName", "jane"), scim.Eq("externalId", "E"), scim.Eq("id", id), scim.Eq("displayName", "J"), scim.Eq("emails.value", "e@x.org"),
			scim.And{scim.Eq("userName", "jane"), scim.Eq("active", true)},
			scim.And{scim.Eq("userName", "jane"), scim.Or{scim.Eq("displayName", "J"), scim.Present("title")}},
			scim.Or{scim.And{scim.Eq("userName", "jane"), scim.Eq("externalId", "E")}, scim.Present("title")},
			scim.Where{Path: scim.MustPath("emails"), Filter: scim.And{scim.Eq("type", "work"), scim.Eq("value", "e@x.org")}},
			scim.Not{Filter: scim.Eq("userName", "joe")},
			scim.Eq("groups.value", "g"), scim.And{scim.Eq("id", id), scim.Eq("manager", "m")},
		} {
			if c.p.CheckFilter(scim.Users, f) != nil || fmt.Sprint(f) == `id eq "`+id+`" and manager eq "m"` {
				continue
			}
			n := 0
			_, err := c.c.List(c.Context(), scim.Query{Type: scim.Users, Filter: f}, func(scim.Resource) error { n++; return nil })
			require.NoError(c, err, "%s", f)
			if fmt.Sprint(f) != `groups.value eq "g"` && fmt.Sprint(f) != `userName eq "jane" and active eq true` {
				require.Equal(c, 1, n, "%s", f)
			}
		}
	})
}
