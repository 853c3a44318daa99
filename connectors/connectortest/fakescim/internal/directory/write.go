package directory

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// newID returns a random UUID (RFC 9562 version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Create makes a resource as fill wants it and calls view with it. The error is
// fill's, or a [*schema.Error] with status 409 when a value must be unique.
func (d *Directory) Create(typ string, seeded bool, fill func(*Draft) error, view func(*Resource)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[typ]
	draft := draftOf(t.typ, nil)
	if err := fill(draft); err != nil {
		return err
	}
	if draft.ID == "" {
		draft.ID = newID()
	}
	prune(draft.Attrs)
	if err := d.check(t, draft); err != nil {
		return err
	}
	now := d.now()
	d.seq++
	r := &Resource{Type: t.typ, ID: draft.ID, Attrs: draft.Attrs, Aside: draft.Aside, Created: now, Modified: now, Version: 1, seq: d.seq}
	if !seeded {
		r.Since = now
	}
	if t.typ.Name == "Group" {
		r.Members = newMembers()
		d.meet(r, draft)
	}
	t.order = append(t.order, r)
	t.byID[r.ID] = r
	t.enter(r)
	d.generation++
	view(r)
	return nil
}

// Update changes a resource as edit wants it and calls view with it, which is
// nil when there is none; then edit is not called. A draft that changes nothing
// leaves the version as it is.
func (d *Directory) Update(typ, id string, edit func(*Draft) error, view func(*Resource)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[typ]
	r := t.byID[id]
	if r == nil {
		view(nil)
		return nil
	}
	draft := draftOf(t.typ, r)
	if err := edit(draft); err != nil {
		return err
	}
	prune(draft.Attrs)
	if draft.changed() {
		if err := d.check(t, draft); err != nil {
			return err
		}
		t.leave(r)
		r.Attrs, r.Aside, r.Modified = draft.Attrs, draft.Aside, d.now()
		r.Version++
		d.meet(r, draft)
		t.enter(r)
		d.generation++
	}
	view(r)
	return nil
}

// Delete takes a resource out, and out of all groups, once may allows it. may is
// called with nil when there is none.
func (d *Directory) Delete(typ, id string, may func(*Resource) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[typ]
	r := t.byID[id]
	if err := may(r); err != nil || r == nil {
		return err
	}
	t.leave(r)
	delete(t.byID, id)
	at, _ := slices.BinarySearchFunc(t.order, r.seq, func(x *Resource, seq int) int { return x.seq - seq })
	t.order = slices.Concat(t.order[:at], t.order[at+1:]) // a copy: results may hold the old one
	for _, g := range d.groupsOf[id] {
		g.Members.remove(id)
		g.Version++
	}
	delete(d.groupsOf, id)
	if r.Members != nil {
		for _, m := range r.Members.All() {
			delete(d.groupsOf[m.Value], id)
		}
	}
	d.generation++
	return nil
}

// check says what keeps a draft from being written.
func (d *Directory) check(t *table, draft *Draft) error {
	if err := schema.Required(t.typ, draft.Attrs); err != nil {
		return err
	}
	if t.byID[draft.ID] != nil && draft.old == nil {
		return &schema.Error{Status: 409, Type: schema.Uniqueness, Detail: "the id is taken"}
	}
	for name := range t.index {
		if !d.unique[t.typ.Name+"."+name] {
			continue
		}
		for _, r := range t.index[name][key(t.typ, name, draft.Attrs[name])] {
			if r != draft.old && draft.Attrs[name] != nil {
				return &schema.Error{Status: 409, Type: schema.Uniqueness, Detail: name + " is taken by another " + t.typ.Name}
			}
		}
	}
	return nil
}

// meet gives a group the members of a draft.
func (d *Directory) meet(r *Resource, draft *Draft) {
	for id := range draft.removed {
		r.Members.remove(id)
		delete(d.groupsOf[id], r.ID)
	}
	for _, m := range draft.Added() {
		r.Members.add(m)
		if d.groupsOf[m.Value] == nil {
			d.groupsOf[m.Value] = map[string]*Resource{}
		}
		d.groupsOf[m.Value][r.ID] = r
	}
}

// key returns what a value is indexed by.
func key(t *schema.Type, name string, v any) string {
	s, _ := v.(string)
	return fold(t.Top(name), s)
}

func (t *table) enter(r *Resource) {
	for name, index := range t.index {
		if v := r.Attrs[name]; v != nil {
			k := key(t.typ, name, v)
			index[k] = append(index[k], r)
		}
	}
}

func (t *table) leave(r *Resource) {
	for name, index := range t.index {
		k := key(t.typ, name, r.Attrs[name])
		if rest := slices.DeleteFunc(index[k], func(x *Resource) bool { return x == r }); len(rest) > 0 {
			index[k] = rest
		} else {
			delete(index, k)
		}
	}
}
