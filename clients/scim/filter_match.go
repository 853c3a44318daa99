package scim

import (
	"strings"
)

// Matches reports whether r passes the filter, by the comparison rules of a (nil:
// those of the RFCs).
func Matches(f Filter, r Resource, a *AttributeIndex) bool { return matches(f, r, Path{}, a) }

// matches holds v against f. within is the multi-valued attribute that v is a
// value of; zero for a whole resource.
func matches(f Filter, v any, within Path, a *AttributeIndex) bool {
	switch x := f.(type) {
	case And:
		for _, e := range x {
			if !matches(e, v, within, a) {
				return false
			}
		}
		return true
	case Or:
		for _, e := range x {
			if matches(e, v, within, a) {
				return true
			}
		}
		return false
	case Not:
		return !matches(x.Filter, v, within, a)
	case Where:
		for _, e := range Resource(object(v)).Values(x.Path) {
			if matches(x.Filter, e, x.Path, a) {
				return true
			}
		}
		return false
	case Compare:
		return x.holds(v, within, a)
	}
	return false
}

func (f Compare) holds(v any, within Path, a *AttributeIndex) bool {
	path, have := f.Path, []any(nil)
	switch o := object(v); {
	case o != nil:
		have = Resource(o).Values(f.Path)
		if f.Path.Sub == "" && within.IsZero() {
			have = values(have) // emails eq "x" means emails.value
		}
	case strings.EqualFold(f.Path.Attr, "value"):
		have = list(v)
	}
	if !within.IsZero() {
		path = Path{Schema: within.Schema, Attr: within.Attr, Sub: f.Path.Attr}
	}
	switch f.Op {
	case OpPresent:
		return len(have) > 0
	case OpNotEqual:
		return !Compare{f.Path, OpEqual, f.Value}.holds(v, within, a)
	}
	for _, h := range have {
		if compare(f.Op, path, h, f.Value, a) {
			return true
		}
	}
	return f.Op == OpEqual && f.Value == nil && len(have) == 0
}

// values replaces complex values by their value.
func values(vs []any) []any {
	out := make([]any, 0, len(vs))
	for _, v := range vs {
		if o := object(v); o != nil {
			v = member(o, "value")
		}
		out = append(out, v)
	}
	return out
}

func compare(op Op, path Path, have, want any, a *AttributeIndex) bool {
	if op == OpEqual {
		return a.Equal(path, have, want)
	}
	nx, okx := number(have)
	if ny, ok := number(want); ok && okx {
		return ordered(op, nx.Cmp(ny))
	}
	x, okx := have.(string)
	y, ok := want.(string)
	if !ok || !okx {
		return false
	}
	if !a.CaseExact(path) {
		x, y = strings.ToLower(x), strings.ToLower(y)
	}
	switch op {
	case OpContains:
		return strings.Contains(x, y)
	case OpStartsWith:
		return strings.HasPrefix(x, y)
	case OpEndsWith:
		return strings.HasSuffix(x, y)
	}
	return ordered(op, strings.Compare(x, y))
}

func ordered(op Op, cmp int) bool {
	switch op {
	case OpGreater:
		return cmp > 0
	case OpGreaterEqual:
		return cmp >= 0
	case OpLess:
		return cmp < 0
	case OpLessEqual:
		return cmp <= 0
	}
	return false
}
