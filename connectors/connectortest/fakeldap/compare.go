package fakeldap

// compare answers whether an entry holds a value (RFC 4511 §4.10).
func (c *conn) compare(m message) error {
	parts, err := children(m.body, 2)
	if err != nil {
		return err
	}
	ava, err := children(parts[1], 2)
	if err != nil {
		return err
	}
	d := c.dir
	d.mu.RLock()
	defer d.mu.RUnlock()
	if _, err := d.parseDN(text(parts[0])); err != nil {
		return err
	}
	desc, ok := d.describe(text(ava[0]))
	if !ok {
		return refuse(undefinedAttributeType, "").ad(winNoSuchType)
	}
	if desc.typ.normal == nil {
		return refuse(inappropriateMatching, "inappropriate matching request")
	}
	if !d.fitsAssertion(desc.typ, text(ava[1])) {
		return refuse(invalidAttributeSyntax, "value does not conform to assertion syntax").ad(winConversion)
	}
	e, err := d.seek(text(parts[0]))
	if err != nil {
		return err
	}
	if desc.typ.key == "userpassword" {
		return verdictCode(e.secret.matches(text(ava[1])))
	}
	if desc.typ.key == "objectclass" {
		return verdictCode(d.isA(e, text(ava[1])))
	}
	want := canonical(desc.typ, text(ava[1]))
	exists, equal := false, false
	d.each(e, desc, func(values, _ []string) bool {
		exists = true
		for _, v := range values {
			equal = equal || canonical(desc.typ, v) == want
		}
		return equal
	})
	if !exists {
		return refuse(noSuchAttribute, "").of(desc.typ.name())
	}
	return verdictCode(equal)
}

func verdictCode(equal bool) error {
	if equal {
		return refuse(compareTrue, "")
	}
	return refuse(compareFalse, "")
}
