package mapping

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/core/identity"
)

var update = flag.Bool("update", false, "write the golden files")

// faulty are rules that do not compile, each with a name that says why.
var faulty = []struct{ name, expr string }{
	{"a misspelt field", `lower(person.emial) + person.lastname`},
	{"a field of the manager that does not exist", `manager.nick_name`},
	{"a field with a hyphen", `person.employee-id`},
	{"a field without its variable", `mail`},
	{"an unknown variable", `user.mail`},
	{"an unknown function", `loewr(person.mail)`},
	{"an unknown function far from all", `frobnicate(person.mail)`},
	{"a function of CEL's that is misspelt", `person.mail.startswith("x")`},
	{"text and number do not add", `person.mail + person.level`},
	{"text and date do not add", `"until " + person.end_date`},
	{"a date is not a moment", `person.end_date < now`},
	{"a function with a wrong argument", `lower(person.level)`},
	{"a function with too many arguments", `trim(person.mail, " ")`},
	{"branches of different types", `person.active ? person.mail : person.level`},
	{"the list of join has numbers", `join([person.mail, person.level], " ")`},
	{"coalesce of different types", `coalesce(person.mail, person.level)`},
	{"coalesce of one value", `coalesce(person.mail)`},
	{"the expression ends too early", `lower(person.mail`},
	{"a text without its end", `"abc`},
	{"nothing at all", ` `},
	{"two lines, the second is wrong", "person.mail +\n  person.mali"},
	{"null", `null`},
	{"a whole person", `person`},
	{"a duration", `now - now`},
	{"a list of lists", `[[person.mail]]`},
	{"a pattern that is no RE2", `regex_replace(person.mail, "(?<=a)b", "")`},
	{"a pattern for matches that is no RE2", `person.mail.matches("[")`},
	{"a pattern that is not written out", `regex_replace(person.mail, person.phone, "")`},
	{"a time zone that does not exist", `end_of_day(person.end_date, "Europe/Berlinn")`},
	{"a layout with two-digit years", `format_date(person.end_date, "DD.MM.YY")`},
	{"a layout with strange letters", `parse_date(person.mail, "qqq")`},
	{"a date that does not exist", `date("2026-02-30")`},
	{"a locale without table", `normalize(person.last_name, "tlh")`},
	{"a locale that is no language tag", `lower(person.mail, "!!")`},
	{"a country without calling code", `phone(person.phone, "Germany")`},
	{"a unit that does not exist", `truncate(person.mail, 3, "bits")`},
	{"a table that does not exist", `lookup("site", person.department, "")`},
	{"a table that is not written out", `lookup(person.department, "x", "y")`},
	{"a state that does not exist", `state == "actve" || state in ["leaver", "fired"]`},
	{"unique inside another function", `lower(unique(person.last_name))`},
	{"unique in a text", `unique(person.last_name) + "@example.com"`},
	{"unique in a list", `[unique(person.last_name)]`},
	{"an option that unique does not have", `unique(person.last_name, {"length": 8, "maxx": 9})`},
	{"an option of unique of the wrong type", `unique(person.last_name, {"max": "8"})`},
	{"options of unique that are not written out", `unique(person.last_name, {"max": person.level})`},
	{"the clock", `string(now())`}, // QUIRKS EXPR-3: only now, which one run fixes for all
	{"chance", `string(random())`}, // QUIRKS EXPR-3
	{"a tab before the fault", "\tperson.mali"},
}

// QUIRKS EXPR-1: place, line, caret and a hint.
func TestErrorTexts(t *testing.T) {
	var out strings.Builder
	for _, f := range faulty {
		_, err := Compile(fields, true, rules(attribute("x", f.expr)))
		var es Errors
		if !errors.As(err, &es) || len(es) == 0 {
			t.Errorf("%s: %q compiles", f.name, f.expr)
			continue
		}
		out.WriteString("# " + f.name + "\n" + es.Error() + "\n\n")
	}
	compareGolden(t, "errors.txt", out.String())
}

// All faults of all rules are told at once.
func TestErrorTextsOfAWholeConnector(t *testing.T) {
	r := Rules{
		Connector: "crm", Kind: identity.Person, Scope: Rule{`person.department`, "crm.yaml:3"},
		Attributes: []AttributeRule{
			{To: "mail", From: Rule{`person.emial`, "crm.yaml:5"}},
			{To: "mail", From: Rule{`person.mail`, "crm.yaml:6"}},
			{To: "phone", From: Rule{``, "crm.yaml:7"}},
			{To: "userName", From: Rule{`unique(person.last_name)`, "crm.yaml:8"}, Apply: Always},
		},
		Grants: []GrantRule{
			{Entitlement: "sales", When: Rule{`person.departmnt == "Sales"`, "crm.yaml:10"}, Place: "crm.yaml:10"},
			{EntitlementFrom: Rule{`person.level`, "crm.yaml:11"}, Place: "crm.yaml:11"},
			{Place: "crm.yaml:12"},
			{Entitlement: "x", When: Rule{`manager.mail`, "crm.yaml:13"}, Place: "crm.yaml:13"},
		},
	}
	_, err := Compile(fields, false, r)
	if err == nil {
		t.Fatal("want errors")
	}
	r.Kind = identity.Group
	_, groups := Compile(fields, false, r)
	compareGolden(t, "connector_errors.txt", err.Error()+"\n\n# the same for groups\n"+groups.Error()+"\n")
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs, run with -update if that is right (-want +got):\n%s", path, diff)
	}
}
