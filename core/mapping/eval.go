package mapping

import (
	"errors"
	"sort"
	"strings"
	"sync"

	"cel.dev/cel-go/common/types"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping/library"
)

// Eval works out what s should hold. n may be nil when nothing is taken; a
// [*Chosen] also learns the names that were chosen.
//
// The error is [Faults]: s cannot be worked out, and nothing may be concluded
// from that about s's account. A source value that is missing is no fault in an
// attribute rule (the attribute is left as it is), but in scope and in a
// grant's condition it is: access is neither given nor taken on a guess.
func (p *Program) Eval(s Subject, n Names) (Result, error) {
	e := p.begin(s, n)
	defer e.end()
	in, fault := e.inScope()
	if fault != nil {
		return Result{}, Faults{fault}
	}
	if !in {
		return Result{}, nil
	}
	out := Result{InScope: true}
	if len(p.attributes) > 0 {
		out.Attributes = make([]Desired, 0, len(p.attributes))
	}
	for _, a := range p.attributes {
		if a.apply == OnCreate && e.hasAccount {
			continue
		}
		e.attribute(a, &out)
	}
	for _, g := range p.grants {
		e.grant(g, &out)
	}
	if len(e.faults) > 0 {
		return Result{}, e.faults
	}
	out.Grants = sortGrants(out.Grants)
	if c, ok := n.(*Chosen); ok {
		c.choose(e.anchor, out.Names)
	}
	return out, nil
}

// evaluation is one run of a program over one subject.
type evaluation struct {
	facts
	program    *Program
	hasAccount bool
	names      Names
	faults     Faults
}

var evaluations = sync.Pool{New: func() any { return new(evaluation) }}

func (p *Program) begin(s Subject, n Names) *evaluation {
	e := evaluations.Get().(*evaluation)
	e.subject.attributes, e.manager.attributes = s.Attributes, s.Manager
	e.state, e.anchor, e.source, e.now = s.State, s.Anchor, s.Source, s.Now
	e.program, e.hasAccount, e.names = p, s.HasAccount, n
	return e
}

// end gives e back; its faults belong to the caller now.
func (e *evaluation) end() {
	*e = evaluation{}
	evaluations.Put(e)
}

func (e *evaluation) inScope() (bool, *Fault) {
	if e.program.scope == nil {
		return true, nil
	}
	return e.program.scope.condition(&e.facts, CodeScopeData)
}

// condition evaluates a rule that decides over access. undecided is the code
// for a missing value.
func (r *rule) condition(f *facts, undecided string) (bool, *Fault) {
	v, err := r.eval(f)
	if err != nil {
		if missing, ok := valueless(err); ok {
			return false, &Fault{
				Code: undecided, Place: r.Place, Rule: r.what,
				Text: missing + ", so it cannot be decided; say what then holds with has(…) or coalesce(…)",
			}
		}
		return false, r.faultOf(err)
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, r.faultOf(refuse("the rule does not give true or false"))
	}
	return bool(b), nil
}

func (e *evaluation) attribute(a *attributeRule, out *Result) {
	d := Desired{Name: a.to, Apply: a.apply, Rule: a.Place}
	if a.direct != nil {
		if vs, ok := a.direct.values(&e.facts); ok {
			d.Values = vs
			out.Attributes = append(out.Attributes, d)
			return
		}
	}
	v, err := a.eval(&e.facts)
	if err != nil {
		if errors.Is(withoutCEL(err), library.ErrClear) {
			d.Clear = true
			out.Attributes = append(out.Attributes, d)
		} else if _, ok := valueless(err); !ok {
			e.faults = append(e.faults, a.faultOf(err))
		}
		return
	}
	if a.unique {
		name, fault := e.choose(a, v)
		if fault != nil {
			e.faults = append(e.faults, fault)
			return
		}
		out.Names = append(out.Names, Reservation{Attribute: a.to, Value: fold(name)})
		v = types.String(name)
	}
	if d.Values, err = valuesOf(v); err != nil {
		e.faults = append(e.faults, a.faultOf(err))
		return
	}
	if len(d.Values) > 0 {
		out.Attributes = append(out.Attributes, d)
	}
}

func (e *evaluation) grant(g *grantRule, out *Result) {
	if g.when != nil {
		holds, fault := g.when.condition(&e.facts, CodeGrantData)
		if fault != nil {
			e.faults = append(e.faults, fault)
		}
		if !holds {
			return
		}
	}
	if g.from == nil {
		out.Grants = append(out.Grants, identity.Grant{Entitlement: g.entitlement, Reason: g.reason})
		return
	}
	names, fault := g.from.entitlements(&e.facts)
	if fault != nil {
		e.faults = append(e.faults, fault)
		return
	}
	for _, name := range names {
		out.Grants = append(out.Grants, identity.Grant{Entitlement: name, Reason: g.reason})
	}
}

// entitlements evaluates a rule that gives the names of entitlements.
func (r *rule) entitlements(f *facts) ([]string, *Fault) {
	v, err := r.eval(f)
	if err != nil {
		if missing, ok := valueless(err); ok {
			return nil, &Fault{
				Code: CodeGrantData, Place: r.Place, Rule: r.what,
				Text: missing + ", so the entitlements are not known; say which ones then hold with coalesce(…)",
			}
		}
		return nil, r.faultOf(err)
	}
	values, err := valuesOf(v)
	if err != nil {
		return nil, r.faultOf(err)
	}
	var names []string
	for _, v := range values {
		name, ok := v.(string)
		if !ok || strings.TrimSpace(name) == "" {
			return nil, r.faultOf(refuse("the name of an entitlement is empty or not text"))
		}
		names = append(names, name)
	}
	return names, nil
}

// sortGrants sorts by entitlement and keeps the first reason of each.
func sortGrants(grants []identity.Grant) []identity.Grant {
	sort.SliceStable(grants, func(i, j int) bool { return grants[i].Entitlement < grants[j].Entitlement })
	out := grants[:0]
	for _, g := range grants {
		if len(out) == 0 || out[len(out)-1].Entitlement != g.Entitlement {
			out = append(out, g)
		}
	}
	return out
}
