package mapping

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// QUIRKS EXPR-5
func TestTableOfCases(t *testing.T) {
	r := rules(
		attribute("mail", `lower(person.mail)`),
		attribute("level", `person.level + 1`),
		attribute("end", `add_days(person.end_date, 1)`),
		attribute("teams", `person.teams`),
		attribute("boss", `manager.last_name`),
		attribute("fax", `clear()`),
		attribute("code", `has(person.phone) ? phone(person.phone, "DE") : unset()`),
		attribute("login", `unique("jane")`),
	)
	r.Scope = at(`person.active`)
	r.Grants = []GrantRule{{Entitlement: "sales", When: at(`person.department == "Sales"`), Place: "x:1"}, {Entitlement: "all", Place: "x:2"}}
	p := compile(t, r)
	yes, no := true, false
	day := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	given := map[string]any{
		"active": true, "mail": "A@B.c", "level": 3, "end_date": day, "teams": []any{"red", "blue"}, "department": "Sales",
	}
	good := Case{Name: "good", Place: "t.yaml:1", Given: given, Manager: map[string]any{"last_name": "Boss"},
		Taken: map[string][]string{"login": {"JANE"}}, Want: Want{
			InScope: &yes, Grants: []string{"sales", "all"},
			Attributes: map[string]any{
				"mail": "a@b.c", "level": 4, "end": day.AddDate(0, 0, 1), "teams": []any{"red", "blue"},
				"boss": "Boss", "fax": WantClear, "code": WantUnset, "login": "jane2",
			},
		}}
	if failed := p.Test([]Case{good}); len(failed) > 0 {
		t.Errorf("a good case fails: %v", failed)
	}

	for _, tt := range []struct {
		name string
		c    Case
		want []string
	}{
		{"other values", Case{Given: given, Want: Want{InScope: &no, Grants: []string{}, Attributes: map[string]any{"mail": "x", "fax": "1", "boss": "B", "teams": "red"}}}, []string{
			"in scope is true; want false", `boss is unset(); want "B"`, `fax is clear(); want "1"`, `mail is "a@b.c"; want "x"`,
			`teams is "red", "blue"; want "red"`, "grants are [all sales]; want []"}},
		{"a fault that was not wanted", Case{Given: map[string]any{"active": true}}, []string{
			"fault: provhub.yaml:7: condition of grant sales: person.department is missing, so it cannot be decided; say what then holds with has(…) or coalesce(…)"}},
		{"a fault that was wanted", Case{Given: map[string]any{}, Want: Want{Fault: "person.active is missing"}}, nil},
		{"another fault than wanted", Case{Given: map[string]any{}, Want: Want{Fault: "xyz"}}, []string{
			`the fault is provhub.yaml:7: scope: person.active is missing, so it cannot be decided; say what then holds with has(…) or coalesce(…); want one with "xyz"`}},
		{"a fault that did not come", Case{Given: given, Want: Want{Fault: "xyz"}}, []string{`there is no fault; want one with "xyz"`}},
		{"a field that the source does not have", Case{Given: map[string]any{"emial": "x"}, Manager: map[string]any{"level": "three"}}, []string{
			"the source has no field emial; did you mean mail?", "the field level is of type integer, and the case gives another"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range p.Test([]Case{tt.c}) {
				got = f.Differences
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
