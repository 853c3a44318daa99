package fakeldap

import (
	"slices"
)

// tx is one change of the directory. What it did is undone when any part of it
// is refused: an LDAP operation is atomic (RFC 4511 §4.6).
type tx struct {
	*directory
	by      string // the DN that modifiersName shows
	undo    []func()
	touched []*entry
	seen    map[*entry]bool // those in touched
	changes []change
}

// write runs f with the directory to itself, and commits or rolls back.
func (d *directory) write(by string, f func(*tx) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := &tx{directory: d, by: by, seen: map[*entry]bool{}}
	if err := f(t); err != nil {
		for _, u := range slices.Backward(t.undo) {
			u()
		}
		return err
	}
	t.commit()
	return nil
}

// commit tells what happened.
func (t *tx) commit() {
	for _, e := range t.touched {
		t.changes = append(t.changes, change{usn: e.usn, entry: e, born: e.usn == e.usnBorn})
	}
	for _, c := range t.changes {
		if c.deleted {
			t.directory.graves = append(t.directory.graves, *c.grave)
		}
		for _, tell := range t.onWrite {
			tell(c)
		}
	}
}

func (t *tx) onUndo(f func()) { t.undo = append(t.undo, f) }

// touch marks an entry as changed, now and by whom the transaction is for.
func (t *tx) touch(e *entry) {
	if t.seen[e] {
		return
	}
	t.seen[e] = true
	t.touched = append(t.touched, e)
	usn, modified, modifier := e.usn, e.modified, e.modifier
	t.onUndo(func() { e.usn, e.modified, e.modifier = usn, modified, modifier })
	t.directory.usn++ // numbers of changes that were undone stay unused
	e.usn, e.modified, e.modifier = t.directory.usn, t.clock().UTC(), t.by
	if e.usnBorn == 0 {
		e.usnBorn, e.created, e.creator = e.usn, e.modified, e.modifier
	}
}

// canonical is what the type's equality rule compares; a type without one compares octets.
func canonical(t *attributeType, value string) string {
	if t.normal == nil {
		return value
	}
	return t.normal(value)
}

// add adds one value; false: it is there already.
func (t *tx) add(e *entry, d description, value string) bool {
	value, n := t.prepare(d.typ, value)
	a := e.attr(d)
	if a == nil {
		a = &attribute{description: d}
		e.attrs = append(e.attrs, a)
		t.onUndo(func() { e.drop(a) })
	} else if a.find(n) >= 0 {
		return false
	}
	a.put(value, n)
	t.track(a, n)
	t.note(e, d.typ, n)
	t.onUndo(func() {
		a.cut(a.find(n))
		t.forget(e, d.typ, n)
	})
	return true
}

// del removes one value; false: it is not there.
func (t *tx) del(e *entry, d description, value string) bool {
	a := e.attr(d)
	if a == nil {
		return false
	}
	n := canonical(d.typ, value)
	i := a.find(n)
	if i < 0 {
		return false
	}
	was, dangled := a.values[i], a.dangling[n]
	a.cut(i)
	t.forget(e, d.typ, n)
	t.onUndo(func() {
		a.put(was, n)
		if dangled {
			a.dangling[n] = true
		}
		t.note(e, d.typ, n)
	})
	if len(a.values) == 0 {
		e.drop(a)
		t.onUndo(func() { e.attrs = append(e.attrs, a) })
	}
	return true
}

// clear removes an attribute whole; false: it is not there.
func (t *tx) clear(e *entry, d description) bool {
	a := e.attr(d)
	if a == nil {
		return false
	}
	e.drop(a)
	for _, n := range a.norms {
		t.forget(e, d.typ, n)
	}
	t.onUndo(func() {
		e.attrs = append(e.attrs, a)
		for _, n := range a.norms {
			t.note(e, d.typ, n)
		}
	})
	return true
}

// set makes values the whole content; none removes the attribute. The values
// must differ.
func (t *tx) set(e *entry, d description, values ...string) {
	t.clear(e, d)
	for _, v := range values {
		t.add(e, d, v)
	}
}

func (e *entry) drop(a *attribute) {
	e.attrs = slices.DeleteFunc(e.attrs, func(x *attribute) bool { return x == a })
}

// insert puts a new entry in.
func (t *tx) insert(e *entry) {
	t.directory.insert(e)
	t.touch(e)
	t.onUndo(func() { t.directory.remove(e) })
}

// remove takes an entry out.
func (t *tx) remove(e *entry) {
	born := e.seq
	t.directory.remove(e)
	t.touched = slices.DeleteFunc(t.touched, func(x *entry) bool { return x == e })
	t.directory.usn++
	t.changes = append(t.changes, change{usn: t.directory.usn, entry: e, deleted: true,
		grave: &grave{usn: t.directory.usn, id: e.id, dn: e.dn, at: t.clock().UTC()}})
	t.onUndo(func() {
		e.gone = false
		t.directory.insert(e)
		e.seq = born
	})
}
