package fakeldap

import (
	"slices"
)

// link is what a flavor knows of an attribute that points to other entries.
type link struct {
	back *attributeType // computed on the entry pointed to; nil: none
	// exists: the entry pointed to must be there.
	exists bool
	// tracked: a link that pointed to nothing when it was written stays without a
	// back link, and is left alone, even when the entry comes to be. So does
	// OpenLDAP's memberof, which acts when the group is written.
	tracked bool
}

// linksOf returns the attributes whose values follow a rename and vanish with
// the entry they point to: Active Directory's linked attributes, OpenLDAP's
// overlays memberof and refint, 389-ds's plug-ins of the same purpose.
func linksOf(s *schema) map[*attributeType]link {
	out := map[*attributeType]link{}
	put := func(forward, back string) {
		if t := s.types[forward]; t != nil {
			out[t] = link{back: s.types[back], exists: s.flavor == ActiveDirectory, tracked: s.flavor == OpenLDAP && s.types[back] != nil}
		}
	}
	put("member", "memberof")
	put("manager", "directreports")
	switch s.flavor {
	case ActiveDirectory:
		put("managedby", "managedobjects")
	case DS389:
		put("uniquemember", "memberof")
	}
	return out
}

// pointing returns the entries that hold e's DN in an attribute.
func (d *directory) pointing(at *entry, t *attributeType) []*entry {
	return d.index[t][at.dn.key()]
}

// holds reports whether the holder's link to the key counts.
func (e *entry) holds(t *attributeType, key string) bool {
	return slices.ContainsFunc(e.attrs, func(a *attribute) bool { return a.typ == t && a.find(key) >= 0 && !a.dangling[key] })
}

// track notes a link that points to nothing.
func (t *tx) track(a *attribute, norm string) {
	if t.entries[norm] == nil {
		t.dangle(a, norm)
	}
}

func (t *tx) dangle(a *attribute, norm string) {
	if !t.links[a.typ].tracked {
		return
	}
	if a.dangling == nil {
		a.dangling = map[string]bool{}
	}
	a.dangling[norm] = true
	t.onUndo(func() { delete(a.dangling, norm) })
}

// retrack: memberof looks at all members of a group anew when it is renamed.
func (t *tx) retrack(e *entry) {
	for _, a := range e.attrs {
		for n := range a.dangling {
			if x := t.entries[n]; x != nil && x != e {
				delete(a.dangling, n)
				t.onUndo(func() { a.dangling[n] = true })
			}
		}
	}
}

// backLinks computes memberOf and its like.
func (d *directory) backLinks(e *entry, back *attributeType) []string {
	var out []string
	for t, l := range d.links {
		if l.back != back {
			continue
		}
		for _, holder := range d.pointing(e, t) {
			if !l.tracked || holder.holds(t, e.dn.key()) {
				out = append(out, holder.dn.String())
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// relink makes what pointed to the old key point to where e is now. Active
// Directory keeps links by number, so that the holder does not count as changed.
func (t *tx) relink(e *entry, old string) {
	now := e.dn.key()
	if now == old {
		return
	}
	for typ := range t.links {
		for _, holder := range slices.Clone(t.index[typ][old]) {
			if !holder.holds(typ, old) {
				continue
			}
			for _, a := range slices.Clone(holder.attrs) {
				if i := a.find(old); a.typ == typ && i >= 0 {
					t.redirect(holder, a, a.values[i], old, e)
				}
			}
			if t.flavor != ActiveDirectory {
				t.touch(holder)
			}
		}
	}
}

// redirect replaces one link; where the new one is there already, the old one goes.
func (t *tx) redirect(holder *entry, a *attribute, was, old string, to *entry) {
	now, value := to.dn.key(), to.dn.String()
	if a.find(now) >= 0 {
		t.del(holder, a.description, was)
		return
	}
	a.rename(old, now, value)
	t.forget(holder, a.typ, old)
	t.note(holder, a.typ, now)
	t.onUndo(func() {
		a.rename(now, old, was)
		t.forget(holder, a.typ, now)
		t.note(holder, a.typ, old)
	})
}

func (a *attribute) rename(old, now, value string) {
	i := a.find(old)
	if a.places != nil {
		delete(a.places, old)
		a.places[now] = i
	}
	a.values[i], a.norms[i] = value, now
}

// unlink takes a deleted entry out of what pointed to it.
func (t *tx) unlink(e *entry) {
	for typ := range t.links {
		for _, holder := range slices.Clone(t.pointing(e, typ)) {
			if !holder.holds(typ, e.dn.key()) {
				continue
			}
			for _, a := range slices.Clone(holder.attrs) {
				switch {
				case a.typ != typ:
				case t.lastMember(holder, a):
					t.dangle(a, e.dn.key())
				default:
					t.del(holder, a.description, e.dn.String())
				}
			}
			if t.flavor != ActiveDirectory {
				t.touch(holder)
			}
		}
	}
}

// lastMember reports whether a class demands the one value that is left: then it
// stays, and dangles (QUIRKS LDAP-23).
func (t *tx) lastMember(e *entry, a *attribute) bool {
	if len(a.values) > 1 {
		return false
	}
	for _, c := range t.classesOf(e) {
		if slices.Contains(c.allMust(), a.typ) {
			return true
		}
	}
	return false
}

// checkLinks refuses values that point to nothing, where the flavor does.
func (t *tx) checkLinks(e *entry, d description, values []string) error {
	l, ok := t.links[d.typ]
	if !ok || !l.exists {
		return nil
	}
	for _, v := range values {
		if t.entries[canonical(d.typ, v)] != nil {
			continue
		}
		if d.typ.key == "member" {
			return refuse(noSuchObject, "").ad(winNoSuchUser)
		}
		return refuse(constraintViolation, "%s: the entry does not exist", d.typ.name()).ad(winDanglingLink).of(d.typ.name())
	}
	return nil
}
