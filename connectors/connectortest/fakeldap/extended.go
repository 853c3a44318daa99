package fakeldap

import (
	"crypto/rand"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// extendedName is the OID of an extended request.
func extendedName(m message) string {
	for _, p := range m.body.Children {
		if p.Tag == 0 {
			return text(p)
		}
	}
	return ""
}

// extendedValue is its value; "" when it has none.
func extendedValue(m message) string {
	for _, p := range m.body.Children {
		if p.Tag == 1 {
			return text(p)
		}
	}
	return ""
}

func (c *conn) extended(m message) answer {
	a := answer{}
	var err error
	switch name := extendedName(m); {
	case name == oidStartTLS:
		a.name = oidStartTLS
		if c.encrypted() {
			err = refuse(operationsError, "TLS already started")
		}
	case name == oidWhoAmI:
		a.value = []byte(c.whoAmI())
	case name == oidPasswordModify && c.dir.flavor != ActiveDirectory:
		a.value, err = c.passwordModify(m)
	default:
		err = refuse(protocolError, "unsupported extended operation")
	}
	if err != nil {
		return c.finish(m, err)
	}
	return a
}

// whoAmI is the authzId (RFC 4532, RFC 4513 §5.2.1.8).
func (c *conn) whoAmI() string {
	who := c.who()
	if who.dn.isRoot() {
		return ""
	}
	if c.dir.flavor != ActiveDirectory {
		return "dn:" + who.dn.String()
	}
	c.dir.mu.RLock()
	defer c.dir.mu.RUnlock()
	if e := c.dir.lookup(who.dn); e != nil {
		return "u:" + c.dir.netbios() + `\` + first(c.dir.text(e, "samaccountname"))
	}
	return "dn:" + who.dn.String()
}

// passwordModify sets a password (RFC 3062). Without a new one the server makes
// it and returns it.
func (c *conn) passwordModify(m message) (value []byte, err error) {
	var user, old, fresh string
	hasOld := false
	if v := extendedValue(m); v != "" {
		p, err := ber.DecodePacketErr([]byte(v))
		if err != nil {
			return nil, refuse(protocolError, "data decoding error")
		}
		for _, part := range p.Children {
			switch part.Tag {
			case 0:
				user = text(part)
			case 1:
				old, hasOld = text(part), true
			case 2:
				fresh = text(part)
			}
		}
	}
	who := c.who()
	if who.dn.isRoot() {
		return nil, refuse(strongerAuthRequired, "only authenticated users may change passwords")
	}
	if user == "" {
		user = who.dn.String()
	}
	if fresh == "" {
		fresh = rand.Text()[:12]
		value = within(ber.NewSequence(""), contextual(0, fresh)).Bytes()
	}
	if _, err := c.dir.parseDN(user); err != nil {
		return nil, refuse(invalidAttributeSyntax, "Invalid DN")
	}
	if name, _ := c.dir.parseDN(user); !name.within(c.dir.suffix) && c.dir.flavor == OpenLDAP {
		return nil, refuse(other, "unable to retrieve SASL username") // whom slapd does not know it looks for in SASL
	}
	err = c.dir.write(who.dn.String(), func(t *tx) error {
		e, err := t.find(user)
		if err != nil {
			return withoutMatched(err)
		}
		if err := t.mayChange(who, e); err != nil && e.dn.key() != who.dn.key() {
			return err
		}
		if hasOld && !e.secret.matches(old) {
			return refuse(unwillingToPerform, "unwilling to verify old password")
		}
		t.touch(e)
		if err := t.setPassword(e, fresh); err != nil {
			return err
		}
		if t.check(e) != nil {
			return refuse(objectClassViolation, "")
		}
		return nil
	})
	return value, err
}

// withoutMatched leaves out the nearest ancestor, which slapd tells here not.
func withoutMatched(err error) error {
	if r, ok := err.(*refusal); ok {
		r.matched = ""
	}
	return err
}
