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
