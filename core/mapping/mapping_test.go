package mapping

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// fields are what the source of the tests declares.
var fields = []source.Field{
	{Name: "active", Type: source.Bool},
	{Name: "birth_date", Type: source.Date},
	{Name: "department", Type: source.Text},
	{Name: "employee-id", Type: source.Text},
	{Name: "end_date", Type: source.Date},
	{Name: "first_name", Type: source.Text},
	{Name: "last_name", Type: source.Text},
	{Name: "level", Type: source.Integer},
	{Name: "mail", Type: source.Text},
	{Name: "manager_id", Type: source.Text},
	{Name: "middle_name", Type: source.Text},
	{Name: "phone", Type: source.Text},
	{Name: "salary", Type: source.Number},
	{Name: "teams", Type: source.List},
}

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// jane is the person of the tests; person changes some of her attributes, nil
// takes one away.
func jane(changes ...any) Subject {
	a := identity.Attributes{
		"active": true, "birth_date": "1990-02-28", "department": "Sales", "employee-id": "E-1001",
		"end_date": "2026-12-31", "first_name": "Jane", "last_name": "Doe", "level": int64(3),
		"mail": "Jane.Doe@Example.com", "manager_id": "1002", "phone": "030 1234567", "salary": 1234.5,
		"teams": []string{"red", "blue"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == nil {
			delete(a, changes[i].(string))
			continue
		}
		a[changes[i].(string)] = changes[i+1]
	}
	return Subject{
		Key:        identity.Key{Source: "hr", Kind: identity.Person, Anchor: "1001"},
		Attributes: a, Manager: identity.Attributes{"mail": "boss@example.com", "last_name": "Boss"},
		State: identity.Active, Now: noon,
	}
}

func at(expr string) Rule { return Rule{Expr: expr, Place: "provhub.yaml:7"} }

func attribute(to, expr string) AttributeRule { return AttributeRule{To: to, From: at(expr)} }

func rules(attributes ...AttributeRule) Rules {
	return Rules{Connector: "crm", Kind: identity.Person, Attributes: attributes, Tables: map[string]map[string]string{
		"sites": {"BER": "Berlin", "MUC": "München"},
	}}
}

func compile(t testing.TB, r Rules) *Program {
	t.Helper()
	p, err := Compile(fields, true, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// values evaluates one expression as an attribute rule.
func values(t *testing.T, expr string, s Subject) (d Desired, set bool, err error) {
	t.Helper()
	r, err := compile(t, rules(attribute("x", expr))).Eval(s, nil)
	if err != nil || len(r.Attributes) == 0 {
		return Desired{}, false, err
	}
	return r.Attributes[0], true, nil
}

func TestResultOfAnAttributeRule(t *testing.T) {
	for _, tt := range []struct {
		name string
		expr string
		with []any
		want connector.Values
	}{
		{"text is text", `person.first_name + " " + person.last_name`, nil, connector.Values{"Jane Doe"}},
		{"a field alone is read as it is", `person.level`, nil, connector.Values{int64(3)}},
		{"true and false stay", `person.active && person.level > 2`, nil, connector.Values{true}},
		{"a number stays a number", `person.salary * 2.0`, nil, connector.Values{2469.0}},
		{"a date stays a date", `person.end_date`, nil, connector.Values{connector.Date("2026-12-31")}},
		{"a moment is in UTC", `end_of_day(person.end_date, "Europe/Berlin")`, nil, connector.Values{time.Date(2026, 12, 31, 22, 59, 59, 0, time.UTC)}},
		{"a list gives many values", `person.teams.map(x, upper(x))`, nil, connector.Values{"RED", "BLUE"}},
		{"an empty text is a value", `person.department`, []any{"department", ""}, connector.Values{""}},
		{"a field with a hyphen stands in backticks", "person.`employee-id`", nil, connector.Values{"E-1001"}},
		{"the manager's fields are read", `manager.mail`, nil, connector.Values{"boss@example.com"}},
		{"now is the time of the cycle", `format_date(now, "YYYY-MM-DD HH:mm", "Asia/Tokyo")`, nil, connector.Values{"2026-03-31 21:00"}},
		{"state and anchor are known", `state + ":" + anchor`, nil, connector.Values{"active:1001"}},
		{"a reference names another by anchor", `ref(person.manager_id)`, nil, connector.Values{connector.Ref{Type: "person", By: connector.Correlation{Attribute: "anchor", Value: "1002"}}}},
		{"an object is a JSON object", `{"formatted": person.department, "level": person.level}`, nil, connector.Values{map[string]any{"formatted": "Sales", "level": 3.0}}},
		{"an optional with a value is that value", `person.?department`, nil, connector.Values{"Sales"}},
		{"an optional falls back", `person.?middle_name.orValue("-")`, nil, connector.Values{"-"}},
		{"dates compare", `person.end_date > date("2026-01-01")`, nil, connector.Values{true}},
		{"a table is looked up", `lookup("sites", person.department, "HQ")`, []any{"department", "MUC"}, connector.Values{"München"}},
		{"a table falls back", `lookup("sites", person.department, "HQ")`, nil, connector.Values{"HQ"}},
		{"join leaves out what is missing", `join([person.first_name, person.middle_name, person.last_name], " ")`, nil, connector.Values{"Jane Doe"}},
		{"coalesce takes the first that is there", `coalesce(person.middle_name, person.phone, "none")`, []any{"phone", " "}, connector.Values{"none"}},
		{"has() tells a missing value from an empty one", `has(person.middle_name) ? "there" : "missing"`, []any{"middle_name", ""}, connector.Values{"there"}},
		{"a bound value is used twice", `cel.bind(n, slug(person.last_name), n + "." + n)`, nil, connector.Values{"doe.doe"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, set, err := values(t, tt.expr, jane(tt.with...))
			if err != nil || !set {
				t.Fatalf("%s: set %v, error %v", tt.expr, set, err)
			}
			if diff := cmp.Diff(tt.want, d.Values); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.expr, diff)
			}
		})
	}
}

// QUIRKS EXPR-4: value, unset, clear and error are four different things.
func TestOutcomeWithoutAValue(t *testing.T) {
	const unset, cleared, fails = "unset", "clear", "fails"
	for _, tt := range []struct {
		name string
		expr string
		with []any
		want string
	}{
		{"a missing field leaves the target alone", `person.middle_name`, nil, unset},
		{"what is made from a missing field is unset too", `upper(person.middle_name) + "."`, nil, unset},
		{"a list with a missing item is unset as a whole", `[person.mail, person.middle_name]`, nil, unset},
		{"an empty list is unset", `compact([person.middle_name])`, nil, unset},
		{"an unknown manager leaves the target alone", `manager.department`, nil, unset},
		{"an optional without a value is unset", `person.?middle_name`, nil, unset},
		{"a missing manager id refers to nobody", `ref(person.manager_id)`, []any{"manager_id", nil}, unset},
		{"an empty manager id refers to nobody", `ref(person.manager_id)`, []any{"manager_id", ""}, unset},
		{"unset() leaves the target alone", `person.level > 2 ? unset() : person.mail`, nil, unset},
		{"an item outside of the list is missing", `at(person.teams, 7)`, nil, unset},
		{"a pattern that finds nothing is missing", `regex_find(person.mail, "[0-9]+")`, nil, unset},
		{"no date in the text is missing", `parse_date(person.department, "DD.MM.YYYY")`, []any{"department", ""}, unset},
		{"clear() empties", `has(person.middle_name) ? person.middle_name : clear()`, nil, cleared},
		{"coalesce can clear", `coalesce(person.middle_name, clear())`, nil, cleared},
		{"a rule refuses in its own words", `person.level > 2 ? fail("level is too high") : "x"`, nil, fails},
		{"a value that is not of its declared type fails", `person.level + 1`, []any{"level", "three"}, fails},
		{"a date that is none fails", `person.end_date`, []any{"end_date", "soon"}, fails},
		{"a table without that row and without default fails", `lookup("sites", person.department)`, nil, fails},
		{"text that is no number fails", `int(person.department)`, nil, fails},
		{"a list index out of bounds fails", `person.teams[9]`, nil, fails},
		{"null in disguise fails", `dyn(null)`, nil, fails},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, set, err := values(t, tt.expr, jane(tt.with...))
			got := map[bool]string{true: "value", false: unset}[set]
			if d.Clear {
				got = cleared
			}
			if err != nil {
				got = fails
			}
			if got != tt.want {
				t.Errorf("%s: got %s (%v, error %v), want %s", tt.expr, got, d, err, tt.want)
			}
		})
	}
}

