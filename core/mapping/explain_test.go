package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// QUIRKS EXPR-5: from a target value back to the rule, its inputs and its place.
func TestExplain(t *testing.T) {
	r := rules(
		AttributeRule{To: "userName", From: Rule{`unique(slug(person.last_name))`, "crm.yaml:8"}, Apply: OnCreate},
		AttributeRule{To: "nick", From: Rule{`upper(person.middle_name)`, "crm.yaml:9"}},
		AttributeRule{To: "fax", From: Rule{`clear()`, "crm.yaml:10"}},
		AttributeRule{To: "code", From: Rule{`int(person.department)`, "crm.yaml:11"}},
		AttributeRule{To: "level", From: Rule{`person.level + 1`, "crm.yaml:12"}},
	)
	r.Scope = Rule{`person.active && (person.department == "IT" || has(manager.mail))`, "crm.yaml:3"}
	r.Grants = []GrantRule{
		{Entitlement: "sales", When: Rule{`person.department == "Sales" && state == "active"`, "crm.yaml:20"}, Place: "crm.yaml:20"},
		{EntitlementFrom: Rule{`person.teams`, "crm.yaml:21"}, Place: "crm.yaml:21"},
		{Entitlement: "it", When: Rule{`person.department == "IT"`, "crm.yaml:22"}, Place: "crm.yaml:22"},
	}
	department := Input{Name: "person.department", Value: "Sales"}
	want := []Trace{
		{Rule: "scope", Place: "crm.yaml:3", Outcome: OutcomeValue, Values: connector.Values{true},
			Inputs: []Input{{Name: "person.active", Value: true}, department, {Name: "manager.mail", Value: "boss@example.com"}},
			Parts:  []Part{{"person.active", "true"}, {`person.department == "IT"`, "false"}, {"has(manager.mail)", "true"}}},
		{Rule: "attribute code", Attribute: "code", Apply: Always, Place: "crm.yaml:11", Outcome: OutcomeFault,
			Inputs: []Input{department}, Why: "the value cannot be converted to the type asked for"},
		{Rule: "attribute fax", Attribute: "fax", Apply: Always, Place: "crm.yaml:10", Outcome: OutcomeClear, Why: "the rule says clear()"},
		{Rule: "attribute level", Attribute: "level", Apply: Always, Place: "crm.yaml:12", Outcome: OutcomeValue,
			Inputs: []Input{{Name: "person.level", Value: int64(3)}}, Values: connector.Values{int64(4)}},
		{Rule: "attribute nick", Attribute: "nick", Apply: Always, Place: "crm.yaml:9", Outcome: OutcomeUnset,
			Inputs: []Input{{Name: "person.middle_name", Missing: true}}, Why: "person.middle_name is missing"},
		{Rule: "attribute userName", Attribute: "userName", Apply: OnCreate, Place: "crm.yaml:8", Outcome: OutcomeValue,
			Inputs: []Input{{Name: "person.last_name", Value: "Doe"}}, Values: connector.Values{"doe2"}},
		{Rule: "grant sales", Place: "crm.yaml:20", Outcome: OutcomeValue, Values: connector.Values{true}, Entitlements: []string{"sales"},
			Inputs: []Input{department, {Name: "state", Value: "active"}},
			Parts:  []Part{{`person.department == "Sales"`, "true"}, {`state == "active"`, "true"}}},
		{Rule: "grant from person.teams", Place: "crm.yaml:21", Outcome: OutcomeValue, Values: connector.Values{true},
			Entitlements: []string{"red", "blue"}, Inputs: []Input{{Name: "person.teams", Value: []string{"red", "blue"}}}},
		{Rule: "grant it", Place: "crm.yaml:22", Outcome: OutcomeValue, Values: connector.Values{false}, Inputs: []Input{department}},
	}
	p := compile(t, r)
	got, err := p.Explain(jane(), taken{"userName=doe": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Trace{}, "Expr")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	out := jane("active", false)
	got, err = p.Explain(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range got[1:] {
		if tr.Outcome != OutcomeSkipped || tr.Why != whyOutOfScope {
			t.Errorf("%s of somebody out of scope: %s (%s)", tr.Rule, tr.Outcome, tr.Why)
		}
	}
	if _, err := p.Explain(Subject{Key: identity.Key{Kind: identity.Group}}, nil); err == nil {
		t.Error("rules for people explained a group")
	}
}

func TestExplainShowsPartsAsTheyWereWritten(t *testing.T) {
	r := rules()
	r.Scope = at("person.teams.exists(t, t == \"red\") && (join([person.middle_name, person.mail], \"-\") != \"\" || person.`employee-id` == coalesce(person.phone, \"x\")) && !has(person.middle_name) && person.middle_name == \"Q\"")
	got, err := compile(t, r).Explain(jane(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Part{
		{`person.teams.exists(t, t == "red")`, "true"},
		{`join([person.middle_name, person.mail], "-") != ""`, "true"},
		{"person.`employee-id` == coalesce(person.phone, \"x\")", "false"},
		{`!has(person.middle_name)`, "true"},
		{`person.middle_name == "Q"`, "person.middle_name is missing"},
	}
	if diff := cmp.Diff(want, got[0].Parts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[0].Outcome != OutcomeFault {
		t.Errorf("the scope hangs on a missing value: %+v", got[0])
	}
}
