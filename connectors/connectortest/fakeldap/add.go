package fakeldap

import (
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// add answers an add request (RFC 4511 §4.7).
func (c *conn) add(m message) ([]*ber.Packet, error) {
	parts, err := children(m.body, 2)
	if err != nil {
		return nil, err
	}
	name, err := c.dir.parseDN(text(parts[0]))
	if err != nil {
		return nil, err
	}
	if name.isRoot() {
		return nil, refuse(entryAlreadyExists, "root DSE already exists").ad(winExists)
	}
	inputs, err := c.dir.parseAttributes(parts[1])
	if err != nil {
		return nil, err
	}
	if err := c.dir.foreign(name); err != nil {
		return nil, err
	}
	if err := writable(inputs, m.controls.has(oidRelax)); err != nil {
		return nil, err
	}
	var extra []*ber.Packet
	who := c.who()
	err = c.dir.write(who.dn.String(), func(t *tx) error {
		e, err := t.create(name, inputs, who, c.encrypted())
		if err == nil {
			extra, err = c.readEntry(m, oidPostRead, e, t)
		}
		return err
	})
	return extra, err
}

// parseAttributes reads an AttributeList.
func (d *directory) parseAttributes(p *ber.Packet) ([]input, error) {
	if len(p.Children) == 0 {
		return nil, refuse(protocolError, "no attributes provided")
	}
	var out []input
	for _, a := range p.Children {
		parts, err := children(a, 2)
		if err != nil {
			return nil, err
		}
		values := texts(parts[1])
		if len(values) == 0 {
			return nil, refuse(protocolError, "no values for attribute type")
		}
		in, err := d.accept(text(parts[0]), values, true)
		if err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, nil
}

// writable refuses what only the server writes, and attributes given twice.
func writable(inputs []input, relaxed bool) error {
	for _, in := range inputs {
		if err := in.typ.mayWrite(relaxed); err != nil {
			return err
		}
	}
	for i, in := range inputs {
		if slices.ContainsFunc(inputs[:i], func(o input) bool { return o.description == in.description }) {
			return refuse(attributeOrValueExists, "attribute '%s' provided more than once", in.typ.name()).ad(winValueExists).of(in.typ.name())
		}
	}
	return nil
}

func texts(p *ber.Packet) []string {
	out := make([]string, len(p.Children))
	for i, c := range p.Children {
		out[i] = text(c)
	}
	return out
}

// create makes an entry under all rules.
func (t *tx) create(name dn, inputs []input, who identity, encrypted bool) (*entry, error) {
	e := &entry{dn: name}
	password, err := t.fillEntry(e, inputs)
	if err != nil {
		return nil, err
	}
	if t.flavor == ActiveDirectory {
		if err := t.completeAD(e, inputs, encrypted); err != nil {
			return nil, err
		}
	}
	if password != "" {
		if err := t.setPassword(e, password); err != nil {
			return nil, err
		}
	}
	if err := t.check(e); err != nil {
		return nil, err
	}
	if t.lookup(name) != nil {
		return nil, refuse(entryAlreadyExists, "").ad(winExists)
	}
	parent := t.lookup(name.parent())
	if parent == nil {
		return nil, t.missing(name.parent())
	}
	if err := t.mayAddBelow(who, parent); err != nil {
		return nil, err
	}
	e.dn = parent.dn.child(name.rdns[0]) // the parents' own spelling counts
	t.insert(e)
	return e, t.settle(e, nil)
}

// fillEntry puts the request's attributes in, and what the product adds by
// itself. password is a userPassword or unicodePwd, which is kept apart.
func (t *tx) fillEntry(e *entry, inputs []input) (password string, err error) {
	for _, in := range inputs {
		switch in.typ.key {
		case "userpassword":
			if t.flavor != ActiveDirectory {
				password = in.values[0]
				continue
			}
		case "unicodepwd":
			continue // completeAD decodes it
		case "objectclass":
			if t.flavor != OpenLDAP {
				in.values = t.withSuperclasses(in.values)
			}
		}
		if err := t.checkLinks(e, in.description, in.values); err != nil {
			return "", err
		}
		for _, v := range in.values {
			t.hold(e, in.description, v)
		}
	}
	for _, n := range e.dn.rdns[0].avas { // what the client leaves out of the RDN
		t.hold(e, description{typ: n.typ}, n.value)
	}
	return password, nil
}

// hold adds a value to an entry that is not in the tree yet.
func (t *tx) hold(e *entry, d description, value string) {
	a := e.attr(d)
	if a == nil {
		a = &attribute{description: d}
		e.attrs = append(e.attrs, a)
	}
	if value, n := t.prepare(d.typ, value); a.find(n) < 0 {
		a.put(value, n)
		t.track(a, n)
	}
}

// withSuperclasses adds what the classes derive from: Active Directory and
// 389-ds store them, top first.
func (s *schema) withSuperclasses(values []string) []string {
	var out []string
	var put func(c *objectClass)
	put = func(c *objectClass) {
		for _, sup := range c.sups {
			put(sup)
		}
		if !slices.Contains(out, c.name) {
			out = append(out, c.name)
		}
	}
	for _, v := range values {
		if c := s.classes[strings.ToLower(v)]; c != nil {
			put(c)
		}
	}
	return out
}
