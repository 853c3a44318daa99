package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
)

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// taken are names in use, by "attribute=value", and whose they are.
type taken map[string]string

func (t taken) Taken(attribute, value, anchor string) bool {
	holder, ok := t[attribute+"="+value]
	return ok && holder != anchor
}

// QUIRKS HR-17
func TestUniqueName(t *testing.T) {
	others := func(names ...string) taken {
		out := taken{}
		for _, n := range names {
			out["userName="+n] = "someone else"
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		expr    string
		reserve []string
		names   Names
		want    string
	}{
		{"a free name is given as it is", `unique("jdoe")`, nil, others(), "jdoe"},
		{"nothing taken without names", `unique("jdoe")`, nil, nil, "jdoe"},
		{"a taken name gets the number 2", `unique("jdoe")`, nil, others("jdoe"), "jdoe2"},
		{"numbers go on until one is free", `unique("jdoe")`, nil, others("jdoe", "jdoe2", "jdoe3"), "jdoe4"},
		{"one's own name is not taken", `unique("jdoe")`, nil, taken{"userName=jdoe": "1001"}, "jdoe"},
		{"upper case does not make another name", `unique("JDoe")`, nil, others("jdoe"), "JDoe2"},
		{"a name of another attribute is free", `unique("jdoe")`, nil, taken{"mail=jdoe": "x"}, "jdoe"},
		{"the number can begin at 1 behind a separator", `unique("jdoe", {"start": 1, "separator": "-"})`, nil, others("jdoe"), "jdoe-1"},
		{"numbers are padded", `unique("jdoe", {"padding": 3})`, nil, others("jdoe"), "jdoe002"},
		{"the base is cut before the number is added", `unique("abcdefghij", {"max": 8})`, nil, others("abcdefgh"), "abcdefg2"},
		{"a longer number cuts more", `unique("abcdefghij", {"max": 8, "start": 10})`, nil, others("abcdefgh"), "abcdef10"},
		{"the suffix stays behind the number", `unique("jane.doe", {"suffix": "@example.com"})`, nil, others("jane.doe@example.com"), "jane.doe2@example.com"},
		{"the suffix counts towards the length", `unique("jane.doe", {"suffix": "@x.org", "max": 12})`, nil, nil, "jane.d@x.org"},
		{"a reserved name is never given", `unique("Admin")`, []string{"ADMIN"}, others(), "Admin2"},
		{"a reserved name is not given with a suffix either", `unique("admin", {"suffix": "@example.com"})`, []string{"admin"}, nil, "admin2@example.com"},
		{"invisible characters do not make another name", "unique(\"j\u200bdoe\")", nil, others("jdoe"), "jdoe2"},
		{"composed and decomposed letters are one name", "unique(\"jo\u0308rg\")", nil, others("jörg"), "jörg2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rule := attribute("userName", tt.expr)
			rule.Reserve = tt.reserve
			r, err := compile(t, rules(rule)).Eval(jane(), tt.names)
			if err != nil {
				t.Fatal(err)
			}
			want := Result{
				InScope:    true,
				Attributes: []Desired{{Name: "userName", Values: connector.Values{tt.want}, Apply: OnCreate, Rule: "provhub.yaml:7"}},
				Names:      []Reservation{{"userName", strings.ToLower(tt.want)}},
			}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUniqueNameThatCannotBe(t *testing.T) {
	everything := func(string, string, string) bool { return true }
	for _, tt := range []struct {
		name, expr, code string
		names            Names
	}{
		// QUIRKS HR-19
		{"nothing left of the name", `unique(slug("李"))`, CodeMapping, nil},
		{"no room for a number", `unique("jdoe", {"max": 1})`, CodeMapping, takenFunc(everything)},
		{"everything is taken", `unique("jdoe")`, CodeNamesTaken, takenFunc(everything)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := compile(t, rules(attribute("userName", tt.expr))).Eval(jane(), tt.names)
			var f *Fault
			if !errors.As(err, &f) || f.Code != tt.code {
				t.Errorf("got %v, want %s", err, tt.code)
			}
		})
	}
}

type takenFunc func(attribute, value, anchor string) bool

func (f takenFunc) Taken(attribute, value, anchor string) bool { return f(attribute, value, anchor) }

// QUIRKS HR-17: nobody gets a name that somebody got a moment before.
func TestNamesChosenInOneCycleDiffer(t *testing.T) {
	p := compile(t, rules(attribute("userName", `unique(slug(person.last_name))`)))
	names := NewChosen(taken{"userName=doe2": "old hand"})
	var got []string
	for i := range 3 {
		s := jane()
		s.Anchor = fmt.Sprint("new", i)
		r, err := p.Eval(s, names)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Names[0].Value)
	}
	if diff := cmp.Diff([]string{"doe", "doe3", "doe4"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again := jane()
	again.Anchor = "new1"
	r, err := p.Eval(again, names)
	if err != nil || r.Names[0].Value != "doe" && r.Names[0].Value != "doe3" {
		t.Errorf("the second one, worked out again, got %v, %v", r.Names, err)
	}
}

func TestAFailedPersonKeepsNoName(t *testing.T) {
	p := compile(t, rules(attribute("userName", `unique("doe")`), attribute("x", `has(person.middle_name) ? fail("no") : "y"`)))
	names := NewChosen(nil)
	if _, err := p.Eval(jane("middle_name", "Q"), names); err == nil {
		t.Fatal("want a fault")
	}
	other := jane()
	other.Anchor = "2"
	r, err := p.Eval(other, names)
	if err != nil || r.Names[0].Value != "doe" {
		t.Errorf("got %v, %v; want doe", r.Names, err)
	}
}

func TestUniqueIsNotEvaluatedForAnAccountThatExists(t *testing.T) {
	s := jane()
	s.HasAccount = true
	r, err := compile(t, rules(attribute("userName", `unique("")`))).Eval(s, nil)
	if err != nil || len(r.Attributes)+len(r.Names) > 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}
