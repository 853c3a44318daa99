package query

import (
	"encoding/json"
	"strings"
)

// Op is a comparison, in lower case.
type Op string

// The comparisons of RFC 7644 Table 3.
const (
	Equal          Op = "eq"
	NotEqual       Op = "ne"
	Contains       Op = "co"
	StartsWith     Op = "sw"
	EndsWith       Op = "ew"
	Greater        Op = "gt"
	GreaterOrEqual Op = "ge"
	Less           Op = "lt"
	LessOrEqual    Op = "le"
	Present        Op = "pr"
)

var ops = map[Op]bool{Equal: true, NotEqual: true, Contains: true, StartsWith: true, EndsWith: true,
	Greater: true, GreaterOrEqual: true, Less: true, LessOrEqual: true, Present: true}

// Attr names an attribute: URI is the schema's, "" when it is not given; Sub is
// the sub-attribute, "" for the attribute itself. The spelling is the text's.
type Attr struct {
	URI, Name, Sub string
}

// String returns the name as it stands in a filter.
func (a Attr) String() string {
	s := a.Name
	if a.URI != "" {
		s = a.URI + ":" + s
	}
	if a.Sub != "" {
		s += "." + a.Sub
	}
	return s
}

// Expr is a filter: [And], [Or], [Not], [Compare] or [ValuePath].
type Expr interface {
	// String returns the filter in canonical form: one space, operators in lower
	// case, parentheses wherever two logical operators meet.
	String() string
}

// And and Or hold when both sides, or either of them, hold.
type (
	And struct{ Left, Right Expr }
	Or  struct{ Left, Right Expr }
)

// Not holds when X does not.
type Not struct{ X Expr }

// Compare holds an attribute against a value: nil, bool, [json.Number] or
// string. With [Present] there is no value.
type Compare struct {
	Attr  Attr
	Op    Op
	Value any
}

// ValuePath holds when one value of a multi-valued attribute meets Filter.
type ValuePath struct {
	Attr   Attr
	Filter Expr
}

func (e And) String() string { return group(e.Left) + " and " + group(e.Right) }
func (e Or) String() string  { return group(e.Left) + " or " + group(e.Right) }
func (e Not) String() string { return "not (" + e.X.String() + ")" }

func (e Compare) String() string {
	if e.Op == Present {
		return e.Attr.String() + " pr"
	}
	return e.Attr.String() + " " + string(e.Op) + " " + literal(e.Value)
}

func (e ValuePath) String() string { return e.Attr.String() + "[" + e.Filter.String() + "]" }

func group(e Expr) string {
	switch e.(type) {
	case And, Or:
		return "(" + e.String() + ")"
	}
	return e.String()
}

func literal(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "null" // the parser makes nothing that JSON cannot hold
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Walk calls f for e and everything below it, e first.
func Walk(e Expr, f func(Expr)) {
	f(e)
	switch x := e.(type) {
	case And:
		Walk(x.Left, f)
		Walk(x.Right, f)
	case Or:
		Walk(x.Left, f)
		Walk(x.Right, f)
	case Not:
		Walk(x.X, f)
	case ValuePath:
		Walk(x.Filter, f)
	}
}

// Nodes counts the comparisons and operators of a filter.
func Nodes(e Expr) int {
	n := 0
	Walk(e, func(Expr) { n++ })
	return n
}

// Conjuncts returns what must all hold for e to hold: the sides of its "and".
func Conjuncts(e Expr) []Expr {
	if a, ok := e.(And); ok {
		return append(Conjuncts(a.Left), Conjuncts(a.Right)...)
	}
	return []Expr{e}
}

// Disjuncts returns what may hold for e to hold: the sides of its "or". nil gives
// none.
func Disjuncts(e Expr) []Expr {
	switch x := e.(type) {
	case nil:
		return nil
	case Or:
		return append(Disjuncts(x.Left), Disjuncts(x.Right)...)
	}
	return []Expr{e}
}
