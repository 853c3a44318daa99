package fakescim

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
)

// dialect is a server whose profile sets the given keys.
func dialect(t *testing.T, keys map[string]any, o Options) (*Server, *client) {
	t.Helper()
	p, err := scim.LoadProfile("")
	require.NoError(t, err)
	o.Profile, err = p.With(keys)
	require.NoError(t, err)
	return serve(t, o)
}

// try1 is one request and what a dialect answers it with.
type try1 struct {
	status   int
	scimType string
	request  string // "METHOD path", "~" stands for the id of a user, "#" for that of a group
	body     string
	header   string // "Name: value"
}

// Each rule of a profile is enforced: what the dialect knows is done, what it does
// not is refused. QUIRKS §1.2, §1.3
func TestADialectIsEnforced(t *testing.T) {
	const ent = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ops := func(list string) string { return `{` + patchSchema + `,"Operations":[` + list + `]}` }
	user := func(more string) string { return `{` + bothSchemas + `,"userName":"new"` + more + `}` }
	filter := func(text string) string { return "GET /Users?filter=" + url.QueryEscape(text) }
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(`{"value":"~"},`, n), ",") }
	for _, tc := range []struct {
		name  string
		keys  map[string]any
		tries []try1
	}{
		{"accept", map[string]any{"accept": "application/json"}, []try1{
			{200, "", "GET /Users", "", "Accept: application/json"}, {400, "", "GET /Users", "", "Accept: application/scim+json"}, {400, "", "GET /Users", "", ""}}},
		{"content_type", map[string]any{"content_type": "application/scim+json"}, []try1{
			{201, "", "POST /Users", user(""), ""}, {415, "", "POST /Users", user(""), "Content-Type: application/json"}}},
		{"user_agent", map[string]any{"user_agent": "provhub"}, []try1{
			{403, "", "GET /Users", "", "User-Agent: "}, {200, "", "GET /Users", "", "User-Agent: me"}}},
		{"extra_headers", map[string]any{"extra_headers": map[string]any{"X-Tenant": "7"}}, []try1{
			{400, "", "GET /Users", "", ""}, {200, "", "GET /Users", "", "X-Tenant: 7"}}},
		{"trailing_slash", map[string]any{"trailing_slash": true}, []try1{
			{404, "", "GET /Users", "", ""}, {200, "", "GET /Users/", "", ""}, {200, "", "GET /Users/~", "", ""}, {404, "", "GET /Users/~/", "", ""}}},
		{"paths", map[string]any{"users_path": "/People", "spc_path": "/ServiceProviderConfigs"}, []try1{
			{404, "", "GET /Users", "", ""}, {200, "", "GET /People/~", "", ""}, {200, "", "GET /ServiceProviderConfigs", "", ""}, {404, "", "GET /ServiceProviderConfig", "", ""}}},
		{"discovery", map[string]any{"discovery": "none"}, []try1{{404, "", "GET /ServiceProviderConfig", "", ""}, {404, "", "GET /Schemas", "", ""}}},

		{"filter_ops", map[string]any{"filter_ops": []any{"eq"}}, []try1{
			{200, "", filter(`userName eq "x"`), "", ""}, {400, "invalidFilter", filter(`userName sw "x"`), "", ""}, {400, "invalidFilter", filter(`userName eq "x" and title eq "y"`), "", ""},
			{400, "invalidFilter", filter(`not (userName eq "x")`), "", ""}}},
		{"no filter", map[string]any{"filter_ops": []any{}}, []try1{{400, "invalidFilter", filter(`userName eq "x"`), "", ""}, {200, "", "GET /Users", "", ""}}},
		{"filter_attrs", map[string]any{"filter_attrs": map[string]any{"users": []any{"userName", "emails"}}}, []try1{
			{200, "", filter(`USERNAME eq "x" and emails.value eq "y"`), "", ""}, {400, "invalidFilter", filter(`title pr`), "", ""}, {400, "invalidFilter", filter(`emails[type eq "work"]`), "", ""},
			{200, "", "GET /Groups?filter=displayName+pr", "", ""}}},
		{"filter_combos", map[string]any{"filter_combos": map[string]any{"users": []any{[]any{"userName"}, []any{"id", "manager"}}, "groups": []any{[]any{"id", "members"}}}}, []try1{
			{200, "", filter(`userName eq "x"`), "", ""}, {400, "invalidFilter", filter(`title eq "x"`), "", ""}, {400, "invalidFilter", filter(`userName eq "x" and id eq "y"`), "", ""},
			{400, "invalidFilter", filter(`userName  eq "x"`), "", ""}, {400, "invalidFilter", filter(` userName eq "x"`), "", ""}, {400, "invalidFilter", filter(`userName EQ "x"`), "", ""},
			{200, "", "GET /Groups?filter=" + url.QueryEscape(`id eq "#" and members eq "~"`), "", ""}, {400, "invalidFilter", "GET /Groups?filter=" + url.QueryEscape(`members eq "~"`), "", ""}}},
		{"filter_op_case", map[string]any{"filter_op_case": "upper"}, []try1{{200, "", filter(`userName EQ "and eq"`), "", ""}, {400, "invalidFilter", filter(`userName eq "x"`), "", ""}}},
		{"filter_paren", map[string]any{"filter_paren": "always"}, []try1{
			{200, "", filter(`title pr and (userType pr or locale pr)`), "", ""}, {400, "invalidFilter", filter(`title pr and userType pr or locale pr`), "", ""}}},
		{"filter_max_nodes", map[string]any{"filter_max_nodes": 3}, []try1{{200, "", filter(`title pr and locale pr`), "", ""}, {400, "invalidFilter", filter(`title pr and locale pr and userType pr`), "", ""}}},
		{"external_id not combinable", map[string]any{"external_id": "not_combinable"}, []try1{
			{200, "", filter(`externalId eq "x"`), "", ""}, {400, "invalidFilter", filter(`externalId eq "x" and userName eq "y"`), "", ""}}},
		{"external_id unsupported", map[string]any{"external_id": "unsupported"}, []try1{{400, "invalidFilter", filter(`externalId eq "x"`), "", ""}}},
		{"list_without_filter", map[string]any{"list_without_filter": false}, []try1{{400, "invalidFilter", "GET /Users", "", ""}, {200, "", filter(`userName eq "x"`), "", ""}}},
		{"post_search", map[string]any{"post_search": false}, []try1{{501, "", "POST /Users/.search", `{"schemas":["` + urnSearch + `"]}`, ""}}},
		{"parameters", map[string]any{"attributes_param": "none", "excluded_attributes_param": "none", "sort_param": "none"}, []try1{
			{400, "", "GET /Users?attributes=id", "", ""}, {400, "", "GET /Users/~?excludedAttributes=name", "", ""}, {400, "", "GET /Users?sortBy=userName", "", ""}, {200, "", "GET /Users", "", ""}}},
		{"paging by cursor", map[string]any{"paging": "cursor"}, []try1{
			{400, "", "GET /Users?startIndex=1", "", ""}, {200, "", "GET /Users?cursor=", "", ""}, {200, "", "GET /Users", "", ""}}},
		{"paging by index", map[string]any{"paging": "index"}, []try1{{400, "", "GET /Users?cursor=", "", ""}, {200, "", "GET /Users?startIndex=1", "", ""}}},

		{"updates by PATCH", map[string]any{"user_update": "patch", "group_update": "patch"}, []try1{
			{501, "", "PUT /Users/~", user(""), ""}, {501, "", "PUT /Groups/#", `{}`, ""}, {200, "", "PATCH /Users/~", ops(`{"op":"add","path":"title","value":"x"}`), ""}}},
		{"updates by PUT", map[string]any{"user_update": "put_merge"}, []try1{
			{501, "", "PATCH /Users/~", ops(`{"op":"add","path":"title","value":"x"}`), ""}, {200, "", "PUT /Users/~", user(""), ""}}},
		{"no updates", map[string]any{"group_update": "none"}, []try1{{501, "", "PATCH /Groups/#", ops(`{"op":"add","path":"displayName","value":"x"}`), ""}, {501, "", "PUT /Groups/#", `{}`, ""}}},
		{"op_case", map[string]any{"op_case": "capital"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"Add","path":"title","value":"x"}`), ""}, {400, "invalidSyntax", "PATCH /Users/~", ops(`{"op":"add","path":"title","value":"x"}`), ""}}},
		{"patch per path", map[string]any{"patch_style": "per_path"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"add","value":{"title":"x"}}`), ""}, {400, "invalidSyntax", "PATCH /Users/~", ops(`{"op":"add","value":{"title":"x","locale":"de"}}`), ""}}},
		{"patch without path", map[string]any{"patch_style": "pathless_object"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"add","value":{"title":"x","locale":"de"}}`), ""}, {400, "invalidPath", "PATCH /Users/~", ops(`{"op":"add","path":"title","value":"x"}`), ""},
			{200, "", "PATCH /Users/~", ops(`{"op":"remove","path":"title"}`), ""}}},
		{"patch with dotted names", map[string]any{"patch_style": "dotted"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"replace","value":{"name.givenName":"x","emails[type eq \"work\"].value":"e","` + ent + `:department":"d"}}`), ""},
			{400, "invalidPath", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":"x"}`), ""}}},
		{"path_filters by type", map[string]any{"path_filters": "type_only"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}`), ""}, {400, "invalidPath", "PATCH /Users/~", ops(`{"op":"add","path":"emails[value eq \"x\"].type","value":"work"}`), ""},
			{400, "noTarget", "PATCH /Groups/#", ops(`{"op":"remove","path":"members[value eq \"x\"]"}`), ""}}},
		{"path_filters none", map[string]any{"path_filters": "none"}, []try1{{400, "invalidPath", "PATCH /Users/~", ops(`{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}`), ""}}},
		{"patch_max_ops", map[string]any{"patch_max_ops": 1}, []try1{{400, "tooMany", "PATCH /Users/~", ops(`{"op":"remove","path":"title"},{"op":"remove","path":"locale"}`), ""}}},
		{"ext_sep", map[string]any{"ext_sep": "dot"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"add","path":"` + ent + `.manager.value","value":"x"}`), ""}, {400, "invalidPath", "PATCH /Users/~", ops(`{"op":"add","path":"` + ent + `:department","value":"x"}`), ""},
			{200, "", "PATCH /Users/~", ops(`{"op":"add","value":{"` + ent + `":{"department":"x"}}}`), ""}}},
		{"clear by null", map[string]any{"clear_style": "null"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":null}`), ""}, {400, "invalidSyntax", "PATCH /Users/~", ops(`{"op":"remove","path":"title"}`), ""},
			{400, "invalidValue", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":""}`), ""}}},
		{"clear by an empty text", map[string]any{"clear_style": "empty_string"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":""}`), ""}, {400, "invalidValue", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":null}`), ""}}},
		{"clear by remove", map[string]any{"clear_style": "remove"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"remove","path":"title"}`), ""}, {400, "invalidValue", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":null}`), ""}}},
		{"never cleared", map[string]any{"clear_style": "unsupported"}, []try1{{400, "invalidValue", "PATCH /Users/~", ops(`{"op":"remove","path":"title"}`), ""}}},
		{"manager as a text", map[string]any{"manager_style": "string"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"add","path":"` + ent + `:manager","value":"m"}`), ""}, {400, "invalidValue", "PATCH /Users/~", ops(`{"op":"add","path":"` + ent + `:manager","value":{"value":"m"}}`), ""},
			{201, "", "POST /Users", user(`,"` + ent + `":{"manager":"m"}`), ""}}},
		{"manager by its value", map[string]any{"manager_style": "sub_path"}, []try1{
			{200, "", "PATCH /Users/~", ops(`{"op":"add","path":"` + ent + `:manager.value","value":"m"}`), ""}, {400, "invalidValue", "PATCH /Users/~", ops(`{"op":"add","path":"` + ent + `:manager","value":{"value":"m"}}`), ""}}},

		{"bool_style", map[string]any{"bool_style": "string_true"}, []try1{
			{201, "", "POST /Users", user(`,"active":"true"`), ""}, {400, "invalidValue", "POST /Users", user(`,"active":true`), ""}, {400, "invalidValue", "POST /Users", user(`,"active":"True"`), ""}}},
		{"single_valued", map[string]any{"single_valued": []any{"emails"}}, []try1{
			{201, "", "POST /Users", user(`,"emails":[{"value":"a"}]`), ""}, {400, "invalidValue", "POST /Users", user(`,"emails":[{"value":"a"},{"value":"b"}]`), ""}}},
		{"required_on_create", map[string]any{"required_on_create": []any{"name.givenName", "emails.value", "mailNickname"}}, []try1{
			{201, "", "POST /Users", user(`,"name":{"givenName":"a"},"emails":[{"value":"e"}],"mailNickname":"m"`), ""}, {400, "invalidValue", "POST /Users", user(`,"name":{"givenName":"a"},"mailNickname":"m"`), ""}}},
		{"immutable", map[string]any{"immutable": []any{"title"}}, []try1{
			{400, "mutability", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":"x"}`), ""}, {200, "", "PATCH /Users/~", ops(`{"op":"replace","path":"title","value":"Dr"}`), ""}}},

		{"no groups", map[string]any{"group_ops": []any{}}, []try1{{404, "", "GET /Groups", "", ""}, {404, "", "GET /Groups/#", "", ""}}},
		{"group_ops", map[string]any{"group_ops": []any{"read"}}, []try1{{200, "", "GET /Groups/#", "", ""}, {501, "", "POST /Groups", `{}`, ""}, {501, "", "PATCH /Groups/#", `{}`, ""}, {501, "", "DELETE /Groups/#", "", ""}}},
		{"group_create_members", map[string]any{"group_create_members": "empty_first"}, []try1{
			{400, "invalidValue", "POST /Groups", `{` + groupSchema + `,"displayName":"H","members":[{"value":"~"}]}`, ""}, {201, "", "POST /Groups", `{` + groupSchema + `,"displayName":"H"}`, ""}}},
		{"member limits", map[string]any{"member_add_max": 2, "member_remove_max": 1}, []try1{
			{204, "", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(2) + `]}`), ""}, {400, "tooMany", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(3) + `]}`), ""},
			{400, "tooMany", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(2) + `]},{"op":"add","value":{"members":[` + many(1) + `]}}`), ""},
			{400, "tooMany", "PATCH /Groups/#", ops(`{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]"}`), ""}, {204, "", "PATCH /Groups/#", ops(`{"op":"remove","path":"members[value eq \"~\"]"}`), ""},
			{400, "tooMany", "POST /Groups", `{` + groupSchema + `,"displayName":"H","members":[` + many(3) + `]}`, ""}, {400, "tooMany", "PUT /Groups/#", `{` + groupSchema + `,"displayName":"H","members":[` + many(3) + `]}`, ""}}},
		{"member_mix", map[string]any{"member_mix": false}, []try1{
			{400, "invalidSyntax", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(1) + `]},{"op":"replace","path":"displayName","value":"H"}`), ""},
			{400, "invalidSyntax", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(1) + `]},{"op":"remove","path":"members[value eq \"~\"]"}`), ""},
			{400, "invalidSyntax", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(1) + `]},{"op":"add","path":"members","value":[` + many(1) + `]}`), ""}}},
		{"member_replace", map[string]any{"member_replace": false}, []try1{
			{400, "", "PATCH /Groups/#", ops(`{"op":"replace","path":"members","value":[]}`), ""}, {400, "", "PATCH /Groups/#", ops(`{"op":"remove","path":"members"}`), ""}}},
		{"members removed by value", map[string]any{"member_remove_style": "value_array"}, []try1{
			{204, "", "PATCH /Groups/#", ops(`{"op":"remove","path":"members","value":[{"value":"~"}]}`), ""}, {400, "invalidPath", "PATCH /Groups/#", ops(`{"op":"remove","path":"members[value eq \"~\"]"}`), ""}}},
		{"members removed by path", map[string]any{"member_remove_style": "filter_path"}, []try1{{400, "invalidPath", "PATCH /Groups/#", ops(`{"op":"remove","path":"members","value":[{"value":"~"}]}`), ""}}},
		{"members in an object", map[string]any{"members_wrap": "object"}, []try1{
			{204, "", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":{"members":[` + many(1) + `]}}`), ""}, {400, "invalidValue", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(1) + `]}`), ""},
			{400, "invalidPath", "PATCH /Groups/#", ops(`{"op":"add","value":{"members":[` + many(1) + `]}}`), ""}}},
		{"members removed in an object", map[string]any{"members_wrap": "object", "member_remove_style": "value_array"}, []try1{
			{204, "", "PATCH /Groups/#", ops(`{"op":"remove","path":"members","value":{"members":[` + many(1) + `]}}`), ""}, {400, "invalidValue", "PATCH /Groups/#", ops(`{"op":"remove","path":"members","value":[` + many(1) + `]}`), ""}}},
		{"members without path", map[string]any{"members_wrap": "pathless_object"}, []try1{
			{204, "", "PATCH /Groups/#", ops(`{"op":"add","value":{"members":[` + many(1) + `]}}`), ""}, {400, "invalidPath", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(1) + `]}`), ""}}},
		{"member_display_required", map[string]any{"member_display_required": true}, []try1{
			{422, "", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[` + many(1) + `]}`), ""}, {204, "", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[{"value":"~","display":"J"}]}`), ""},
			{422, "", "POST /Groups", `{` + groupSchema + `,"displayName":"H","members":[` + many(1) + `]}`, ""}}},
		{"bad members are ignored", map[string]any{"bad_member": "ignored"}, []try1{{204, "", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[{"value":"nobody"}]}`), ""}}},
		{"bad members are the service's fault", map[string]any{"bad_member": "error_500"}, []try1{{500, "", "PATCH /Groups/#", ops(`{"op":"add","path":"members","value":[{"value":"nobody"}]}`), ""}}},

		{"disabled by DELETE", map[string]any{"disable": "delete"}, []try1{
			{400, "mutability", "PATCH /Users/~", ops(`{"op":"replace","path":"active","value":false}`), ""}, {204, "", "DELETE /Users/~", "", ""}, {200, "", "GET /Users/~", "", ""}}},
		{"disabled by PUT", map[string]any{"disable": "put"}, []try1{
			{400, "mutability", "PATCH /Users/~", ops(`{"op":"replace","path":"active","value":false}`), ""}, {200, "", "PUT /Users/~", user(`,"active":false`), ""}}},
		{"delete hides", map[string]any{"delete": "soft", "disabled_visible": "hidden"}, []try1{
			{204, "", "DELETE /Users/~", "", ""}, {404, "", "GET /Users/~", "", ""}, {404, "", "PATCH /Users/~", ops(`{"op":"replace","path":"active","value":true}`), ""}, {404, "", "DELETE /Users/~", "", ""}}},
		{"delete for ever", map[string]any{"delete": "irreversible", "group_delete": "irreversible"}, []try1{
			{204, "", "DELETE /Users/~", "", ""}, {409, "uniqueness", "POST /Users", `{` + userSchema + `,"userName":"JANE"}`, ""},
			{204, "", "DELETE /Groups/#", "", ""}, {409, "uniqueness", "POST /Groups", `{` + groupSchema + `,"displayName":"G"}`, ""}}},
		{"no delete", map[string]any{"delete": "forbidden"}, []try1{{405, "", "DELETE /Users/~", "", ""}, {204, "", "DELETE /Groups/#", "", ""}}},
		{"reactivated by a create", map[string]any{"delete": "soft", "disabled_visible": "hidden", "reactivate": "create"}, []try1{
			{204, "", "DELETE /Users/~", "", ""}, {201, "", "POST /Users", `{` + userSchema + `,"userName":"jane"}`, ""}, {200, "", "GET /Users/~", "", ""}}},

		{"no bulk", map[string]any{"bulk": "none"}, []try1{{501, "", "POST /Bulk", `{}`, ""}}},
		{"bulk limits", map[string]any{"bulk": "supported", "bulk_max_ops": 1, "bulk_max_bytes": 200}, []try1{
			{200, "", "POST /Bulk", `{"schemas":["` + urnBulkIn + `"],"Operations":[{"method":"DELETE","path":"/Users/x"}]}`, ""},
			{413, "", "POST /Bulk", `{"schemas":["` + urnBulkIn + `"],"Operations":[{"method":"DELETE","path":"/Users/x"},{"method":"DELETE","path":"/Users/y"}]}`, ""},
			{413, "", "POST /Bulk", `{"schemas":["` + urnBulkIn + `"],"Operations":[{"method":"DELETE","path":"/Users/` + strings.Repeat("x", 200) + `"}]}`, ""}}},
		{"versions are required", map[string]any{"etag": "require"}, []try1{{428, "", "DELETE /Users/~", "", ""}, {204, "", "DELETE /Users/~", "", `If-Match: W/"1"`}}},
		{"no versions", map[string]any{"etag": "none"}, []try1{{204, "", "DELETE /Users/~", "", `If-Match: W/"9"`}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := dialect(t, tc.keys, Options{PlainHTTP: true})
			id := seed(t, s, "User", `{"userName":"jane","title":"Dr","active":true}`)[0]
			g := seed(t, s, "Group", `{"displayName":"G","members":[{"value":"`+id+`"}]}`)[0]
			fill := strings.NewReplacer("~", id, "#", g)
			for _, x := range tc.tries {
				method, path, _ := strings.Cut(fill.Replace(x.request), " ")
				var header []string
				if name, value, ok := strings.Cut(x.header, ": "); ok {
					header = []string{name, value}
				}
				c.want(x.status, x.scimType, method, path, fill.Replace(x.body), header...)
			}
		})
	}
}

func TestWhatADialectMakesOfValues(t *testing.T) {
	s, c := dialect(t, map[string]any{"normalised": []any{"userName", "emails.value", "name.givenName"}, "ignored": []any{"title", "name.familyName", "emails"}, "external_id": "unsupported"}, Options{})
	id := c.want(201, "", "POST", "/Users", `{`+userSchema+`,"userName":" JANE ","externalId":"E","title":"Dr","name":{"givenName":"JANE","familyName":"Doe"},"emails":[{"value":"J@X.org"}]}`).body["id"].(string)
	u, _ := s.User("jane")
	require.JSONEq(t, `{"userName":"jane","title":"Dr","active":true,"name":{"givenName":"jane","familyName":"Doe"},"emails":[{"value":"j@x.org"}]}`, u.JSON())
	c.patch(200, "", "/Users/"+id, `{"op":"replace","value":{"title":"Prof","nickName":"J","name":{"givenName":"Joan","familyName":"Dow"},"emails":[{"value":"other@x.org"}]}}`)
	u, _ = s.User("jane")
	require.JSONEq(t, `{"userName":"jane","title":"Dr","nickName":"J","active":true,"name":{"givenName":"joan","familyName":"Doe"},"emails":[{"value":"j@x.org"}]}`, u.JSON())

	s, c = dialect(t, map[string]any{"id_source": "external_id", "bool_style": "string_True"}, Options{})
	r := c.want(201, "", "POST", "/Users", `{`+userSchema+`,"userName":"jane","externalId":"E/1","active":"True"}`)
	require.Equal(t, "E/1", r.body["id"])
	require.Equal(t, "True", r.body["active"])
	require.Equal(t, s.URL()+"/Users/E%2F1", r.header.Get("Location"))
	c.want(200, "", "GET", "/Users/E%2F1", "")
}

func TestPagesOfADialect(t *testing.T) {
	many := func(s *Server) {
		for i := range 7 {
			seed(t, s, "User", `{"userName":"u`+itoa(i)+`"}`)
		}
	}
	s, c := dialect(t, map[string]any{"page_default": 2, "page_max": 3}, Options{})
	many(s)
	require.Equal(t, "u0 u1", c.want(200, "", "GET", "/Users", "").names())
	require.Equal(t, "u0 u1 u2", c.want(200, "", "GET", "/Users?count=100", "").names())
	s, c = dialect(t, map[string]any{"paging": "none", "page_max": 3, "total_results": "absent"}, Options{})
	many(s)
	r := c.want(200, "", "GET", "/Users?count=2&startIndex=4", "")
	require.Len(t, r.body["Resources"], 7)
	require.NotContains(t, r.body, "totalResults")
	s, c = dialect(t, map[string]any{"paging": "cursor", "page_max": 3, "cursor_first": "present"}, Options{})
	many(s)
	require.NotContains(t, c.want(200, "", "GET", "/Users", "").body, "nextCursor", "without cursor the first page comes, and no way to the next")
	require.Contains(t, c.want(200, "", "GET", "/Users?cursor", "").body, "nextCursor")
	s, c = dialect(t, map[string]any{"paging": "cursor", "page_max": 3, "cursor_first": "omitted"}, Options{})
	many(s)
	require.Contains(t, c.want(200, "", "GET", "/Users", "").body, "nextCursor")
}

// QUIRKS SCIM-23
func TestRatesOfADialect(t *testing.T) {
	now := time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	_, c := dialect(t, map[string]any{"rate": []any{map[string]any{"class": "user_write", "n": 60, "per": "1m", "burst": 2}},
		"quota_window": []any{map[string]any{"class": "group_create", "n": 1, "per": "1h"}}}, Options{Now: clock})
	c.user("a")
	c.user("b")
	require.Equal(t, "1", c.want(429, "", "POST", "/Users", newUser("c")).header.Get("Retry-After"))
	c.want(200, "", "GET", "/Users", "")
	now = now.Add(time.Second)
	c.user("c")
	group := func(name string) string { return `{` + groupSchema + `,"displayName":"` + name + `"}` }
	id := c.want(201, "", "POST", "/Groups", group("G")).body["id"].(string)
	require.Equal(t, "3600", c.want(429, "", "POST", "/Groups", group("H")).header.Get("Retry-After"))
	c.want(204, "", "DELETE", "/Groups/"+id, "")
	now = now.Add(time.Hour)
	c.want(201, "", "POST", "/Groups", group("H"))

	_, c = dialect(t, map[string]any{"rate": []any{map[string]any{"class": "all", "n": 1, "per": "1m"}}, "retry_after": false}, Options{Now: clock})
	c.want(200, "", "GET", "/Users", "")
	require.Empty(t, c.want(429, "", "GET", "/Users", "").header.Get("Retry-After"))
}

func TestMembersThatADialectHides(t *testing.T) {
	for style, want := range map[string]string{"full": "a member", "filter_only": "an empty list", "none": "nothing"} {
		s, c := dialect(t, map[string]any{"members_read": style}, Options{})
		id := seed(t, s, "User", `{"userName":"a"}`)[0]
		g := seed(t, s, "Group", `{"displayName":"G","members":[{"value":"`+id+`"}]}`)[0]
		list, shown := c.want(200, "", "GET", "/Groups/"+g, "").body["members"].([]any)
		got := map[bool]string{true: "an empty list", false: "nothing"}[shown]
		if len(list) > 0 {
			got = "a member"
		}
		require.Equal(t, want, got, style)
		require.Equal(t, "G", c.want(200, "", "GET", "/Groups?filter="+url.QueryEscape(`members.value eq "`+id+`"`), "").names(), style)
	}
}
