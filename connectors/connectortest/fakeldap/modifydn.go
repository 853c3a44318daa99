package fakeldap

import (
	ber "github.com/go-asn1-ber/asn1-ber"
)

// modifyDN answers a modify DN request (RFC 4511 §4.9).
func (c *conn) modifyDN(m message) ([]*ber.Packet, error) {
	parts, err := children(m.body, 3)
	if err != nil {
		return nil, err
	}
	if text(parts[0]) == "" {
		return nil, refuse(unwillingToPerform, "cannot rename the root DSE")
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
	if from, err := c.dir.parseDN(text(parts[0])); err == nil && superior != nil && superior.within(from) {
		return nil, refuse(unwillingToPerform, "cannot place an entry below itself")
	}
	if from, err := c.dir.parseDN(text(parts[0])); err == nil && superior != nil && len(from.rdns) > 1 && from.parent().within(superior.child(name.rdns[0])) {
		return nil, refuse(unwillingToPerform, "cannot place an entry above itself")
	}
	var extra []*ber.Packet
	who := c.who()
	err = c.dir.write(who.dn.String(), func(t *tx) error {
		e, err := t.find(text(parts[0]))
		if err != nil {
			return t.lostParent(text(parts[0]), err)
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

// lostParent is the answer to a rename of what is not there: slapd looks for
// the parent first, and names no ancestor when that is missing, too.
func (t *tx) lostParent(name string, err error) error {
	d, bad := t.parseDN(name)
	if t.flavor == OpenLDAP && bad == nil && !d.isRoot() && t.lookup(d.parent()) == nil {
		return withoutMatched(err)
	}
	return err
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
	}
	if err := t.mayAddBelow(who, parent); err != nil {
		return err
	}
	to := parent.dn.child(r)
	if taken := t.lookup(to); taken != nil && taken != e {
		return refuse(entryAlreadyExists, "").ad(winExists)
	}
	t.rewriteRDN(e, r, dropOld || t.flavor == ActiveDirectory)
	t.move(e, parent, r)
	t.touch(e)
	return t.settle(e, nil)
}

// rewriteRDN puts the new RDN's values into the entry, and takes the old out.
// A value that differs in spelling only is spelt anew.
func (t *tx) rewriteRDN(e *entry, r rdn, dropOld bool) {
	if dropOld {
		for _, old := range e.dn.rdns[0].avas {
			t.del(e, description{typ: old.typ}, old.value)
		}
	}
	for _, n := range r.avas {
		t.add(e, description{typ: n.typ}, n.value)
	}
}

// move puts a subtree elsewhere, and has the links follow.
func (t *tx) move(e, parent *entry, r rdn) {
	subtree := e.subtree(nil)
	old := make([]string, len(subtree))
	for i, x := range subtree {
		old[i] = x.dn.key()
	}
	oldParent, oldRDN := e.parent, e.dn.rdns[0]
	t.relocate(e, parent, r)
	t.onUndo(func() { t.relocate(e, oldParent, oldRDN) })
	for i, x := range subtree {
		t.relink(x, old[i])
	}
	t.retrack(e)
}

// relocate names a subtree anew.
func (d *directory) relocate(e, parent *entry, r rdn) {
	subtree := e.subtree(nil)
	for _, x := range subtree {
		delete(d.entries, x.dn.key())
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
		x.dn = x.parent.dn.child(own)
		d.entries[x.dn.key()] = x
	}
}
