package scim

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

// jane is what the target has in these tests.
const jane = `{"id":"7","schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"jane","title":"Boss","active":true,"custom":{"x":1},"meta":{"version":"W/\"1\"","resourceType":"User"},
	"name":{"givenName":"Jane","familyName":"Doe"},
	"emails":[{"type":"work","value":"w@x","primary":true,"display":"w@x"},{"type":"home","value":"h@x"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","manager":{"value":"m1","displayName":"Max"}}}`

func set(path string, values ...any) Change { return Change{Path: MustPath(path), Replace: values} }
func wipe(path string) Change               { return Change{Path: MustPath(path)} }

// operations returns the PATCH operations of the requests for changes of jane.
func operations(t *testing.T, overrides map[string]any, changes ...Change) ([]string, error) {
	t.Helper()
	c := clientFor(t, Options{BaseURL: "https://scim.example", Profile: profile(t, overrides)})
	rs, err := c.UpdateRequests(t.Context(), Update{Type: Users, ID: "7", Changes: changes, Current: object0(t, jane)})
	var out []string
	for _, r := range rs {
		if r.Method != http.MethodPatch || r.Path != "/Users/7" {
			t.Errorf("got %s", r)
		}
		raw, err := json.Marshal(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		var body struct {
			Schemas    []string
			Operations []json.RawMessage
		}
		if err := json.Unmarshal(raw, &body); err != nil || !slices.Equal(body.Schemas, []string{patchSchema}) {
			t.Fatalf("%s: %v", raw, err)
		}
		var ops []string
		for _, op := range body.Operations {
			ops = append(ops, string(op))
		}
		out = append(out, strings.Join(ops, "\n"))
	}
	return out, err
}

const dept = EnterpriseUser + ":department"

// QUIRKS SCIM-12, SCIM-11: the shapes of a PATCH. Everything of one line of
// changes goes into one request here.
func TestAPatchHasTheShapeOfTheProfile(t *testing.T) {
	several := []Change{set("title", "CEO"), set("name.givenName", "Janet"), set(dept, "Sales"), set(`emails[type eq "work"].value`, "n@x"), set("active", false)}
	for _, tt := range []struct {
		name      string
		overrides map[string]any
		changes   []Change
		want      []string
	}{
		{"one operation a path", nil, several, []string{
			`{"op":"replace","path":"title","value":"CEO"}`,
			`{"op":"replace","path":"name.givenName","value":"Janet"}`,
			`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"}`,
			`{"op":"replace","path":"emails[type eq \"work\"].value","value":"n@x"}`,
			`{"op":"replace","path":"active","value":false}`}},
		{"no path, one object", map[string]any{"patch_style": "pathless_object", "bool_style": "string_True", "op_case": "capital"}, several, []string{
			`{"op":"Replace","value":{"active":"False","name":{"givenName":"Janet"},"title":"CEO","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}}}`,
			`{"op":"Replace","path":"emails","value":[{"display":"w@x","primary":true,"type":"work","value":"n@x"},{"type":"home","value":"h@x"}]}`}},
		{"no path, one attribute each", map[string]any{"patch_style": "pathless_single"}, append(several[:2:2], set("name.familyName", "Roe")), []string{
			`{"op":"replace","value":{"title":"CEO"}}`,
			`{"op":"replace","value":{"name":{"familyName":"Roe","givenName":"Janet"}}}`}},
		{"paths as names", map[string]any{"patch_style": "dotted", "bool_style": "string_true"}, several, []string{
			`{"op":"replace","value":{"active":"false","emails[type eq \"work\"].value":"n@x","name.givenName":"Janet","title":"CEO","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Sales"}}`}},
		{"paths as names, a new row", map[string]any{"patch_style": "dotted"}, []Change{set(`phoneNumbers[type eq "work"].value`, "1"), set("title", "CEO")}, []string{
			`{"op":"add","value":{"phoneNumbers[type eq \"work\"].value":"1"}}`, `{"op":"replace","value":{"title":"CEO"}}`}},
		{"a dot before an attribute of an extension", map[string]any{"ext_sep": "dot"}, []Change{set(dept, "Sales")}, []string{
			`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department","value":"Sales"}`}},
		{"a row that is not there yet", nil, []Change{set(`phoneNumbers[type eq "work"].value`, "1"), set(`phoneNumbers[type eq "home"].value`, "2")}, []string{
			`{"op":"add","path":"phoneNumbers","value":[{"type":"work","value":"1"},{"type":"home","value":"2"}]}`}},
		{"no filters in paths", map[string]any{"path_filters": "none"}, []Change{set(`emails[type eq "home"].value`, "n@x")}, []string{
			`{"op":"replace","path":"emails","value":[{"display":"w@x","primary":true,"type":"work","value":"w@x"},{"type":"home","value":"n@x"}]}`}},
		{"only filters by type", map[string]any{"path_filters": "type_only"}, []Change{set(`emails[type eq "home"].value`, "n@x"), set(`emails[value eq "w@x"].display`, "W")}, []string{
			`{"op":"replace","path":"emails","value":[{"display":"W","primary":true,"type":"work","value":"w@x"},{"type":"home","value":"n@x"}]}`}},
		{"only filters by type, which it is", map[string]any{"path_filters": "type_only"}, []Change{set(`emails[type eq "home"].value`, "n@x")}, []string{
			`{"op":"replace","path":"emails[type eq \"home\"].value","value":"n@x"}`}},
		{"one value where others have many", map[string]any{"single_valued": []string{"emails"}}, []Change{set(`emails[type eq "work"].value`, "n@x")}, []string{
			`{"op":"replace","path":"emails","value":[{"display":"w@x","primary":true,"type":"work","value":"n@x"},{"type":"home","value":"h@x"}]}`}},
		{"a list as a whole", nil, []Change{set("emails", map[string]any{"type": "work", "value": "w@x"}, map[string]any{"type": "other", "value": "o@x"})}, []string{
			`{"op":"replace","path":"emails","value":[{"display":"w@x","primary":true,"type":"work","value":"w@x"},{"type":"other","value":"o@x"}]}`}},
		{"a list of values", nil, []Change{set("emails.value", "h@x", "o@x")}, []string{
			`{"op":"replace","path":"emails","value":[{"type":"home","value":"h@x"},{"value":"o@x"}]}`}},
		{"added and removed", nil, []Change{{Path: MustPath("emails"), Delta: true, Add: []any{map[string]any{"type": "other", "value": "o@x"}}, Remove: []any{map[string]any{"value": "h@x"}, "w@x"}}}, []string{
			`{"op":"remove","path":"emails[value eq \"h@x\"]"}`, `{"op":"remove","path":"emails[value eq \"w@x\"]"}`, `{"op":"add","path":"emails","value":[{"type":"other","value":"o@x"}]}`}},
		{"added and removed without filters", map[string]any{"path_filters": "none"}, []Change{{Path: MustPath("emails.value"), Delta: true, Add: []any{"o@x"}, Remove: []any{"H@X"}}}, []string{
			`{"op":"replace","path":"emails","value":[{"display":"w@x","primary":true,"type":"work","value":"w@x"},{"value":"o@x"}]}`}},
		{"an attribute of the target's own that holds a list", nil, []Change{{Path: MustPath("tags"), Multi: true, Replace: []any{"a"}}}, []string{`{"op":"replace","path":"tags","value":["a"]}`}},
		{"booleans in any form are the same", nil, []Change{set("active", "True"), set("title", "CEO")}, []string{`{"op":"replace","path":"title","value":"CEO"}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := operations(t, tt.overrides, tt.changes...)
			if err != nil || len(got) != 1 {
				t.Fatalf("got %q, %v", got, err)
			}
			if want := strings.Join(tt.want, "\n"); got[0] != want {
				t.Errorf("got\n%s\nwant\n%s", got[0], want)
			}
		})
	}
}

// QUIRKS SCIM-25: at most one value is primary, and the old one is told so in the
// same request.
func TestOnlyOneValueIsPrimary(t *testing.T) {
	const want = `{"op":"replace","path":"emails","value":[{"display":"w@x","primary":false,"type":"work","value":"w@x"},{"primary":true,"type":"home","value":"h@x"}]}`
	for name, ch := range map[string]Change{
		"by its flag": set(`emails[type eq "home"].primary`, true),
		"by its row":  set(`emails[type eq "home"]`, map[string]any{"primary": true}),
		"added again": {Path: MustPath("emails"), Delta: true, Add: []any{map[string]any{"type": "home", "value": "h@x", "primary": true}}},
	} {
		for _, style := range []string{"per_path", "dotted"} {
			got, err := operations(t, map[string]any{"patch_style": style}, ch)
			if err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%s, %s: got %q, %v", name, style, got, err)
			}
		}
	}
	two := set("emails", map[string]any{"value": "a", "primary": true}, map[string]any{"value": "b", "primary": true})
	if got, err := operations(t, nil, two); err != nil || got[0] != `{"op":"replace","path":"emails","value":[{"primary":true,"value":"a"},{"primary":false,"value":"b"}]}` {
		t.Errorf("two at once: got %q, %v", got, err)
	}
}

// QUIRKS SCIM-26: clearing is an intent of its own, in the form of the profile.
func TestAnAttributeIsEmptiedAsTheProfileSays(t *testing.T) {
	changes := []Change{wipe("title"), wipe("name.givenName"), wipe(dept), wipe("nickName")}
	for style, want := range map[string]string{
		"remove": `{"op":"remove","path":"title"}` + "\n" + `{"op":"remove","path":"name.givenName"}` + "\n" + `{"op":"remove","path":"` + dept + `"}`,
		"null": `{"op":"replace","path":"title","value":null}` + "\n" + `{"op":"replace","path":"name.givenName","value":null}` + "\n" +
			`{"op":"replace","path":"` + dept + `","value":null}`,
		"empty_string": `{"op":"replace","path":"title","value":""}` + "\n" + `{"op":"replace","path":"name.givenName","value":""}` + "\n" +
			`{"op":"replace","path":"` + dept + `","value":""}`,
	} {
		if got, err := operations(t, map[string]any{"clear_style": style}, changes...); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, %v", style, got, err)
		}
	}
	got, err := operations(t, map[string]any{"clear_style": "null", "patch_style": "pathless_object"}, wipe("title"), set("nickName", "J"))
	if err != nil || got[0] != `{"op":"replace","value":{"nickName":"J","title":null}}` {
		t.Errorf("in an object: got %q, %v", got, err)
	}
	if _, err := operations(t, map[string]any{"clear_style": "unsupported"}, wipe("title")); answer(err) != "failed UNSUPPORTED" || !slices.Equal(connector.AsError(err).Attributes, []string{"title"}) {
		t.Errorf("unsupported: %v", err)
	}
	for name, tt := range map[string]struct {
		ch   Change
		want []string
	}{
		"a row":                 {wipe(`emails[type eq "home"].value`), []string{`{"op":"remove","path":"emails[type eq \"home\"]"}`}},
		"a part of a row":       {wipe(`emails[type eq "work"].display`), []string{`{"op":"remove","path":"emails[type eq \"work\"].display"}`}},
		"a list":                {wipe("emails"), []string{`{"op":"remove","path":"emails"}`}},
		"a row that is not":     {wipe(`emails[type eq "other"].value`), nil},
		"an extension that not": {wipe("urn:x:y:z"), nil},
	} {
		if got, err := operations(t, nil, tt.ch); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// QUIRKS SCIM-27: the manager by id, in the form of the profile.
func TestTheManager(t *testing.T) {
	manager := EnterpriseUser + ":manager"
	for _, tt := range []struct {
		style string
		ch    Change
		want  string
	}{
		{"object", set(manager, "m2"), `{"op":"replace","path":"` + manager + `","value":{"value":"m2"}}`},
		{"object", set(manager+".value", "m2"), `{"op":"replace","path":"` + manager + `","value":{"value":"m2"}}`},
		{"object", set(manager, map[string]any{"value": "m2", "displayName": "ignored"}), `{"op":"replace","path":"` + manager + `","value":{"value":"m2"}}`},
		{"sub_path", set(manager, "m2"), `{"op":"replace","path":"` + manager + `.value","value":"m2"}`},
		{"string", set(manager, "m2"), `{"op":"replace","path":"` + manager + `","value":"m2"}`},
		{"object", set(manager, "m1"), ""},
		{"sub_path", wipe(manager), `{"op":"remove","path":"` + manager + `"}`},
	} {
		got, err := operations(t, map[string]any{"manager_style": tt.style}, tt.ch)
		if err != nil || strings.Join(got, "|") != tt.want {
			t.Errorf("%s: got %q, %v; want %s", tt.style, got, err, tt.want)
		}
	}
}

func TestChangesThatCannotBe(t *testing.T) {
	for name, tt := range map[string]struct {
		overrides map[string]any
		ch        Change
		want      string
	}{
		"immutable":                 {map[string]any{"immutable": []string{"userName"}}, set("userName", "x"), "failed POLICY"},
		"members":                   {nil, set("members", "x"), "failed UNSUPPORTED"},
		"two values of one":         {nil, set("title", "x", "y"), "failed INVALID_VALUE"},
		"two values on this target": {map[string]any{"single_valued": []string{"emails"}}, set("emails", "x", "y"), "failed INVALID_VALUE"},
		"whose type":                {nil, set("emails.type", "x"), "failed UNSUPPORTED"},
		"users cannot be changed":   {map[string]any{"user_update": "none"}, set("title", "x"), "failed UNSUPPORTED"},
	} {
		if got, err := operations(t, tt.overrides, tt.ch); answer(err) != tt.want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestWhatHasNoEffectIsNotSent(t *testing.T) {
	s := serve(t, always(200, jane))
	c := s.client(t, map[string]any{"ignored": []string{"name"}})
	_, err := c.Update(t.Context(), Update{Type: Users, ID: "7", Current: object0(t, jane), Changes: []Change{
		set("title", "BOSS"), set("name.givenName", "Ignored"), set("emails", map[string]any{"type": "work", "value": "W@X"}, map[string]any{"type": "home", "value": "h@x"}),
	}})
	if !errors.Is(err, connector.Unchanged) || len(s.lines()) > 0 {
		t.Errorf("got %v", err)
	}
}

func TestManyOperationsAreSplit(t *testing.T) {
	got, err := operations(t, map[string]any{"patch_max_ops": 2}, set("title", "a"), set("nickName", "b"), set("locale", "c"))
	if err != nil || len(got) != 2 || strings.Count(got[0], "\n") != 1 || strings.Contains(got[1], "\n") {
		t.Errorf("got %q, %v", got, err)
	}
}

// When the second of three requests is refused, the first has taken effect.
func TestAnUpdateInPartsTellsWhatTookEffect(t *testing.T) {
	n := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reply(w, 200, `{"id":"7","title":"a"}`)
			return
		}
		if n++; n == 2 {
			reply(w, 400, refusal(400, "invalidValue", ""))
			return
		}
		w.Header().Set("ETag", `"v2"`)
		reply(w, 200, `{"id":"7"}`)
	})
	c := s.client(t, map[string]any{"patch_max_ops": 1})
	_, err := c.Update(t.Context(), Update{Type: Users, ID: "7", IfMatch: `"v1"`, Changes: []Change{set("title", "a"), set("nickName", "b"), set("locale", "c")}})
	r := connector.ResultOf("", connector.Ref{}, err)
	if r.Outcome != connector.OutcomePartial || !slices.Equal(r.Applied, []string{"title"}) || r.Err.Code != connector.CodeInvalidValue {
		t.Errorf("got %+v", r)
	}
	asked := s.take()
	if asked[0].head.Get("If-Match") != `"v1"` || asked[1].head.Get("If-Match") != `"v2"` {
		t.Errorf("If-Match was %q, then %q", asked[0].head.Get("If-Match"), asked[1].head.Get("If-Match"))
	}
}

// What was not sent for another reason than its values leaves the rest as it was.
func TestAnUpdateInPartsThatStopsTellsSo(t *testing.T) {
	for status, want := range map[int]string{429: "partial RATE_LIMITED", 401: "partial AUTHENTICATION", 502: "unknown UNAVAILABLE"} {
		n := 0
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if n++; n > 1 {
				reply(w, status, nil)
				return
			}
			reply(w, 204, nil)
		})
		_, err := s.client(t, map[string]any{"patch_max_ops": 1}).Update(t.Context(), Update{Type: Users, ID: "7", Changes: []Change{set("title", "a"), set("nickName", "b")}})
		if answer(err) != want || n != 2 {
			t.Errorf("%d: got %v after %d requests", status, err, n)
		}
	}
}

// QUIRKS SCIM-10, SCIM-11: a PATCH that is refused is looked after, and so is noTarget.
func TestAfterARefusalTheResourceIsRead(t *testing.T) {
	for _, tt := range []struct {
		name     string
		scimType string
		now      string
		changes  []Change
		want     string
		applied  []string
	}{
		{"nothing took effect", "invalidValue", `{"id":"7"}`, []Change{set("title", "a"), set("nickName", "b")}, "failed INVALID_VALUE", nil},
		{"half of it did", "invalidValue", `{"id":"7","title":"a"}`, []Change{set("title", "a"), set("nickName", "b")}, "partial INVALID_VALUE", []string{"title"}},
		{"it is so all the same", "invalidValue", `{"id":"7","title":"a","nickName":"b"}`, []Change{set("title", "a"), set("nickName", "b")}, "applied", nil},
		{"nothing to remove", "noTarget", `{"id":"7"}`, []Change{wipe("title")}, "applied", nil},
		{"nothing to remove, but it is there", "noTarget", `{"id":"7","title":"a"}`, []Change{wipe("title")}, "failed INVALID_VALUE", nil},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				reply(w, 200, tt.now)
				return
			}
			reply(w, 400, refusal(400, tt.scimType, ""))
		})
		_, err := s.client(t, nil).Update(t.Context(), Update{Type: Users, ID: "7", Changes: tt.changes})
		if got := connector.ResultOf("", connector.Ref{}, err); answer(err) != tt.want || !slices.Equal(got.Applied, tt.applied) {
			t.Errorf("%s: got %+v", tt.name, got)
		}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(500)
			return
		}
		reply(w, 400, refusal(400, "invalidValue", ""))
	})
	if _, err := s.client(t, nil).Update(t.Context(), Update{Type: Users, ID: "7", Changes: []Change{set("title", "a"), set("nickName", "b")}}); answer(err) != "unknown INVALID_VALUE" {
		t.Errorf("what cannot be looked after: %v", err)
	}
}

// QUIRKS SCIM-13: PUT keeps what we do not know.
func TestAPutKeepsWhatWeDoNotKnow(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, jane) })
	for _, tt := range []struct {
		name      string
		overrides map[string]any
		changes   []Change
		lines     []string
		body      string
		ifMatch   string
	}{
		{"merged", map[string]any{"user_update": "put_merge"}, []Change{set("title", "CEO"), set(`emails[type eq "home"].value`, "n@x"), wipe(dept), set("active", false)},
			[]string{"GET /scim/v2/Users/7", "PUT /scim/v2/Users/7"},
			`{"id":"7","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"jane","title":"CEO","active":false,"custom":{"x":1},
			"name":{"givenName":"Jane","familyName":"Doe"},"emails":[{"type":"work","value":"w@x","primary":true,"display":"w@x"},{"type":"home","value":"n@x"}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"m1","displayName":"Max"}}}`, `W/"1"`},
		{"merged, null for what goes", map[string]any{"user_update": "put_merge", "clear_style": "null", "etag": "none"}, []Change{wipe("title"), wipe("name"), wipe("emails"), wipe("custom"), wipe(EnterpriseUser + ":manager"), wipe(dept)},
			[]string{"GET /scim/v2/Users/7", "PUT /scim/v2/Users/7"},
			`{"id":"7","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"jane","title":null,"active":true,"custom":null,"name":null,"emails":null,
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":null,"department":null}}`, ""},
		{"only what changes", map[string]any{"user_update": "put_partial"}, []Change{set("title", "CEO"), wipe("nickName"), set(dept, "Sales")},
			[]string{"PUT /scim/v2/Users/7"},
			`{"id":"7","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"title":"CEO","nickName":null,
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := s.client(t, tt.overrides).Update(t.Context(), Update{Type: Users, ID: "7", Changes: tt.changes}); err != nil {
				t.Fatal(err)
			}
			asked := s.take()
			var lines []string
			for _, a := range asked {
				lines = append(lines, a.line)
			}
			last := asked[len(asked)-1]
			if !slices.Equal(lines, tt.lines) || !same(t, last.body, tt.body) || last.head.Get("If-Match") != tt.ifMatch {
				t.Errorf("got %q, If-Match %q with\n%s\nwant\n%s", lines, last.head.Get("If-Match"), last.body, tt.body)
			}
		})
	}
}

// QUIRKS SCIM-29: an empty list of members must never be written back.
func TestAPutNeverEmptiesAGroup(t *testing.T) {
	s := serve(t, always(200, `{"id":"7","displayName":"g","members":[]}`))
	c := s.client(t, map[string]any{"group_update": "put_merge", "members_read": "none"})
	_, err := c.Update(t.Context(), Update{Type: Groups, ID: "7", Changes: []Change{set("displayName", "h")}})
	if answer(err) != "failed UNSUPPORTED" || !slices.Equal(s.lines(), []string{"GET /scim/v2/Groups/7"}) {
		t.Errorf("got %v", err)
	}
	for i, err := range c.ChangeMembers(t.Context(), "7", []MemberChange{{ID: "a"}, {ID: "b", Remove: true}}) {
		if answer(err) != "failed UNSUPPORTED" {
			t.Errorf("member %d: %v", i, err)
		}
	}
}

func TestAVersionThatIsRequiredIsRead(t *testing.T) {
	s := serve(t, always(200, jane))
	if _, err := s.client(t, map[string]any{"etag": "require"}).Update(t.Context(), activation("7", false, "")); err != nil {
		t.Fatal(err)
	}
	if asked := s.take(); len(asked) != 2 || asked[1].head.Get("If-Match") != `W/"1"` {
		t.Errorf("asked %+v", asked)
	}
	if _, err := s.client(t, map[string]any{"etag": "none"}).Update(t.Context(), activation("7", false, `"1"`)); err != nil {
		t.Fatal(err)
	}
	if asked := s.take(); len(asked) != 1 || asked[0].head.Get("If-Match") != "" {
		t.Errorf("asked %+v", asked)
	}
}
