package mapping

import (
	"errors"
	"fmt"

	"cel.dev/cel-go/common/types/ref"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/mapping/library"
)

// Outcome is what became of one rule.
type Outcome string

// The outcomes.
const (
	OutcomeValue   Outcome = "value"
	OutcomeUnset   Outcome = "unset" // the attribute is left as it is
	OutcomeClear   Outcome = "clear" // the attribute is emptied
	OutcomeFault   Outcome = "fault"
	OutcomeSkipped Outcome = "skipped" // the rule was not asked
)

// Trace says how one rule came to its result. It holds personal values: it is
// for the screen of whoever asked, never for a log.
type Trace struct {
	// Rule is "scope", "attribute mail", "grant sales".
	Rule  string `json:"rule"`
	Place string `json:"place"`
	Expr  string `json:"expression,omitempty"`
	// Attribute is set for attribute rules, Entitlements for grants that hold.
	Attribute    string           `json:"attribute,omitempty"`
	Apply        Apply            `json:"apply,omitempty"`
	Entitlements []string         `json:"entitlements,omitempty"`
	Inputs       []Input          `json:"inputs,omitempty"`
	Outcome      Outcome          `json:"outcome"`
	Values       connector.Values `json:"values,omitempty"`
	// Parts are the conditions that a rule with && or || is made of: which of
	// them decided, and so what would have to change.
	Parts []Part `json:"parts,omitempty"`
	// Why says why there is no value, in plain words.
	Why string `json:"why,omitempty"`
}

// Input is something a rule reads.
type Input struct {
	Name    string `json:"name"` // "person.mail"
	Value   any    `json:"value,omitempty"`
	Missing bool   `json:"missing,omitempty"`
}

// Part is one condition within a rule.
type Part struct {
	Expr string `json:"expression"`
	// Result is "true", "false", or why it has none.
	Result string `json:"result"`
}

// Explain works out what Eval would, and says for each rule how: scope first,
// then attributes by name, then grants in the order of the config. Faults are
// part of the traces; the error is for what cannot be explained at all.
func (p *Program) Explain(s Subject, n Names) ([]Trace, error) {
	if s.Kind != "" && p.kind != "" && s.Kind != p.kind {
		return nil, fmt.Errorf("mapping: these are rules for a %s, not for a %s", p.kind, s.Kind)
	}
	e := p.begin(s, n)
	defer e.end()
	var out []Trace
	in := true
	if p.scope != nil {
		t := e.explainCondition(p.scope, CodeScopeData)
		in = t.Outcome == OutcomeValue && t.Values[0] == true
		out = append(out, t)
	}
	for _, a := range p.attributes {
		out = append(out, e.explainAttribute(a, in))
	}
	for _, g := range p.grants {
		out = append(out, e.explainGrant(g, in))
	}
	return out, nil
}

const whyOutOfScope = "out of scope"

func (e *evaluation) traceOf(r *rule) Trace {
	t := Trace{Rule: r.what, Place: r.Place, Expr: r.Expr}
	for _, in := range r.inputs {
		t.Inputs = append(t.Inputs, e.facts.read(in))
	}
	return t
}

func (e *evaluation) explainCondition(r *rule, undecided string) Trace {
	t := e.traceOf(r)
	t.Parts = e.parts(r)
	holds, fault := r.condition(&e.facts, undecided)
	if fault != nil {
		t.Outcome, t.Why = OutcomeFault, fault.Text
		return t
	}
	t.Outcome, t.Values = OutcomeValue, connector.Values{holds}
	return t
}

func (e *evaluation) explainAttribute(a *attributeRule, inScope bool) Trace {
	t := e.traceOf(a.rule)
	t.Attribute, t.Apply = a.to, a.apply
	switch {
	case !inScope:
		t.Outcome, t.Why = OutcomeSkipped, whyOutOfScope
		return t
	case a.apply == OnCreate && e.hasAccount:
		t.Outcome, t.Why = OutcomeSkipped, "applies on create only, and the account exists"
		return t
	}
	var result Result
	e.faults = nil
	e.attribute(a, &result)
	switch {
	case len(e.faults) > 0:
		t.Outcome, t.Why = OutcomeFault, e.faults[0].Text
	case len(result.Attributes) == 0:
		t.Outcome, t.Why = OutcomeUnset, e.whyUnset(a.rule)
	case result.Attributes[0].Clear:
		t.Outcome, t.Why = OutcomeClear, "the rule says clear()"
	default:
		t.Outcome, t.Values = OutcomeValue, result.Attributes[0].Values
	}
	return t
}

// whyUnset says why a rule without fault gives nothing.
func (e *evaluation) whyUnset(r *rule) string {
	_, err := r.eval(&e.facts)
	switch missing, ok := valueless(err); {
	case err == nil:
		return "the rule gives an empty list"
	case errors.Is(withoutCEL(err), library.ErrUnset):
		return "the rule says unset()"
	case ok:
		return missing
	}
	return err.Error()
}

func (e *evaluation) explainGrant(g *grantRule, inScope bool) Trace {
	t := Trace{Rule: g.what, Place: g.place, Outcome: OutcomeSkipped, Why: whyOutOfScope}
	if g.when != nil {
		t = e.explainCondition(g.when, CodeGrantData)
		t.Rule, t.Place = g.what, g.place
	}
	switch {
	case !inScope:
		t.Outcome, t.Why, t.Values = OutcomeSkipped, whyOutOfScope, nil
		return t
	case t.Outcome == OutcomeFault, g.when != nil && t.Values[0] == false:
		return t
	case g.from == nil:
		t.Entitlements = []string{g.entitlement}
	default:
		from := e.traceOf(g.from)
		t.Inputs = append(t.Inputs, from.Inputs...)
		if t.Expr == "" {
			t.Expr = from.Expr
		}
		names, fault := g.from.entitlements(&e.facts)
		if fault != nil {
			t.Outcome, t.Why, t.Values = OutcomeFault, fault.Text, nil
			return t
		}
		t.Entitlements = names
	}
	t.Outcome, t.Why, t.Values = OutcomeValue, "", connector.Values{true}
	return t
}

// read gives the value of an input.
func (f *facts) read(in input) Input {
	if in.field == "" {
		v, _ := f.ResolveName(in.variable)
		return Input{Name: in.variable, Value: v.(ref.Val).Value()}
	}
	from := f.subject.attributes
	if in.variable == managerName {
		from = f.manager.attributes
	}
	v, ok := from[in.field]
	return Input{Name: fieldExpr(in.variable, in.field), Value: v, Missing: !ok || v == nil}
}
