package fakeldap

import (
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// modifyDN answers a modify DN request (RFC 4511 §4.9).
func (c *conn) modifyDN(m message) ([]*ber.Packet, error) {
	parts, err := children(m.body, 3)
	if err != nil {
		return nil, err
	}
	name, err := c.dir.parseDN(text(parts[1]))
	if err != nil || len(name.rdns) != 1 {
		return nil, refuse(invalidDNSyntax, "invalid new RDN").ad(winBadName)
	}
	dropOld := parts[2].Data.Len() == 1 && parts[2].Data.Bytes()[0] != 0
	var superior *dn
	if len(parts) > 3 {
		to, err := c.dir.parseDN(text(parts[3]))
		if err != nil {
			return nil, refuse(invalidDNSyntax, "invalid newSuperior").ad(winBadName)
		}
		superior = &to
	}
	var extra []*ber.Packet
	who := c.who()
	err = c.dir.write(who.dn.String(), func(t *tx) error {
		e, err := t.find(text(parts[0]))
		if err != nil {
			return err
		}
		if err := t.mayChange(who, e); err != nil {
			return err
		}
		if err := c.asserted(m, e); err != nil {
			return err
		}
		before, err := c.readEntry(m, oidPreRead, e, t)
		if err != nil {
			return err
		}
		if err := t.rename(e, name.rdns[0], superior, dropOld, who); err != nil {
			return err
		}
		after, err := c.readEntry(m, oidPostRead, e, t)
		extra = append(before, after...)
		return err
	})
	return extra, err
}

// rename gives an entry a new RDN and, with superior, a new place.
func (t *tx) rename(e *entry, r rdn, superior *dn, dropOld bool, who identity) error {
	parent := e.parent
	if parent == nil {
		return refuse(unwillingToPerform, "cannot rename the suffix of the directory")
	}
	if superior != nil {
		if err := t.foreign(*superior); err != nil {
			return err
		}
		if parent = t.lookup(*superior); parent == nil {
			return refuse(noSuchObject, "new superior not found").ad(winNoObject)
		}
		if parent.dn.within(e.dn) {
			return refuse(unwillingToPerform, "cannot place an entry below itself")
		}
	}
	if err := t.mayAddBelow(who, parent); err != nil {
		return err
	}
	to := parent.dn.child(r)
	if taken := t.lookup(to); taken != nil && taken != e {
		return refuse(entryAlreadyExists, "").ad(winExists)
	}
	if err := t.rewriteRDN(e, r, dropOld || t.flavor == ActiveDirectory); err != nil {
		return err
	}
	t.move(e, parent, r)
	t.touch(e)
	if err := t.check(e); err != nil {
		return err
	}
	return t.checkUnique(e)
}

// rewriteRDN puts the new RDN's values into the entry, and takes the old out.
func (t *tx) rewriteRDN(e *entry, r rdn, dropOld bool) error {
	if dropOld {
		for _, old := range e.dn.rdns[0].avas {
			kept := slices.ContainsFunc(r.avas, func(n ava) bool {
				return n.typ == old.typ && canonical(n.typ, n.value) == canonical(old.typ, old.value)
			})
			if !kept {
				t.del(e, description{typ: old.typ}, old.value)
			}
		}
	}
	for _, n := range r.avas {
		d := description{typ: n.typ}
		if a := e.attr(d); a != nil && a.find(canonical(n.typ, n.value)) >= 0 {
			if t.flavor == ActiveDirectory { // the new spelling counts
				t.set(e, d, n.value)
			}
			continue
		}
		t.add(e, d, n.value)
	}
	return nil
}

// move puts a subtree elsewhere, and has the links follow.
func (t *tx) move(e, parent *entry, r rdn) {
	oldParent, oldRDN := e.parent, e.dn.rdns[0]
	t.relocate(e, parent, r)
	t.onUndo(func() { t.relocate(e, oldParent, oldRDN) })
}

func (t *tx) relocate(e, parent *entry, r rdn) {
	subtree := e.subtree(nil)
	for _, x := range subtree {
		delete(t.entries, x.dn.key())
	}
	if e.parent != parent {
		delete(e.parent.children, e)
		parent.adopt(e)
		e.parent = parent
	}
	for _, x := range subtree { // parents come before their children
		own := x.dn.rdns[0]
		if x == e {
			own = r
		}
		old := x.dn.key()
		x.dn = x.parent.dn.child(own)
		t.entries[x.dn.key()] = x
		t.relink(x, old)
	}
}
