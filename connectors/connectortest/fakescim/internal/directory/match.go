package directory

import (
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Match says whether something meets a filter.
type Match[T any] func(T) bool

// compiler turns a filter into a Match. attr makes the one for a comparison,
// nested that for a value path.
type compiler[T any] struct {
	attr   func(query.Compare) (Match[T], error)
	nested func(query.ValuePath) (Match[T], error)
}

func (c compiler[T]) compile(e query.Expr) (Match[T], error) {
	switch x := e.(type) {
	case query.And:
		return c.both(x.Left, x.Right, func(a, b Match[T]) Match[T] { return func(v T) bool { return a(v) && b(v) } })
	case query.Or:
		return c.both(x.Left, x.Right, func(a, b Match[T]) Match[T] { return func(v T) bool { return a(v) || b(v) } })
	case query.Not:
		m, err := c.compile(x.X)
		return func(v T) bool { return !m(v) }, err
	case query.ValuePath:
		return c.nested(x)
	}
	return c.attr(e.(query.Compare))
}

func (c compiler[T]) both(l, r query.Expr, join func(a, b Match[T]) Match[T]) (Match[T], error) {
	a, err := c.compile(l)
	if err != nil {
		return nil, err
	}
	b, err := c.compile(r)
	return join(a, b), err
}

// Element compiles the filter of a value path on attribute a, which is complex:
// it takes one value. The error is a [*schema.Error].
func Element(a *schema.Attr, e query.Expr) (Match[map[string]any], error) {
	return compiler[map[string]any]{
		attr: func(c query.Compare) (Match[map[string]any], error) {
			sub := a.Sub(c.Attr.Name)
			if sub == nil || c.Attr.URI != "" || c.Attr.Sub != "" {
				return nil, schema.Bad(schema.InvalidFilter, "%s has no sub-attribute %s", a.Name, c.Attr)
			}
			holds, err := some(sub, c)
			return func(m map[string]any) bool { return holds(listed(m[sub.Name])) }, err
		},
		nested: func(v query.ValuePath) (Match[map[string]any], error) {
			return nil, schema.Bad(schema.InvalidFilter, "%s stands within a value path", v)
		},
	}.compile(e)
}

// some says whether the values of an attribute meet a comparison: one of them
// does, or none is there where the comparison asks for that.
func some(a *schema.Attr, c query.Compare) (Match[[]any], error) {
	switch {
	case c.Op == query.Present && a.Returned == "never":
		return nil, schema.Bad(schema.InvalidFilter, "%s: %s cannot be searched for", c, a.Name)
	case c.Op == query.Present, c.Op == query.NotEqual && c.Value == nil:
		return func(vs []any) bool { return anyOf(vs, present) }, nil
	case c.Op == query.Equal && c.Value == nil:
		return func(vs []any) bool { return !anyOf(vs, present) }, nil
	}
	holds, err := comparison(a, c)
	if err != nil {
		return nil, err
	}
	return func(vs []any) bool {
		return len(vs) == 0 && c.Op == query.NotEqual || anyOf(vs, holds)
	}, nil
}

func anyOf(vs []any, holds test) bool {
	for _, v := range vs {
		if holds(v) {
			return true
		}
	}
	return false
}

// present reports whether a value is not empty.
func present(v any) bool {
	switch x := v.(type) {
	case nil:
		return false
	case string:
		return x != ""
	case map[string]any:
		for _, y := range x {
			if present(y) {
				return true
			}
		}
		return false
	}
	return true
}

// listed returns a value as a list: none when it is unassigned.
func listed(v any) []any {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		return x
	}
	return []any{v}
}
