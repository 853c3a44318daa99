package ldap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// entries reads what accounts and groups have in common.
func (v *findings) entries(path string, e *Entries, k ldap.Kind) *objectType {
	t := &objectType{base: v.dn(path+"/base", e.Base), classes: e.ObjectClasses, naming: orElse(e.Naming, k.Naming), copies: k.Copy}
	t.bases = []ldap.DN{t.base}
	if len(t.classes) == 0 {
		t.classes = k.ObjectClasses
	}
	if e.Filter != "" {
		k.Filter = e.Filter
	} else if len(e.ObjectClasses) > 0 {
		k.Filter, k.ObjectClasses = "", e.ObjectClasses
	}
	var err error
	if t.filter, err = k.Matches(); err != nil {
		v.add(path+"/filter", err.Error(), "")
	}
	for _, f := range k.Fixed {
		t.fix(f.Attribute, []string{f.Value})
	}
	for _, f := range e.Fixed {
		t.fix(f.Attribute, f.Values)
	}
	return t
}

// fix sets a value of new entries; the config's stands over the directory's.
func (t *objectType) fix(name string, values []string) {
	t.fixed = slices.DeleteFunc(t.fixed, func(a ldap.Attribute) bool { return strings.EqualFold(a.Name, name) })
	t.fixed = append(t.fixed, ldap.Attribute{Name: name, Values: values})
}

// attributes reads the mapping.
func (v *findings) attributes(path string, t *objectType, as []Attribute, d *ldap.Directory) {
	for i, a := range as {
		at := fmt.Sprintf("%s/attributes/%d", path, i)
		r := d.Rule(a.ldap())
		x := attribute{ldap: a.ldap(), rule: r, fromConfig: a, form: orElse(a.Type, r.Type), byValue: true}
		x.spec = connector.Attr{Name: a.Name, Multi: a.Multi, ReadOnly: a.ReadOnly || r.ReadOnly, Unique: a.Unique || r.Unique, MaxLength: a.MaxLength}
		if x.spec.MaxLength == 0 {
			x.spec.MaxLength = r.MaxLength
		}
		if x.form == "reference" {
			x.spec.RefersTo = a.RefersTo
		} else if a.RefersTo != "" {
			v.add(at+"/refers_to", "needs type reference", "set type to reference, or take refers_to out")
		}
		if strings.EqualFold(x.ldap, t.naming) {
			// Two entries of one container cannot share it; those of several can.
			x.spec.Naming, x.spec.Required, x.spec.Unique = true, true, x.spec.Unique || len(t.bases) == 1
			x.spec.MaxLength = orElseInt(x.spec.MaxLength, 64)
			if a.Multi || a.ReadOnly {
				v.add(at, "is the naming attribute: it has one value, and is written", "take multi and read_only out")
			}
		}
		t.attrs = append(t.attrs, x)
	}
	if t.namingAttr() == nil {
		t.attrs = append(t.attrs, attribute{ldap: t.naming, spec: connector.Attr{Name: t.naming, Naming: true}}) // so that the rest can be checked
		v.add(path+"/attributes", fmt.Sprintf("lacks the naming attribute %s", t.naming), fmt.Sprintf("add one with attribute %s", t.naming))
	}
}

func orElseInt(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// namingAttr returns the attribute that names entries.
func (t *objectType) namingAttr() *attribute {
	for i := range t.attrs {
		if t.attrs[i].spec.Naming {
			return &t.attrs[i]
		}
	}
	return nil
}

// attr returns an attribute by the hub's name, nil when there is none.
func (t *objectType) attr(name string) *attribute {
	for i := range t.attrs {
		if t.attrs[i].spec.Name == name {
			return &t.attrs[i]
		}
	}
	return nil
}

// named returns the hub's names of LDAP attributes, as far as they are mapped.
func (t *objectType) named(attributes []string) []string {
	var out []string
	for _, name := range attributes {
		for _, a := range t.attrs {
			if strings.EqualFold(a.ldap, name) {
				out = append(out, a.spec.Name)
			}
		}
	}
	return out
}

// also adds a place where entries of the kind can be, unless it lies within one.
func (t *objectType) also(dn ldap.DN) {
	if slices.ContainsFunc(t.bases, dn.Within) {
		return
	}
	t.bases = append(slices.DeleteFunc(t.bases, func(b ldap.DN) bool { return b.Within(dn) }), dn)
}
