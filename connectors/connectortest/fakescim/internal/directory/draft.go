package directory

import (
	"reflect"
	"slices"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Draft is a resource as a write wants it. Nothing takes effect before the write
// is over and good.
type Draft struct {
	Type *schema.Type
	// ID of the resource; a create may choose it.
	ID    string
	Attrs map[string]any // owned by the draft
	Aside map[string]any // replaced, never changed

	old     *Resource // nil on create
	added   []Member  // not in old, in order
	place   map[string]int
	removed map[string]bool // in old
}

func draftOf(t *schema.Type, old *Resource) *Draft {
	d := &Draft{Type: t, Attrs: map[string]any{}, old: old, place: map[string]int{}, removed: map[string]bool{}}
	if old != nil {
		d.ID, d.Attrs, d.Aside = old.ID, cloneAttrs(old.Attrs), old.Aside
	}
	return d
}

// Old returns the resource before the write; nil on create.
func (d *Draft) Old() *Resource { return d.old }

func (d *Draft) hadMember(id string) bool {
	return d.old != nil && d.old.Members != nil && d.old.Members.Has(id)
}

// HasMember reports whether id is a member.
func (d *Draft) HasMember(id string) bool {
	_, added := d.place[id]
	return added || d.hadMember(id) && !d.removed[id]
}

// AddMember makes m a member; it may be one already.
func (d *Draft) AddMember(m Member) {
	switch {
	case d.HasMember(m.Value):
	case d.hadMember(m.Value):
		delete(d.removed, m.Value)
	default:
		d.place[m.Value] = len(d.added)
		d.added = append(d.added, m)
	}
}

// RemoveMember takes a member out and reports whether it was one.
func (d *Draft) RemoveMember(id string) bool {
	if i, ok := d.place[id]; ok {
		delete(d.place, id)
		d.added[i] = Member{}
		return true
	}
	if !d.hadMember(id) || d.removed[id] {
		return false
	}
	d.removed[id] = true
	return true
}

// Members returns all members, in order.
func (d *Draft) Members() []Member {
	var out []Member
	if d.old != nil && d.old.Members != nil {
		out = slices.DeleteFunc(d.old.Members.All(), func(m Member) bool { return d.removed[m.Value] })
	}
	return append(out, d.Added()...)
}

// Added returns the members that the write adds.
func (d *Draft) Added() []Member {
	return slices.DeleteFunc(slices.Clone(d.added), func(m Member) bool { return m.Value == "" })
}

// changed reports whether the write changes anything.
func (d *Draft) changed() bool {
	return d.old == nil || len(d.place) > 0 || len(d.removed) > 0 || !reflect.DeepEqual(d.Attrs, d.old.Attrs)
}

// prune takes out what is unassigned: null, empty lists and objects
// (RFC 7643 §2.5).
func prune(m map[string]any) {
	for k, v := range m {
		if v = pruned(v); v == nil {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
}

// pruned returns v without what is unassigned in it; nil when nothing is left.
func pruned(v any) any {
	switch x := v.(type) {
	case []any:
		var kept []any
		for _, y := range x {
			if y = pruned(y); y != nil {
				kept = append(kept, y)
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case map[string]any:
		prune(x)
		if len(x) == 0 {
			return nil
		}
	}
	return v
}
