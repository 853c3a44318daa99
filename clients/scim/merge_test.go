package scim

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anyChange draws a change of jane, or of what she does not have.
func anyChange(t *rapid.T) Change {
	text := rapid.SampledFrom([]any{"a", "A", "w@x", "h@x", "", "True"})
	row := rapid.Custom(func(t *rapid.T) any {
		o := map[string]any{"value": text.Draw(t, "value")}
		if rapid.Bool().Draw(t, "typed") {
			o["type"] = rapid.SampledFrom([]any{"work", "home", "other"}).Draw(t, "type")
		}
		if rapid.Bool().Draw(t, "marked") {
			o["primary"] = rapid.Bool().Draw(t, "primary")
		}
		return o
	})
	list := func(name string, of *rapid.Generator[any], most int) []any {
		return rapid.SliceOfN(of, 0, most).Draw(t, name)
	}
	switch path := rapid.SampledFrom([]string{"title", "name.givenName", "name", dept, EnterpriseUser + ":manager", "active", "emails", "emails.value", "phoneNumbers",
		`emails[type eq "work"].value`, `emails[type eq "other"].display`, `emails[type eq "home"].primary`, `emails[type eq "home" and primary eq false].value`}).Draw(t, "path"); path {
	case "name":
		return set(path, map[string]any{"givenName": text.Draw(t, "name")})
	case `emails[type eq "home"].primary`, "active":
		return set(path, rapid.Bool().Draw(t, "on"))
	case "emails", "phoneNumbers":
		if rapid.Bool().Draw(t, "delta") {
			gone := rapid.SampledFrom([]any{"x", "X", "y", map[string]any{"value": "x"}, map[string]any{"value": "y", "type": "home"}})
			return Change{Path: MustPath(path), Delta: true, Add: list("add", row, 2), Remove: list("remove", gone, 2)}
		}
		return set(path, list("rows", row, 3)...)
	case "emails.value":
		return set(path, list("values", text, 3)...)
	default:
		return set(path, list("value", text, 1)...)
	}
}

// Make a change, and nothing is left of it to be made, whatever the dialect; and
// never are two values primary.
func TestAChangeThatWasMadeLeavesNothingToDo(t *testing.T) {
	clients := map[string]*Client{}
	for _, name := range []string{"rfc7644", "entra-style", "entra-legacy", "okta-style", "entra-target", "salesforce"} {
		p, err := LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		clients[name] = clientFor(t, Options{BaseURL: "https://scim.example", Profile: p})
	}
	rapid.Check(t, func(t *rapid.T) {
		var r Resource
		if err := json.Unmarshal([]byte(jane), &r); err != nil {
			t.Fatal(err)
		}
		ch := anyChange(t)
		for name, c := range clients {
			p := c.Profile()
			normal, err := (*AttributeIndex)(nil).normal(p, ch)
			if err != nil {
				continue // the dialect cannot
			}
			before := r.Clone()
			wanted := r.Clone()
			(*AttributeIndex)(nil).apply(p, wanted, normal)
			if d := cmp.Diff(before, r); d != "" {
				t.Fatalf("%s: the original changed: %s", name, d)
			}
			again, err := c.UpdateRequests(t.Context(), Update{Type: Users, ID: "7", Current: wanted, Changes: []Change{ch}})
			if err != nil || len(again) > 0 {
				t.Fatalf("%s: %s: %d requests are left for %v, %v", name, ch.Path, len(again), wanted.Values(ch.Path.Bare()), err)
			}
			primary := 0
			for _, row := range wanted.Values(MustPath("emails")) {
				if isPrimary(row) {
					primary++
				}
			}
			if primary > 1 {
				t.Fatalf("%s: %d rows are primary in %v", name, primary, wanted["emails"])
			}
		}
	})
}

func TestANewRowHoldsWhatItsFilterSays(t *testing.T) {
	for text, want := range map[string]string{
		`{"op":"add","path":"emails","value":[{"primary":false,"type":"other","value":"o@x"}]}`: `emails[type eq "other" and primary eq false].value`,
		`{"op":"add","path":"emails","value":[{"value":"o@x"}]}`:                                `emails[type ne "work" and type ne "home"].value`,
	} {
		if got, err := operations(t, nil, set(want, "o@x")); err != nil || got[0] != text {
			t.Errorf("got %q, %v; want %s", got, err, text)
		}
	}
}

func TestRowsOfPlainText(t *testing.T) {
	p := profile(t, nil)
	r := object0(t, `{"roles":["a","b"]}`)
	for _, ch := range []Change{
		{Path: MustPath("roles"), Multi: true, Delta: true, Add: []any{"B", "c"}, Remove: []any{"A"}},
		{Path: MustPath("roles"), Multi: true, Delta: true, Remove: []any{map[string]any{"value": "b"}}},
	} {
		(*AttributeIndex)(nil).apply(p, r, ch)
	}
	if d := cmp.Diff([]any{"c"}, r["roles"]); d != "" {
		t.Error(d)
	}
}
