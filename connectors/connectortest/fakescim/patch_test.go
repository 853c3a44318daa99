package fakescim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const jane = `{` + bothSchemas + `,"userName":"jane","title":"Ms","name":{"givenName":"Jane","familyName":"Doe"},
	"emails":[{"value":"w@x.org","type":"work","primary":true},{"value":"h@x.org","type":"home"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","manager":{"value":"m1"}}}`

// RFC 7644 §3.5.2: each case starts with jane; want is what its attribute holds
// then, as JSON, or a scimType.
func TestPatch(t *testing.T) {
	const ent = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	const nothing = "null"
	for _, tc := range []struct{ name, ops, attr, want string }{
		{"add sets a simple attribute", `{"op":"add","path":"nickName","value":"J"}`, "nickName", `"J"`},
		{"names and op are read in any case", `{"OP":"Replace","PATH":"TITLE","VALUE":"Dr"}`, "title", `"Dr"`},
		{"replace sets what was unassigned", `{"op":"replace","path":"nickName","value":"J"}`, "nickName", `"J"`},
		{"the path may have the core schema in front", `{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"Dr"}`, "title", `"Dr"`},
		{"remove unassigns", `{"op":"remove","path":"title"}`, "title", nothing},
		{"remove of what is unassigned is no error", `{"op":"remove","path":"nickName"}`, "nickName", nothing},
		{"null unassigns", `{"op":"replace","path":"title","value":null}`, "title", nothing},
		{"an empty text is a value", `{"op":"replace","path":"title","value":""}`, "title", `""`},
		{"a sub-attribute", `{"op":"replace","path":"name.givenName","value":"Joan"}`, "name", `{"familyName":"Doe","givenName":"Joan"}`},
		{"remove a sub-attribute", `{"op":"remove","path":"name.givenName"}`, "name", `{"familyName":"Doe"}`},
		{"a complex attribute keeps what is not named", `{"op":"replace","path":"name","value":{"givenName":"Joan"}}`, "name", `{"familyName":"Doe","givenName":"Joan"}`},
		{"a sub-attribute that is null", `{"op":"replace","path":"name","value":{"givenName":null}}`, "name", `{"familyName":"Doe"}`},
		{"path-less", `{"op":"replace","value":{"title":"Dr","name":{"givenName":"Joan"}}}`, "name", `{"familyName":"Doe","givenName":"Joan"}`},
		{"path-less with a whole extension", `{"op":"add","value":{"` + ent + `":{"costCenter":"7"}}}`, ent, `{"costCenter":"7","department":"Sales","manager":{"value":"m1"}}`},
		{"an extension's attribute", `{"op":"replace","path":"` + ent + `:department","value":"IT"}`, ent, `{"department":"IT","manager":{"value":"m1"}}`},
		{"an extension's sub-attribute", `{"op":"replace","path":"` + ent + `:manager.value","value":"m2"}`, ent, `{"department":"Sales","manager":{"value":"m2"}}`},
		{"remove an extension", `{"op":"remove","path":"` + ent + `"}`, ent, nothing},
		{"a filter chooses the value", `{"op":"replace","path":"emails[type eq \"home\"].value","value":"n@x.org"}`, "emails", `[{"primary":true,"type":"work","value":"w@x.org"},{"type":"home","value":"n@x.org"}]`},
		{"a whole value is replaced", `{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@x.org","type":"other"}}`, "emails", `[{"primary":true,"type":"work","value":"w@x.org"},{"type":"other","value":"n@x.org"}]`},
		{"add to a chosen value", `{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"H"}}`, "emails", `[{"primary":true,"type":"work","value":"w@x.org"},{"display":"H","type":"home","value":"h@x.org"}]`},
		{"add makes the value that a filter describes", `{"op":"add","path":"phoneNumbers[type eq \"work\"].value","value":"+49"}`, "phoneNumbers", `[{"type":"work","value":"+49"}]`},
		{"a chosen value is removed", `{"op":"remove","path":"emails[type eq \"home\" or value sw \"zz\"]"}`, "emails", `[{"primary":true,"type":"work","value":"w@x.org"}]`},
		{"a sub-attribute of a chosen value is removed", `{"op":"remove","path":"emails[type eq \"work\"].primary"}`, "emails", `[{"type":"work","value":"w@x.org"},{"type":"home","value":"h@x.org"}]`},
		{"the last value takes the attribute with it", `{"op":"remove","path":"emails[value pr]"}`, "emails", nothing},
		{"add appends", `{"op":"add","path":"roles","value":[{"value":"a"}]},{"op":"add","path":"roles","value":{"value":"b"}}`, "roles", `[{"value":"a"},{"value":"b"}]`},
		{"add of what is there changes nothing", `{"op":"add","path":"emails","value":[{"type":"home","value":"h@x.org"}]}`, "emails", `[{"primary":true,"type":"work","value":"w@x.org"},{"type":"home","value":"h@x.org"}]`},
		{"replace of a list", `{"op":"replace","path":"emails","value":[{"value":"o@x.org"}]}`, "emails", `[{"value":"o@x.org"}]`},
		{"a new primary value unsets the old", `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`, "emails", `[{"primary":false,"type":"work","value":"w@x.org"},{"primary":true,"type":"home","value":"h@x.org"}]`},
		{"a primary value that is added unsets the old", `{"op":"add","path":"emails","value":[{"value":"o@x.org","primary":true}]}`, "emails", `[{"primary":false,"type":"work","value":"w@x.org"},{"type":"home","value":"h@x.org"},{"primary":true,"value":"o@x.org"}]`},

		{"two primary values", `{"op":"replace","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, "", "invalidValue"},
		{"replace that chooses nothing", `{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}`, "", "noTarget"},
		{"remove that chooses nothing", `{"op":"remove","path":"emails[type eq \"other\"]"}`, "", "noTarget"},
		{"add for a filter that describes no value", `{"op":"add","path":"ims[type ne \"x\"].value","value":"x"}`, "", "noTarget"},
		{"remove without a path", `{"op":"remove"}`, "", "noTarget"},
		{"an unknown attribute", `{"op":"add","path":"shoeSize","value":"9"}`, "", "invalidPath"},
		{"an unknown attribute without a path", `{"op":"add","value":{"shoeSize":"9"}}`, "", "invalidPath"},
		{"a path as a name", `{"op":"add","value":{"name.givenName":"9"}}`, "", "invalidPath"},
		{"an unknown sub-attribute", `{"op":"add","path":"name.nick","value":"9"}`, "", "invalidPath"},
		{"an unknown sub-attribute of a chosen value", `{"op":"add","path":"emails[type eq \"work\"].nick","value":"9"}`, "", "invalidPath"},
		{"a path that is none", `{"op":"add","path":"emails[type eq","value":"9"}`, "", "invalidPath"},
		{"a filter on a single value", `{"op":"add","path":"name[givenName pr]","value":"9"}`, "", "invalidPath"},
		{"a filter that cannot be", `{"op":"remove","path":"emails[primary co \"x\"]"}`, "", "invalidFilter"},
		{"an unknown operation", `{"op":"move","path":"title","value":"9"}`, "", "invalidSyntax"},
		{"no value", `{"op":"add","path":"title"}`, "", "invalidValue"},
		{"a value of a wrong type", `{"op":"replace","path":"active","value":"False"}`, "", "invalidValue"},
		{"a text for a list", `{"op":"replace","path":"title","value":["a"]}`, "", "invalidSyntax"},
		{"what is read-only", `{"op":"replace","path":"id","value":"x"}`, "", "mutability"},
		{"groups", `{"op":"add","path":"groups","value":[{"value":"g"}]}`, "", "mutability"},
		{"a read-only sub-attribute", `{"op":"replace","path":"` + ent + `:manager.displayName","value":"x"}`, "", "mutability"},
		{"a required attribute", `{"op":"remove","path":"userName"}`, "", "invalidValue"},
		{"all or nothing", `{"op":"replace","path":"title","value":"Dr"},{"op":"replace","path":"id","value":"x"}`, "", "mutability"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := serve(t, Options{PlainHTTP: true})
			id := c.want(201, "", "POST", "/Users", jane).body["id"].(string)
			before, _ := s.User("jane")
			if tc.attr == "" {
				c.patch(400, tc.want, "/Users/"+id, tc.ops)
				after, _ := s.User("jane")
				require.Equal(t, before, after, "a PATCH that fails must change nothing")
				return
			}
			got := c.patch(200, "", "/Users/"+id, tc.ops)
			raw, err := json.Marshal(got.body[tc.attr])
			require.NoError(t, err)
			require.Equal(t, tc.want, string(raw))
		})
	}
}

func TestAPatchThatChangesNothingKeepsTheVersion(t *testing.T) {
	_, c := serve(t, Options{})
	id := c.user("jane")
	for range 2 {
		r := c.patch(200, "", "/Users/"+id, `{"op":"replace","path":"title","value":"Dr"}`)
		require.Equal(t, `W/"2"`, r.header.Get("ETag"))
	}
}

func TestMembersOfAGroup(t *testing.T) {
	s, c := serve(t, Options{})
	a, b, d := c.user("a"), c.user("b"), c.user("d")
	g := c.want(201, "", "POST", "/Groups", `{`+groupSchema+`,"displayName":"G","members":[{"value":"`+a+`"}]}`).body["id"].(string)
	at := "/Groups/" + g
	members := func() string {
		got, _ := s.Group("G")
		return strings.NewReplacer(a, "a", b, "b", d, "d").Replace(strings.Join(got.Members, " "))
	}
	change := func(want, ops string) {
		t.Helper()
		c.patch(204, "", at, strings.NewReplacer("$a", a, "$b", b, "$d", d).Replace(ops))
		require.Equal(t, want, members())
	}
	change("a b d", `{"op":"add","path":"members","value":[{"value":"$b"},{"value":"$d"}]}`)
	change("a b d", `{"op":"add","path":"members","value":[{"value":"$b"}]}`)
	change("a d", `{"op":"remove","path":"members[value eq \"$b\"]"}`)
	change("a d b", `{"op":"add","value":{"members":[{"value":"$b"}]}}`)
	change("a d b", `{"op":"remove","path":"members[value eq \"$a\"]"},{"op":"add","path":"members","value":{"value":"$a"}}`)
	change("a", `{"op":"replace","path":"members","value":[{"value":"$a"}]}`)
	change("a b", `{"op":"add","path":"members","value":[{"value":"$b"}]}`)
	change("", `{"op":"remove","path":"members[type eq \"User\"]"}`)
	change("a b", `{"op":"replace","value":{"displayName":"G","members":[{"value":"$a"},{"value":"$b"}]}}`)
	// The RFC knows no value here: everybody goes.
	change("", `{"op":"remove","path":"members","value":[{"value":"$a"}]}`)
	change("a b", `{"op":"add","path":"members","value":[{"value":"$a"},{"value":"$b"}]}`)

	c.patch(400, "noTarget", at, `{"op":"remove","path":"members[value eq \"x\"]"}`)
	c.patch(400, "invalidValue", at, `{"op":"add","path":"members","value":[{"value":"`+d+`"},{"value":"nobody"}]}`)
	c.patch(400, "mutability", at, `{"op":"replace","path":"members[value eq \"`+a+`\"].value","value":"x"}`)
	require.Equal(t, "a b", members(), "one bad member fails all")

	u := c.want(200, "", "GET", "/Users/"+a, "")
	require.Equal(t, g, u.body["groups"].([]any)[0].(map[string]any)["value"])
	got := c.want(200, "", "GET", at, "")
	require.Equal(t, map[string]any{"value": a, "type": "User", "$ref": s.URL() + "/Users/" + a}, got.body["members"].([]any)[0])
	require.NotContains(t, c.want(200, "", "GET", at+"?excludedAttributes=members", "").body, "members")
	c.want(204, "", "DELETE", "/Users/"+a, "")
	require.Equal(t, "b", members(), "who is deleted leaves his groups")
	c.want(200, "", "PUT", at, `{`+groupSchema+`,"displayName":"G"}`)
	require.Equal(t, "", members(), "PUT replaces the members")
}

func TestAGroupOfAHundredThousandIsUsable(t *testing.T) {
	s, c := serve(t, Options{PlainHTTP: true})
	ids := make([]string, 100_000)
	for i := range ids {
		id, err := s.Seed("User", fmt.Sprintf(`{"userName":"u%d","externalId":"E%d"}`, i, i))
		require.NoError(t, err)
		ids[i] = id
	}
	g, err := s.Seed("Group", `{"displayName":"All"}`)
	require.NoError(t, err)
	require.NoError(t, s.SeedMembers(g, ids...))
	for i := range 50 {
		id := ids[i*7]
		c.patch(204, "", "/Groups/"+g, `{"op":"remove","path":"members[value eq \"`+id+`\"]"}`)
		c.patch(204, "", "/Groups/"+g, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)
		r := c.want(200, "", "GET", `/Users?filter=externalId+eq+%22E`+fmt.Sprint(i)+`%22`, "")
		require.EqualValues(t, 1, r.body["totalResults"])
		r = c.want(200, "", "GET", `/Groups?excludedAttributes=members&filter=id+eq+%22`+g+`%22+and+members.value+eq+%22`+id+`%22`, "")
		require.EqualValues(t, 1, r.body["totalResults"])
	}
	got := c.want(200, "", "GET", "/Groups/"+g, "")
	require.Len(t, got.body["members"], len(ids))
	for _, start := range []int{1, 50_001, 99_901} {
		r := c.want(200, "", "GET", fmt.Sprintf("/Users?count=100&startIndex=%d", start)+"&filter=active+ne+false", "")
		require.Len(t, r.body["Resources"], 100)
		require.EqualValues(t, len(ids), r.body["totalResults"])
	}
}
