package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// Case is one line of a table that tests rules: who comes in, and what must
// come out. Values are as YAML or JSON gives them.
type Case struct {
	Name  string
	Place string // "crm.test.yaml:12"
	// Given are the fields of the identity; one that is not listed is missing.
	Given map[string]any
	// Manager are the manager's; nil: there is none.
	Manager    map[string]any
	Anchor     string
	State      identity.State // "": active
	Now        time.Time
	HasAccount bool
	// Taken lists what unique() finds in use, by attribute, whatever the case.
	Taken map[string][]string
	Want  Want
}

// Want is what must come out. What is nil or not listed may be anything.
type Want struct {
	InScope *bool
	// Attributes are values, lists of values, or one of the words below.
	Attributes map[string]any
	// Grants are all entitlements, in any order; empty and not nil: none.
	Grants []string
	// Fault is part of the fault's text; "": there must be none.
	Fault string
}

// Words that stand for an outcome without a value.
const (
	WantUnset = "unset()"
	WantClear = "clear()"
)

// Failure is a case that came out otherwise.
type Failure struct {
	Name, Place string
	// Differences are one sentence each. They repeat the case's values.
	Differences []string
}

// String is the failure in lines for the terminal.
func (f Failure) String() string {
	return fmt.Sprintf("%s: %s\n  %s", f.Place, f.Name, strings.Join(f.Differences, "\n  "))
}

// Test runs each case and returns those that came out otherwise, in order.
func (p *Program) Test(cases []Case) []Failure {
	var out []Failure
	for _, c := range cases {
		if d := p.run(c); len(d) > 0 {
			out = append(out, Failure{Name: c.Name, Place: c.Place, Differences: d})
		}
	}
	return out
}

func (p *Program) run(c Case) []string {
	s := Subject{Key: identity.Key{Kind: p.kind, Anchor: c.Anchor}, State: c.State, Now: c.Now, HasAccount: c.HasAccount}
	if s.State == "" {
		s.State = identity.Active
	}
	var err, managerErr error
	s.Attributes, err = p.given(c.Given)
	if c.Manager != nil {
		s.Manager, managerErr = p.given(c.Manager)
	}
	if err = errors.Join(err, managerErr); err != nil {
		return strings.Split(err.Error(), "\n")
	}
	got, err := p.Eval(s, caseNames(c.Taken))
	switch {
	case err != nil && c.Want.Fault == "":
		return []string{"fault: " + err.Error()}
	case err != nil && !strings.Contains(err.Error(), c.Want.Fault):
		return []string{fmt.Sprintf("the fault is %s; want one with %q", err, c.Want.Fault)}
	case err == nil && c.Want.Fault != "":
		return []string{fmt.Sprintf("there is no fault; want one with %q", c.Want.Fault)}
	case err != nil:
		return nil
	}
	return c.Want.compare(got)
}

func (w Want) compare(got Result) (differences []string) {
	if w.InScope != nil && *w.InScope != got.InScope {
		differences = append(differences, fmt.Sprintf("in scope is %v; want %v", got.InScope, *w.InScope))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Attributes)) {
		has, want := WantUnset, texts(w.Attributes[name])
		for _, d := range got.Attributes {
			switch {
			case d.Name != name:
			case d.Clear:
				has = WantClear
			default:
				has = texts([]any(d.Values))
			}
		}
		if has != want {
			differences = append(differences, fmt.Sprintf("%s is %s; want %s", name, has, want))
		}
	}
	if w.Grants != nil {
		var has []string
		for _, g := range got.Grants {
			has = append(has, g.Entitlement)
		}
		want := slices.Compact(slices.Sorted(slices.Values(w.Grants)))
		if !slices.Equal(has, want) {
			differences = append(differences, fmt.Sprintf("grants are %v; want %v", has, want))
		}
	}
	return differences
}

// texts writes values for comparing and for people: a case file has no dates
// nor references, so they are compared as text.
func texts(v any) string {
	if s, ok := v.(string); ok && (s == WantUnset || s == WantClear) {
		return s
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]string, len(list))
	for i, one := range list {
		switch x := one.(type) {
		case int:
			one = int64(x)
		case time.Time:
			if x.Equal(x.Truncate(24 * time.Hour)) {
				one = connector.Date(x.Format(time.DateOnly))
			}
		}
		out[i] = fmt.Sprintf("%q", connector.Text(one))
	}
	return strings.Join(out, ", ")
}

// given turns what YAML or JSON makes of a case into attributes.
func (p *Program) given(in map[string]any) (identity.Attributes, error) {
	out := make(identity.Attributes, len(in))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(in)) {
		i := slices.IndexFunc(p.fields, func(f source.Field) bool { return f.Name == name })
		if i < 0 {
			names := make([]string, len(p.fields))
			for i, f := range p.fields {
				names[i] = f.Name
			}
			errs = append(errs, fmt.Errorf("the source has no field %s; %s", name, didYouMean(name, names, asIs, "it has "+someOf(names))))
			continue
		}
		if in[name] == nil {
			continue
		}
		v, ok := givenValue(p.fields[i].Type, in[name])
		if !ok {
			errs = append(errs, fmt.Errorf("the field %s is of type %s, and the case gives another", name, p.fields[i].Type))
		}
		out[name] = v
	}
	return out, errors.Join(errs...)
}

func givenValue(t source.Type, v any) (any, bool) {
	switch x := v.(type) {
	case int:
		v = int64(x)
	case float64:
		if t == source.Integer && x == float64(int64(x)) {
			v = int64(x) // JSON knows no integers
		}
	case time.Time:
		v = x.Format(time.DateOnly) // YAML reads 2026-03-31 as a time
	case []any:
		list := make([]string, len(x))
		for i, one := range x {
			list[i] = fmt.Sprint(one)
		}
		v = list
	}
	read, _ := readerOf(t)
	return v, read(v) != nil
}

// caseNames are the names in use that a case lists.
type caseNames map[string][]string

// Taken implements [Names].
func (n caseNames) Taken(attribute, value, _ string) bool {
	return slices.ContainsFunc(n[attribute], func(used string) bool { return fold(used) == value })
}
