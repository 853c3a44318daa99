package directory

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// sorted puts what was found in order (RFC 7644 §3.4.2.3): unassigned last, or
// first when descending.
func (d *Directory) sorted(t *table, q Query, found []*Resource) ([]*Resource, error) {
	if q.SortBy == nil {
		return found, nil
	}
	f, ok := t.typ.Resolve(*q.SortBy)
	if !ok || f.Attr == nil {
		return nil, schema.Bad(schema.InvalidPath, "a %s has no attribute %s to sort by", t.typ.Name, q.SortBy)
	}
	if f.Sub == nil && f.Attr.Complex() {
		f.Sub = f.Attr.Sub("value")
	}
	if f.Leaf().Complex() || f.Leaf().Returned == "never" {
		return nil, schema.Bad(schema.InvalidPath, "%s cannot be sorted by", q.SortBy)
	}
	keys := make(map[*Resource]any, len(found))
	for _, r := range found {
		keys[r] = d.sortKey(r, f)
	}
	slices.SortStableFunc(found, func(a, b *Resource) int {
		n := compareKeys(keys[a], keys[b])
		if q.Descending {
			return -n
		}
		return n
	})
	return found, nil
}

// sortKey returns what a resource is sorted by: of several values the primary
// one, else the first; nil when there is none.
func (d *Directory) sortKey(r *Resource, f schema.Field) any {
	all := d.values(r, schema.Field{URN: f.URN, Attr: f.Attr})
	if len(all) == 0 {
		return nil
	}
	v := all[0]
	for _, x := range all {
		if m, ok := x.(map[string]any); ok && m["primary"] == true {
			v = x
			break
		}
	}
	if f.Sub != nil {
		m, _ := v.(map[string]any)
		v = m[f.Sub.Name]
	}
	if s, ok := v.(string); ok && f.Leaf().Type != "dateTime" {
		return fold(f.Leaf(), s)
	}
	return v
}

func compareKeys(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	switch x := a.(type) {
	case string:
		y, _ := b.(string)
		return strings.Compare(x, y)
	case bool:
		if x == b {
			return 0
		} else if x {
			return 1
		}
		return -1
	case int64, float64:
		switch n := number(a) - number(b); {
		case n < 0:
			return -1
		case n > 0:
			return 1
		}
		return 0
	}
	return instant(a).Compare(instant(b))
}
