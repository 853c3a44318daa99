package fakeldap

import (
	"slices"
	"strings"
)

// classesOf returns the object classes of an entry, superclasses not included.
func (d *directory) classesOf(e *entry) []*objectClass {
	var out []*objectClass
	for _, v := range e.stored(d.types["objectclass"]) {
		if c := d.classes[strings.ToLower(v)]; c != nil {
			out = append(out, c)
		}
	}
	return out
}

// isA reports whether the entry has the class, or one below it.
func (d *directory) isA(e *entry, class string) bool {
	want := d.classes[strings.ToLower(class)]
	return want != nil && slices.ContainsFunc(d.classesOf(e), func(c *objectClass) bool { return c.isA(want) })
}

// allMust returns the required types of a class and its superclasses.
func (c *objectClass) allMust() []*attributeType {
	out := slices.Clone(c.must)
	for _, s := range c.sups {
		out = append(out, s.allMust()...)
	}
	return out
}

func (c *objectClass) allows(t *attributeType) bool {
	return slices.Contains(c.must, t) || slices.Contains(c.may, t) || slices.ContainsFunc(c.sups, func(s *objectClass) bool { return s.allows(t) })
}

// structural returns the most derived structural class, and a text that says
// what is wrong with the chain.
func structural(classes []*objectClass) (found *objectClass, fault string) {
	for _, c := range classes {
		if c.kind != "STRUCTURAL" {
			continue
		}
		switch {
		case found == nil || c.isA(found):
			found = c
		case !found.isA(c):
			return nil, "invalid structural object class chain (" + found.name + "/" + c.name + ")"
		}
	}
	if found == nil {
		return nil, "no structural object class provided"
	}
	return found, ""
}

// check holds an entry against the schema, as it stands after a change.
func (d *directory) check(e *entry) error {
	for _, a := range e.attrs {
		if a.typ.single && len(a.values) > 1 {
			return refuse(constraintViolation, "attribute '%s' cannot have multiple values", a.typ.name()).ad(winSingleValue).of(a.typ.name())
		}
	}
	classes := d.classesOf(e)
	if len(classes) == 0 {
		return refuse(objectClassViolation, "no objectClass attribute").ad(winMissingRequired)
	}
	if _, fault := structural(classes); fault != "" && d.flavor == OpenLDAP {
		return refuse(objectClassViolation, "%s", fault)
	}
	if err := d.checkName(e); err != nil {
		return err
	}
	for _, c := range classes {
		for _, t := range c.allMust() {
			if !e.has(t) && (d.virtual[t] == nil || len(d.values(e, t)) == 0) {
				return refuse(objectClassViolation, "object class '%s' requires attribute '%s'", c.name, t.name()).ad(winMissingRequired).of(t.name())
			}
		}
	}
	return d.checkAllowed(e, classes)
}

// checkName: the values of the RDN must be in the entry (RFC 4512 §2.3).
func (d *directory) checkName(e *entry) error {
	for _, n := range e.dn.rdns[0].avas {
		a := e.attr(description{typ: n.typ})
		if a == nil {
			return refuse(namingViolation, "naming attribute '%s' is not present in entry", n.typ.name()).ad(winRDN)
		}
		if a.find(canonical(n.typ, n.value)) < 0 {
			return refuse(namingViolation, "value of naming attribute '%s' is not present in entry", n.typ.name()).ad(winRDN)
		}
	}
	return nil
}

func (d *directory) checkAllowed(e *entry, classes []*objectClass) error {
	everything := d.classes["extensibleobject"]
	if everything != nil && slices.Contains(classes, everything) {
		return nil
	}
	if password := d.types["userpassword"]; e.secret.isSet() && d.flavor != ActiveDirectory &&
		!slices.ContainsFunc(classes, func(c *objectClass) bool { return c.allows(password) }) {
		return refuse(objectClassViolation, "attribute 'userPassword' not allowed")
	}
	for _, a := range e.attrs {
		if a.typ.operational() || slices.ContainsFunc(classes, func(c *objectClass) bool { return c.allows(a.typ) }) {
			continue
		}
		return refuse(objectClassViolation, "attribute '%s' not allowed", a.typ.name()).ad(winNotInClass).of(a.typ.name())
	}
	return nil
}

// input is one attribute of an add or modify request, checked against its type.
type input struct {
	description
	values []string
}

// accept checks what a client sends for one attribute against its type.
// distinct: a value must not come twice, and one is enough where the type wants
// one; not so when values are to be deleted.
func (d *directory) accept(name string, values []string, distinct bool) (input, error) {
	desc, ok := d.describe(name)
	if !ok {
		return input{}, refuse(undefinedAttributeType, "%s: attribute type undefined", name).ad(winNoSuchType)
	}
	for i, v := range values {
		if err := d.checkValue(desc.typ, name, i, v); err != nil {
			return input{}, err
		}
	}
	if desc.typ.single && len(values) > 1 && distinct {
		return input{}, refuse(constraintViolation, "%s: multiple values provided", name).ad(winSingleValue).of(desc.typ.name())
	}
	if distinct {
		if err := d.repeated(desc, values); err != nil {
			return input{}, err
		}
	}
	return input{desc, values}, nil
}

// mayWrite refuses what only the server writes, unless the client relaxes the
// rules (the relax control).
func (t *attributeType) mayWrite(relaxed bool) error {
	if t.noUserMod && !relaxed {
		return refuse(constraintViolation, "%s: no user modification allowed", t.name()).ad(winIllegalModify)
	}
	return nil
}

// checkValue refuses a value that does not fit the type. name is what the client
// calls it.
func (d *directory) checkValue(t *attributeType, name string, i int, v string) error {
	if !d.fits(t, v) || d.flavor == ActiveDirectory && v == "" {
		bad := refuse(invalidAttributeSyntax, "%s: value #%d invalid per syntax", name, i).ad(winConversion)
		if t.key == "objectclass" {
			bad.win = winNoSuchClass
		}
		return bad
	}
	if t.max > 0 && d.flavor == ActiveDirectory && len([]rune(v)) > t.max {
		return refuse(constraintViolation, "%s: value #%d is too long", name, i).ad(winRange).of(t.name())
	}
	return nil
}

// fits reports whether a value has the type's syntax.
func (s *schema) fits(t *attributeType, v string) bool {
	switch {
	case t.syntax == syntaxDN || t.syntax == syntaxUniqueM:
		_, err := s.parseDN(v)
		return err == nil
	case t.key == "objectclass":
		return s.classes[strings.ToLower(v)] != nil
	}
	return t.valid(v)
}

// fitsAssertion reports whether a value has the syntax that the type's equality
// rule asserts, which may be wider than the type's own.
func (s *schema) fitsAssertion(t *attributeType, v string) bool {
	if t.equality == "caseIgnoreMatch" || t.equality == "caseExactMatch" {
		return directoryString(v)
	}
	return s.fits(t, v)
}

// repeated refuses a value that is given twice.
func (d *directory) repeated(desc description, values []string) error {
	if len(values) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(values))
	for i, v := range values {
		n := canonical(desc.typ, v)
		if seen[n] {
			return refuse(attributeOrValueExists, "%s: value #%d provided more than once", desc, i).ad(winValueExists).of(desc.typ.name())
		}
		seen[n] = true
	}
	return nil
}
