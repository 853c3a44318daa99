package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Query says what to find and in which order.
type Query struct {
	Filter     query.Expr  // nil: all
	SortBy     *query.Attr // nil: in order of creation
	Descending bool
}

func (q Query) key(typ string) string {
	s := typ
	if q.Filter != nil {
		s += " " + q.Filter.String()
	}
	if q.SortBy != nil {
		s += fmt.Sprintf(" by %s %v", q.SortBy, q.Descending)
	}
	return s
}

// cached is what a query found, and when.
type cached struct {
	generation int
	found      []*Resource
}

// maxCached bounds how many results are kept for the pages that follow.
const maxCached = 16

// Find returns the resources that match. The list must not be changed; what it
// holds is read by [Directory.Read]. The error is a [*schema.Error].
func (d *Directory) Find(typ string, q Query) ([]*Resource, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	t := d.tables[typ]
	var match Match[*Resource]
	if q.Filter != nil {
		m, err := d.compile(t.typ, q.Filter)
		if err != nil {
			return nil, err
		}
		match = m
		if few, ok := d.candidates(t, q.Filter); ok {
			return d.sorted(t, q, chosen(few, match))
		}
	}
	if match == nil && q.SortBy == nil {
		return slices.Clip(t.order), nil
	}
	d.cacheMu.Lock()
	defer d.cacheMu.Unlock()
	if c, ok := d.cache[q.key(typ)]; ok && c.generation == d.generation {
		return c.found, nil
	}
	found, err := d.sorted(t, q, chosen(t.order, match))
	if err == nil {
		if len(d.cache) >= maxCached {
			clear(d.cache)
		}
		d.cache[q.key(typ)] = cached{d.generation, found}
	}
	return found, err
}

// Read calls f with each of rs that is still there. f must not keep it, nor call
// the directory.
func (d *Directory) Read(rs []*Resource, f func(*Resource)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, r := range rs {
		if d.tables[r.Type.Name].byID[r.ID] == r {
			f(r)
		}
	}
}

func chosen(from []*Resource, match Match[*Resource]) []*Resource {
	out := []*Resource{}
	for _, r := range from {
		if match == nil || match(r) {
			out = append(out, r)
		}
	}
	return out
}

// candidates returns the few resources that can match, by an index; ok is false
// when none helps.
func (d *Directory) candidates(t *table, e query.Expr) (few []*Resource, ok bool) {
	for _, part := range query.Conjuncts(e) {
		c, isCompare := part.(query.Compare)
		text, isText := c.Value.(string)
		if v, isPath := part.(query.ValuePath); isPath {
			if c, isCompare = v.Filter.(query.Compare); isCompare && strings.EqualFold(c.Attr.String(), "value") {
				text, isText = c.Value.(string)
				c.Attr = v.Attr
			}
		}
		if !isCompare || !isText || c.Op != query.Equal {
			continue
		}
		f, found := t.typ.Resolve(c.Attr)
		if !found || f.Attr == nil || f.URN != "" {
			continue
		}
		if few, ok = d.lookUp(t, f, text); ok {
			return few, true
		}
	}
	return nil, false
}

// lookUp finds resources by one value; ok is false when there is no index for it.
func (d *Directory) lookUp(t *table, f schema.Field, text string) (few []*Resource, ok bool) {
	byValue := f.Sub == nil || f.Sub.Name == "value"
	switch name := f.Attr.Name; {
	case name == "id":
		if r := t.byID[text]; r != nil {
			few = append(few, r)
		}
		return few, true
	case name == "members" && byValue:
		return d.GroupsOf(text), true
	case name == "groups" && byValue:
		if g := d.tables["Group"].byID[text]; g != nil {
			for _, m := range g.Members.All() {
				if r := t.byID[m.Value]; r != nil {
					few = append(few, r)
				}
			}
		}
		return few, true
	case t.index[name] != nil:
		return t.index[name][fold(f.Attr, text)], true
	}
	return nil, false
}

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