func TestMissingManager(t *testing.T) {
	s := jane()
	s.Manager = nil
	_, set, err := values(t, `manager.mail`, s)
	if set || err != nil {
		t.Errorf("set %v, error %v; want unset", set, err)
	}
	d, _, err := values(t, `has(manager.mail)`, s)
	if err != nil || !cmp.Equal(d.Values, connector.Values{false}) {
		t.Errorf("has(manager.mail) = %v, %v; want false", d.Values, err)
	}
}

func TestScope(t *testing.T) {
	scope := func(expr string) *Program {
		r := rules(attribute("mail", "person.mail"))
		r.Scope = at(expr)
		return compile(t, r)
	}
	t.Run("who is not in scope has nothing", func(t *testing.T) {
		r, err := scope(`person.department == "Sales"`).Eval(jane("department", "IT"), nil)
		if err != nil || r.InScope || r.Attributes != nil {
			t.Errorf("got %+v, %v", r, err)
		}
	})
	t.Run("scope that hangs on a missing value is a fault, not out of scope", func(t *testing.T) {
		_, err := scope(`person.department == "Sales"`).Eval(jane("department", nil), nil)
		var f *Fault
		if !errors.As(err, &f) || f.Code != CodeScopeData || f.Place != "provhub.yaml:7" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("scope decides without the missing value where it can", func(t *testing.T) {
		r, err := scope(`person.department == "Sales" || person.active`).Eval(jane("department", nil), nil)
		if err != nil || !r.InScope {
			t.Errorf("got %+v, %v", r, err)
		}
	})
}

func TestGrants(t *testing.T) {
	r := rules()
	r.Grants = []GrantRule{
		{Entitlement: "sales", When: at(`person.department == "Sales"`), Place: "provhub.yaml:9"},
		{EntitlementFrom: at(`person.teams.map(t, "team-" + t)`), Place: "provhub.yaml:10"},
		{Entitlement: "all", Place: "provhub.yaml:11"},
		{Entitlement: "team-red", Place: "provhub.yaml:12"},
		{Entitlement: "it", When: at(`person.department == "IT"`), Place: "provhub.yaml:13"},
	}
	p := compile(t, r)
	got, err := p.Eval(jane(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []identity.Grant{
		{Entitlement: "all", Reason: "rule provhub.yaml:11"},
		{Entitlement: "sales", Reason: `rule provhub.yaml:9: person.department == "Sales"`},
		{Entitlement: "team-blue", Reason: "rule provhub.yaml:10"},
		{Entitlement: "team-red", Reason: "rule provhub.yaml:10"},
	}
	if diff := cmp.Diff(want, got.Grants); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = p.Eval(jane("department", nil), nil)
	var f *Fault
	if !errors.As(err, &f) || f.Code != CodeGrantData {
		t.Errorf("a grant that hangs on a missing value: got %v, want a fault", err)
	}
}

func TestAttributesAreSortedAndNamePlaceAndApply(t *testing.T) {
	r := rules(attribute("b", `"2"`), AttributeRule{To: "a", From: Rule{`"1"`, "x.yaml:3"}, Apply: IfEmpty},
		AttributeRule{To: "c", From: at(`"3"`), Apply: OnCreate})
	p := compile(t, r)
	got, err := p.Eval(jane(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Desired{
		{Name: "a", Values: connector.Values{"1"}, Apply: IfEmpty, Rule: "x.yaml:3"},
		{Name: "b", Values: connector.Values{"2"}, Apply: Always, Rule: "provhub.yaml:7"},
		{Name: "c", Values: connector.Values{"3"}, Apply: OnCreate, Rule: "provhub.yaml:7"},
	}
	if diff := cmp.Diff(want, got.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s := jane()
	s.HasAccount = true
	if got, _ = p.Eval(s, nil); len(got.Attributes) != 2 {
		t.Errorf("a rule that applies on create was evaluated for an account that exists: %+v", got.Attributes)
	}
}

// QUIRKS EXPR-2: too much work is this person's fault and nobody else's.
func TestRunawayRuleIsAFaultOfThePerson(t *testing.T) {
	p := compile(t, rules(attribute("x", `[1,2,3,4,5,6,7,8,9,10].map(a, person.teams.map(b, person.teams.map(c, person.teams.map(d, b + c + d).size()))).size()`)))
	teams := make([]string, 200)
	start := time.Now()
	_, err := p.Eval(jane("teams", teams), nil)
	var f *Fault
	if !errors.As(err, &f) || f.Code != CodeLimit {
		t.Fatalf("got %v, want %s", err, CodeLimit)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if _, err := p.Eval(jane(), nil); err != nil {
		t.Errorf("the next person failed too: %v", err)
	}
}

func TestFaultsHoldNoPersonalValues(t *testing.T) {
	const secret = "Xq77personal"
	for _, expr := range []string{
		`int(person.department)`, `lookup("sites", person.department)`, `{"a": "b"}[person.department]`,
		`timestamp(person.department)`, `string(duration(person.department))`, `phone(person.department, "DE")`,
		`country_code(person.department)`, `parse_date(person.department, "YYYY-MM-DD")`, `date(person.department)`,
		`end_of_day(person.end_date, person.department)`, `lower("x", person.department)`, `bool(person.department)`,
		`normalize("ä", person.department)`, `uuid5(person.department, "x")`, `[1].map(x, int(person.department))[0]`,
		`dyn(person.department) + 1`, `dyn(person).foo`,
	} {
		_, err := compile(t, rules(attribute("x", expr))).Eval(jane("department", secret), nil)
		if err == nil {
			t.Errorf("%s: no fault", expr)
			continue
		}
		if text := err.Error(); containsFold(text, secret) {
			t.Errorf("%s: the fault repeats a personal value: %s", expr, text)
		}
	}
}

func TestAllFaultsOfAPersonAreListed(t *testing.T) {
	p := compile(t, rules(attribute("a", `int(person.department)`), attribute("b", `person.mail`), attribute("c", `fail("no")`)))
	r, err := p.Eval(jane(), nil)
	var fs Faults
	if !errors.As(err, &fs) || len(fs) != 2 || r.InScope {
		t.Errorf("got %+v, %v; want two faults and no result", r, err)
	}
}

// Programs are shared by all workers; `go test -race` looks on.
func TestProgramIsSafeForConcurrentUse(t *testing.T) {
	r := tenAttributes()
	r.Attributes = append(r.Attributes, attribute("nick", `person.middle_name`), attribute("teams", `person.teams.map(x, lower(x))`),
		attribute("fax", `coalesce(person.middle_name, clear())`), attribute("first", `unset()`))
	p := compile(t, r)
	want, err := p.Eval(jane(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				got, err := p.Eval(jane(), nil)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
					return
				}
				if _, err := p.Eval(jane("department", nil), nil); err == nil {
					t.Error("a fault is lost")
					return
				}
			}
		})
	}
	all.Wait()
}
