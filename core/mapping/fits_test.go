package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
)

// QUIRKS EXPR-1: rules are checked against the target's schema too.
func TestFits(t *testing.T) {
	object := connector.ObjectType{Name: "user", Attributes: []connector.Attr{
		{Name: "text"}, {Name: "many", Multi: true}, {Name: "number", Type: connector.TypeInteger},
		{Name: "flag", Type: connector.TypeBool}, {Name: "moment", Type: connector.TypeTimestamp},
		{Name: "day", Type: connector.TypeDate}, {Name: "boss", Type: connector.TypeReference},
		{Name: "address", Type: connector.TypeObject}, {Name: "kind", Canonical: []string{"Employee", "Contractor"}},
	}}
	for _, tt := range []struct{ name, to, expr, want string }{
		{"text into text", "text", `person.mail`, ""},
		{"unique gives text", "text", `unique(person.mail)`, ""},
		{"a number becomes text", "text", `person.level`, ""},
		{"text may become a number", "number", `person.mail`, ""},
		{"an optional counts as its value", "text", `person.?mail`, ""},
		{"one value into many", "many", `person.mail`, ""},
		{"many values into many", "many", `person.teams`, ""},
		{"any value is left to the person", "flag", `dyn(person.mail)`, ""},
		{"a literal of the closed list, whatever its case", "kind", `"employee"`, ""},
		{"what the target does not have is not checked here", "nothing", `person.teams`, ""},
		{"many values into one", "text", `person.teams`, "provhub.yaml:7: attribute text: the rule gives a list, and the target holds one value\n  take one with at(…, 0) or put them together with join(…)"},
		{"a reference into text would be lost", "text", `ref(person.manager_id)`, "provhub.yaml:7: attribute text: the rule gives reference, and the target's attribute is of type string\n  map it to an attribute that refers to an account, or write the value itself"},
		{"a day is no moment", "moment", `person.end_date`, "provhub.yaml:7: attribute moment: the rule gives date, and the target's attribute is of type timestamp\n  say which moment of the day: start_of_day(…, \"Europe/Berlin\") or end_of_day(…)"},
		{"a moment is no day", "day", `now`, "provhub.yaml:7: attribute day: the rule gives timestamp, and the target's attribute is of type date\n  say whose day it is: date(…, \"Europe/Berlin\")"},
		{"a day is no file time", "number", `person.end_date`, "provhub.yaml:7: attribute number: the rule gives date, and the target's attribute is of type integer\n  for Active Directory write filetime(end_of_day(…, \"Europe/Berlin\"))"},
		{"text is no object", "address", `person.mail`, "provhub.yaml:7: attribute address: the rule gives text, and the target's attribute is of type object"},
		{"true is no reference", "boss", `person.active`, "provhub.yaml:7: attribute boss: the rule gives bool, and the target's attribute is of type reference"},
		{"a literal that the closed list does not have", "kind", `"Intern"`, "provhub.yaml:7: attribute kind: the target does not take \"Intern\"\n  it takes Employee, Contractor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := compile(t, rules(attribute(tt.to, tt.expr))).Fits(object); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadsAndTimed(t *testing.T) {
	r := rules(attribute("a", `person.mail + manager.mail`), attribute("b", `person.?middle_name.orValue(person.mail)`))
	r.Scope = at(`person.active`)
	r.Grants = []GrantRule{{EntitlementFrom: at(`person.teams`), When: at("person.`employee-id` != \"\""), Place: "x:1"}}
	p := compile(t, r)
	want := []string{"manager.mail", "person.`employee-id`", "person.active", "person.mail", "person.middle_name", "person.teams"}
	if diff := cmp.Diff(want, p.Reads()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Timed() {
		t.Error("no rule reads now")
	}
	r.Grants[0].When = at(`person.end_date < date(now, "UTC")`)
	if !compile(t, r).Timed() {
		t.Error("a grant reads now")
	}
}
