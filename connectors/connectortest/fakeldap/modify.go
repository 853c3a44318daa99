package fakeldap

import (
	"math/big"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The operations of a modification (RFC 4511 §4.6, increment: RFC 4525).
const (
	modAdd int64 = iota
	modDelete
	modReplace
	modIncrement
)

var modNames = [...]string{"add", "delete", "replace", "increment"}

// modify answers a modify request.
func (c *conn) modify(m message) ([]*ber.Packet, error) {
	parts, err := children(m.body, 2)
	if err != nil {
		return nil, err
	}
	if len(parts[1].Children) == 0 {
		return nil, refuse(protocolError, "no modifications")
	}
	raw, err := decodeModifications(parts[1])
	if err != nil {
		return nil, err
	}
	name, err := c.dir.parseDN(text(parts[0]))
	if err != nil {
		return nil, err
	}
	mods, err := c.dir.acceptAll(raw)
	if err != nil {
		return nil, err
	}
	if name.isRoot() {
		return nil, refuse(unwillingToPerform, "modify upon the root DSE not supported")
	}
	if err := c.dir.foreign(name); err != nil {
		return nil, err
	}
	for _, mod := range mods {
		if err := mod.typ.mayWrite(m.controls.has(oidRelax)); err != nil {
			return nil, err
		}
	}
	var extra []*ber.Packet
	who := c.who()
	err = c.dir.write(who.dn.String(), func(t *tx) error {
		e, err := t.find(text(parts[0]))
		if err != nil {
			return err
		}
		if err := t.mayChange(who, e); err != nil && (who.admin || e.dn.key() != who.dn.key()) {
			return err
		}
		if err := c.asserted(m, e); err != nil {
			return err
		}
		before, err := c.readEntry(m, oidPreRead, e, t)
		if err != nil {
			return err
		}
		w := &writer{tx: t, entry: e, permissive: m.controls.has(oidPermissiveModify), encrypted: c.encrypted(), self: !who.admin}
		if err := w.apply(mods); err != nil {
			return err
		}
		after, err := c.readEntry(m, oidPostRead, e, t)
		extra = append(before, after...)
		return err
	})
	return extra, err
}

// writer applies modifications to one entry.
type writer struct {
	*tx
	entry      *entry
	permissive bool // the permissive modify control
	encrypted  bool
	self       bool
	passwords  passwordChange
}

func (w *writer) apply(mods []modification) error {
	before := w.classesOf(w.entry)
	for _, m := range mods {
		if err := w.one(m); err != nil {
			return err
		}
	}
	if err := w.passwords.carryOut(w); err != nil {
		return err
	}
	w.touch(w.entry)
	return w.settle(w.entry, before)
}

// one applies one modification.
func (w *writer) one(m modification) error {
	if done, err := w.special(m); done || err != nil {
		return err
	}
	switch m.op {
	case modAdd:
		return w.addValues(m)
	case modDelete:
		return w.deleteValues(m)
	case modIncrement:
		return w.increment(m)
	}
	if m.typ.key == "objectclass" && w.flavor != OpenLDAP {
		m.values = w.withSuperclasses(m.values)
	}
	if err := w.checkLinks(w.entry, m.description, m.values); err != nil {
		return err
	}
	w.set(w.entry, m.description, m.values...)
	return nil
}

func (w *writer) addValues(m modification) error {
	if err := w.checkLinks(w.entry, m.description, m.values); err != nil {
		return err
	}
	if m.typ.normal == nil && w.flavor == OpenLDAP && w.entry.attr(m.description) != nil {
		return refuse(inappropriateMatching, "modify/add: %s: no equality matching rule", m.description)
	}
	for i, v := range m.values {
		if w.add(w.entry, m.description, v) || w.permissive {
			continue
		}
		r := refuse(attributeOrValueExists, "modify/add: %s: value #%d already exists", m.description, i).ad(winValueExists).of(m.typ.name())
		if m.typ.key == "member" {
			r.win = winMember
		}
		return r
	}
	return nil
}

func (w *writer) deleteValues(m modification) error {
	if len(m.values) == 0 {
		if w.clear(w.entry, m.description) || w.permissive {
			return nil
		}
		return refuse(noSuchAttribute, "modify/delete: %s: no such attribute", m.description).of(m.typ.name())
	}
	if m.typ.normal == nil && w.flavor == OpenLDAP {
		return refuse(inappropriateMatching, "modify/delete: %s: no equality matching rule", m.description)
	}
	found := w.entry.attr(m.description) != nil
	for i, v := range m.values {
		again := func(x string) bool { return canonical(m.typ, x) == canonical(m.typ, v) }
		if w.del(w.entry, m.description, v) || slices.ContainsFunc(m.values[:i], again) {
			continue
		}
		if w.permissive && w.flavor == OpenLDAP && found && i == len(m.values)-1 {
			// slapd 2.5 forgives absent values except the last one, in an attribute that is there.
			return refuse(noSuchAttribute, "")
		}
		if w.permissive {
			continue
		}
		r := refuse(noSuchAttribute, "modify/delete: %s: no such value", m.description).ad(winNoSuchValue).of(m.typ.name())
		if !found {
			r.text = "modify/delete: " + m.String() + ": no such attribute"
		}
		if m.typ.key == "member" {
			r.win = winNotMember
		}
		return r
	}
	return nil
}

// increment adds to each value (RFC 4525 §3).
func (w *writer) increment(m modification) error {
	by, ok := new(big.Int).SetString(m.values[0], 10)
	if len(m.values) != 1 || !ok || m.typ.syntax != syntaxInteger {
		return refuse(constraintViolation, "modify/increment: %s: wants one integer", m.typ.name())
	}
	have := w.entry.stored(m.typ)
	if len(have) == 0 {
		return refuse(noSuchAttribute, "modify/increment: %s: no such attribute", m.typ.name()).of(m.typ.name())
	}
	var sums []string
	for _, v := range have {
		n, ok := new(big.Int).SetString(v, 10)
		if !ok {
			return refuse(constraintViolation, "modify/increment: %s: a value is no integer", m.typ.name())
		}
		sums = append(sums, n.Add(n, by).String())
	}
	w.set(w.entry, m.description, sums...)
	return nil
}
