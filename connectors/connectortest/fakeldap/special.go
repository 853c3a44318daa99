package fakeldap

import (
	"slices"
	"strings"
)

// passwordChange gathers what a modify request says of a password: it may come
// as delete of the old and add of the new.
type passwordChange struct {
	fresh   *string
	old     *string
	cleared bool
	reset   bool // replaced without the old one
}

// special handles the attributes that are more than values; done tells that the
// modification is dealt with.
func (w *writer) special(m modification) (done bool, err error) {
	switch {
	case m.typ.key == "userpassword" && w.flavor != ActiveDirectory:
		return true, w.passwords.gather(m)
	case w.flavor == ActiveDirectory:
		return w.specialAD(m)
	}
	return false, nil
}

// gather notes one modification of the password.
func (p *passwordChange) gather(m modification) error {
	if len(m.values) > 1 {
		return refuse(constraintViolation, "Password policy only allows one password value")
	}
	switch {
	case m.op == modDelete && len(m.values) == 1:
		p.old = &m.values[0]
	case len(m.values) == 0:
		p.cleared = true
	default:
		p.fresh, p.reset = &m.values[0], m.op == modReplace
	}
	return nil
}

// carryOut changes the password when the request said so.
func (p *passwordChange) carryOut(w *writer) error {
	if p.old != nil && !w.entry.secret.matches(*p.old) {
		return w.wrongOld()
	}
	switch {
	case p.fresh != nil:
		return w.setPassword(w.entry, *p.fresh)
	case p.cleared || p.old != nil:
		if !w.entry.secret.isSet() && !p.reset && !w.permissive {
			return refuse(noSuchAttribute, "modify/delete: userPassword: no such attribute").of("userPassword")
		}
		return w.setPassword(w.entry, "")
	}
	return nil
}

func (w *writer) wrongOld() error {
	if w.flavor == ActiveDirectory {
		return refuse(constraintViolation, "").ad(winWrongPassword).of("unicodePwd")
	}
	return refuse(noSuchAttribute, "modify/delete: userPassword: no such value").of("userPassword")
}

// settle holds an entry, as it stands after a change, against the schema and the
// product's rules. before are its classes before it; nil: they did not change.
func (t *tx) settle(e *entry, before []*objectClass) error {
	if was, _ := structural(before); was != nil && t.flavor == OpenLDAP {
		is, fault := structural(t.classesOf(e))
		if fault == "" && was != is {
			return refuse(objectClassModsProhibited, "structural object class modification from '%s' to '%s' not allowed", was.name, is.name)
		}
	}
	if err := t.check(e); err != nil {
		return err
	}
	if t.flavor == ActiveDirectory {
		if err := t.settleAD(e); err != nil {
			return err
		}
	}
	return t.checkUnique(e)
}

// checkUnique refuses a value that another entry has, where the product watches
// for it.
func (t *tx) checkUnique(e *entry) error {
	switch t.flavor {
	case ActiveDirectory:
		return t.checkUniqueAD(e)
	case DS389:
		for _, name := range t.options.Unique {
			if t.takenByOther(e, strings.ToLower(name)) {
				return refuse(constraintViolation, "Another entry with the same attribute value already exists (attribute: %q)", name)
			}
		}
	}
	return nil
}

// takenByOther reports whether another entry holds a value of the attribute.
func (t *tx) takenByOther(e *entry, name string) bool {
	typ := t.types[name]
	if typ == nil {
		return false
	}
	a := e.attr(description{typ: typ})
	if a == nil {
		return false
	}
	return slices.ContainsFunc(a.norms, func(n string) bool { return t.holderOf(typ, n, e) != nil })
}

// holderOf returns an entry other than e that holds the value; nil: none does.
func (d *directory) holderOf(typ *attributeType, norm string, e *entry) *entry {
	if idx, ok := d.index[typ]; ok {
		if i := slices.IndexFunc(idx[norm], func(x *entry) bool { return x != e }); i >= 0 {
			return idx[norm][i]
		}
		return nil
	}
	for _, x := range d.entries {
		if a := x.attr(description{typ: typ}); x != e && a != nil && a.find(norm) >= 0 {
			return x
		}
	}
	return nil
}
