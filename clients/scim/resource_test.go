package scim

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// QUIRKS SCIM-4: names in any case.
func TestNamesAreReadInAnyCase(t *testing.T) {
	r := object0(t, `{"ID":"1","EXTERNALID":"e","Active":"False","META":{"Version":"W/\"1\""},"Name":{"GIVENNAME":"Jane"},"EMAILS":[{"TYPE":"Work","Value":"a@x"}],
		"URN:ietf:params:scim:schemas:extension:Enterprise:2.0:user":{"Manager":{"VALUE":"7"}},"Schemas":["A","b"]}`)
	active, known := r.Active()
	if r.ID() != "1" || r.ExternalID() != "e" || active || !known || r.Version() != `W/"1"` || !slices.Equal(r.Schemas(), []string{"A", "b"}) {
		t.Errorf("got %s, %s, %t, %t, %s, %v", r.ID(), r.ExternalID(), active, known, r.Version(), r.Schemas())
	}
	for path, want := range map[string]string{"name.givenName": "Jane", `emails[type eq "work"].value`: "a@x", "emails.value": "a@x", EnterpriseUser + ":manager.value": "7", "title": "", "name.none": ""} {
		if got := r.Text(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestFlatNamesAreReadToo(t *testing.T) {
	r := object0(t, `{"name.formatted":"Jane Doe","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"R&D","roles":["a","b"]}`)
	for path, want := range map[string]string{"name.formatted": "Jane Doe", EnterpriseUser + ":department": "R&D", "roles.value": "a"} {
		if got := r.Text(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestNothingIsLostOnTheWay(t *testing.T) {
	const text = `{"a":12345678901234567890.1230,"b":{"C":[1,null,{"d":"é"}]},"e":null,"f":1e400}`
	out, err := json.Marshal(object0(t, text))
	if err != nil || string(out) != text {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestACloneSharesNothing(t *testing.T) {
	r := object0(t, `{"a":{"b":[{"c":"1"}]}}`)
	c := r.Clone()
	c["a"].(map[string]any)["b"].([]any)[0].(map[string]any)["c"] = "2"
	if r.Values(MustPath("a.b"))[0].(map[string]any)["c"] != "1" {
		t.Error("the original changed")
	}
}

// QUIRKS SCIM-5, SCIM-63: ids exact, names not, "True" is true.
func TestValuesCompareAsTheirAttributeDoes(t *testing.T) {
	index := NewAttributeIndex([]Schema{{ID: coreUser, Attributes: []SchemaAttribute{{Name: "nickName", CaseExact: true}, {Name: "id"}}}})
	for _, tt := range []struct {
		path string
		x, y any
		want bool
	}{
		{"userName", "Jane", "JANE", true}, {"emails.value", "A@X", "a@x", true}, {"id", "a", "A", false}, {"externalId", "a", "A", false},
		{"nickName", "a", "A", false}, {"members.value", "a", "A", false}, {"displayName", "a", "b", false},
		{"active", "True", true, true}, {"active", "false", false, true}, {"active", "yes", true, false},
		{"age", json.Number("1.0"), 1, true}, {"age", json.Number("1e3"), 1000.0, true}, {"age", json.Number("2"), int64(3), false}, {"age", "1", 1, false},
		{"title", nil, []any{}, true}, {"title", nil, "", false},
		{"name", map[string]any{"givenName": "A", "x": nil}, map[string]any{"GIVENNAME": "a"}, true},
		{"name", map[string]any{"givenName": "A"}, map[string]any{"familyName": "A"}, false},
		{"emails", []any{map[string]any{"value": "a"}, map[string]any{"value": "b"}}, []any{map[string]any{"value": "B"}, map[string]any{"value": "a"}}, true},
		{"emails", []any{"a", "a"}, []any{"a", "b"}, false},
		{EnterpriseUser + ":manager", map[string]any{"value": "a"}, map[string]any{"value": "A"}, false},
	} {
		if got := index.Equal(MustPath(tt.path), tt.x, tt.y); got != tt.want {
			t.Errorf("%s: %v and %v: got %t", tt.path, tt.x, tt.y, got)
		}
	}
}

func TestAnIndexKnowsExtensionsAndSubAttributes(t *testing.T) {
	index := NewAttributeIndex([]Schema{
		{ID: coreUser, Attributes: []SchemaAttribute{{Name: "tags", MultiValued: true, SubAttributes: []SchemaAttribute{{Name: "value", CaseExact: true}}}}},
		{ID: EnterpriseUser, Attributes: []SchemaAttribute{{Name: "costCenter", CaseExact: true}}},
	})
	if !index.MultiValued(MustPath("TAGS.value")) || !index.CaseExact(MustPath("tags.Value")) || !index.CaseExact(MustPath(EnterpriseUser+":costcenter")) {
		t.Error("something is not found")
	}
	if _, ok := (*AttributeIndex)(nil).Attribute(MustPath("tags")); ok || !(*AttributeIndex)(nil).MultiValued(MustPath("emails")) {
		t.Error("without an index the RFCs count")
	}
}

func TestTheBodyOfANewResourceKeepsToTheProfile(t *testing.T) {
	given := Resource{"userName": "jane", "active": true, "meta": map[string]any{"x": 1}, "groups": []any{"g"}, EnterpriseUser: map[string]any{"manager": map[string]any{"value": "7"}}}
	p := profile(t, map[string]any{"bool_style": "string_True", "manager_style": "string"})
	want := Resource{"userName": "jane", "active": "True", "schemas": []string{coreUser, EnterpriseUser}, EnterpriseUser: map[string]any{"manager": "7"}}
	if d := cmp.Diff(want, p.body(Users, given)); d != "" {
		t.Error(d)
	}
	if given["active"] != true || given["meta"] == nil {
		t.Error("what was given has changed")
	}
}
