package mapping

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/mapping/library"
)

// Fits checks what the rules give against what the target's attributes hold:
// types, one value or many, and literals against a closed list. Attributes that
// the target does not have are not its concern. The error is [Errors].
func (p *Program) Fits(t connector.ObjectType) error {
	var errs Errors
	for _, a := range p.attributes {
		attr, ok := t.Attr(a.to)
		if !ok {
			continue
		}
		if reason, hint := a.misfit(attr); reason != "" {
			errs = append(errs, &Error{Place: a.Place, Rule: a.what, Expr: a.Expr, Reason: reason, Hint: hint})
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

func (a *attributeRule) misfit(attr connector.Attr) (reason, hint string) {
	out := a.out
	if out.Kind() == types.ListKind {
		if !attr.Multi {
			return "the rule gives a list, and the target holds one value", "take one with at(…, 0) or put them together with join(…)"
		}
		out = out.Parameters()[0]
	}
	to := attr.Type
	if to == "" {
		to = connector.TypeString
	}
	if allowed := fitting[to]; !isAny(out) && !slices.Contains(allowed, family(out)) {
		return fmt.Sprintf("the rule gives %s, and the target's attribute is of type %s", typeName(out), to), fitHint(out, to)
	}
	if text, ok := textOf(a.ast.NativeRep().Expr()); ok && len(attr.Canonical) > 0 && !takes(attr, text) {
		return fmt.Sprintf("the target does not take %q", text), "it takes " + strings.Join(attr.Canonical, ", ")
	}
	return "", ""
}

func takes(attr connector.Attr, text string) bool {
	return slices.ContainsFunc(attr.Canonical, func(c string) bool {
		return c == text || !attr.CaseExact && strings.EqualFold(c, text)
	})
}

func isAny(t *cel.Type) bool {
	return slices.Contains([]types.Kind{types.DynKind, types.AnyKind, types.TypeParamKind}, t.Kind())
}

// family names the types that targets treat alike.
func family(t *cel.Type) string {
	switch {
	case t.TypeName() == library.UniqueType.TypeName():
		return "text"
	case t.Kind() == types.UintKind:
		return "integer"
	case t.Kind() == types.MapKind:
		return "object"
	}
	return typeName(t)
}

// fitting lists, for each type of a target's attribute, the rule types that can
// become it. Text can become most things; whether a text does, shows with the
// person.
var fitting = map[connector.ValueType][]string{
	connector.TypeString:    {"text", "integer", "number", "bool", "date", "timestamp"},
	connector.TypeInteger:   {"text", "integer", "number"},
	connector.TypeDouble:    {"text", "integer", "number"},
	connector.TypeBool:      {"text", "integer", "bool"},
	connector.TypeTimestamp: {"text", "timestamp"},
	connector.TypeDate:      {"text", "date"},
	connector.TypeBytes:     {"bytes"},
	connector.TypeReference: {"text", "reference"},
	connector.TypeObject:    {"object"},
}

func fitHint(out *cel.Type, to connector.ValueType) string {
	switch family(out) {
	case "date":
		if to == connector.TypeTimestamp {
			return `say which moment of the day: start_of_day(…, "Europe/Berlin") or end_of_day(…)`
		}
		if to == connector.TypeInteger {
			return `for Active Directory write filetime(end_of_day(…, "Europe/Berlin"))`
		}
	case "timestamp":
		if to == connector.TypeDate {
			return `say whose day it is: date(…, "Europe/Berlin")`
		}
	case "reference":
		return "map it to an attribute that refers to an account, or write the value itself"
	}
	return ""
}

// reads calls f for every field and variable that some rule reads.
func (p *Program) reads(f func(input)) {
	all := []*rule{p.scope}
	for _, a := range p.attributes {
		all = append(all, a.rule)
	}
	for _, g := range p.grants {
		all = append(all, g.from, g.when)
	}
	for _, r := range all {
		if r == nil {
			continue
		}
		for _, in := range r.inputs {
			f(in)
		}
	}
}

// Timed reports whether a rule reads now: its result can change although the
// source does not, so everyone has to be worked out again as time goes by.
func (p *Program) Timed() bool {
	timed := false
	p.reads(func(in input) { timed = timed || in.variable == nowName })
	return timed
}

// Reads lists the fields of the source that rules read, as they are written
// there, sorted: "manager.mail", "person.department".
func (p *Program) Reads() []string {
	var out []string
	p.reads(func(in input) {
		if in.field != "" {
			out = append(out, fieldExpr(in.variable, in.field))
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}
