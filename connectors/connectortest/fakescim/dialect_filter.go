package fakescim

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// filter holds a filter against the dialect; text is as it came.
func (r *rules) filter(t *schema.Type, text string, e query.Expr) error {
	refuse := func(format string, args ...any) error { return schema.Bad(schema.InvalidFilter, format, args...) }
	if r.FilterMaxNodes > 0 && query.Nodes(e) > r.FilterMaxNodes {
		return refuse("the filter has more than %d nodes", r.FilterMaxNodes)
	}
	if op := r.unknownOp(e); op != "" {
		return refuse("%s is not supported", op)
	}
	if err := r.written(text, e); err != nil {
		return err
	}
	attrs := compared(e)
	if allowed := r.FilterAttrs.Of(typeOf(t)); len(allowed) > 0 {
		for _, a := range attrs {
			if !slices.ContainsFunc(allowed, func(x string) bool { return covers(x, a) }) {
				return refuse("%s cannot be searched for", a)
			}
		}
	}
	if combos := r.FilterCombos.Of(typeOf(t)); len(combos) > 0 && !slices.ContainsFunc(combos, func(c []string) bool { return sameSet(c, attrs) }) {
		return refuse("the attributes %s cannot be searched for together", strings.Join(attrs, ", "))
	}
	external := slices.ContainsFunc(attrs, func(a string) bool { return equalFold(a, "externalId") })
	switch {
	case external && r.ExternalID == scim.ExternalIDUnsupported:
		return refuse("externalId cannot be searched for")
	case external && r.ExternalID == scim.ExternalIDNotCombinable && len(attrs) > 1:
		return refuse("externalId cannot be combined with others")
	}
	return nil
}

// unknownOp returns an operator of the filter that the dialect lacks; "": none.
func (r *rules) unknownOp(e query.Expr) (missing string) {
	query.Walk(e, func(e query.Expr) {
		var op string
		switch x := e.(type) {
		case query.And:
			op = "and"
		case query.Or:
			op = "or"
		case query.Not:
			op = "not"
		case query.Compare:
			op = string(x.Op)
		default:
			return
		}
		if !contains(r.FilterOps, op) {
			missing = op
		}
	})
	return missing
}

// written refuses what a parser that matches text rather than grammar would not
// understand: other than one space, operators in the wrong case, "and" beside
// "or" without parentheses.
func (r *rules) written(text string, e query.Expr) error {
	strict := r.declared("filter_op_case") || r.declared("filter_paren") || r.declared("filter_combos")
	if !strict {
		return nil
	}
	layout := query.LayoutOf(text)
	want := strings.ToLower
	if r.FilterOpCase == scim.FilterUpper {
		want = strings.ToUpper
	}
	switch {
	case layout.Spaces:
		return schema.Bad(schema.InvalidFilter, "the filter must have the form <attribute> <operator> <value>, with one space between")
	case slices.ContainsFunc(layout.Operators, func(op string) bool { return op != want(op) }):
		return schema.Bad(schema.InvalidFilter, "the operators must be written as in %s", want("eq"))
	case r.FilterParen == scim.ParenAlways && layout.Mixed:
		return schema.Bad(schema.InvalidFilter, "and stands beside or without parentheses: %s", e)
	}
	return nil
}

// compared returns the attributes of a filter, each once; those in a value path
// with the path in front.
func compared(e query.Expr) []string {
	var out []string
	var collect func(prefix string, e query.Expr)
	collect = func(prefix string, e query.Expr) {
		switch x := e.(type) {
		case query.And:
			collect(prefix, x.Left)
			collect(prefix, x.Right)
		case query.Or:
			collect(prefix, x.Left)
			collect(prefix, x.Right)
		case query.Not:
			collect(prefix, x.X)
		case query.ValuePath:
			collect(x.Attr.String()+".", x.Filter)
		case query.Compare:
			name := prefix + x.Attr.String()
			if !slices.ContainsFunc(out, func(y string) bool { return equalFold(y, name) }) {
				out = append(out, name)
			}
		}
	}
	collect("", e)
	return out
}

// covers reports whether a dialect that names the attribute x means a: itself, or
// the value of its values.
func covers(x, a string) bool { return equalFold(x, a) || equalFold(x+".value", a) }

func sameSet(want, have []string) bool {
	if len(want) != len(have) {
		return false
	}
	for _, a := range have {
		if !slices.ContainsFunc(want, func(x string) bool { return covers(x, a) }) {
			return false
		}
	}
	return true
}
