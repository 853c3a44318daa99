package ldap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// layout is the config read against the description of the directory. It is
// worked out offline.
type layout struct {
	dir       *ldap.Directory
	users     *objectType
	groups    []*objectType
	writable  []ldap.DN
	protected []ldap.DN
}

// objectType is one kind of entries.
type objectType struct {
	name    string
	kind    connector.ObjectKind
	base    ldap.DN
	bases   []ldap.DN // all places where such entries can be; none lies within another
	classes []string
	naming  string // LDAP attribute
	filter  ldap.Filter
	attrs   []attribute
	fixed   []ldap.Attribute
	copies  []ldap.Copy

	// Of accounts.
	anchor    string // attribute of the hub, "" when none is named
	container *container
	disable   []strategy

	// Of groups.
	member      string
	holdsDN     bool
	needsMember bool
	placeholder string // "": the group's own DN
}

// attribute ties an attribute of the hub to one of the directory.
type attribute struct {
	spec       connector.Attr
	ldap       string
	form       string // how values are written; "" until the published schema was read
	rule       ldap.AttributeRule
	fromConfig Attribute
	// byValue: single values can be added and removed, since the directory knows
	// how to compare them.
	byValue bool
}

// container maps the values of one attribute to places in the tree.
type container struct {
	attribute string
	values    []string
	bases     []ldap.DN
}

// of returns where a value leads.
func (c *container) of(value string) (ldap.DN, bool) {
	for i, v := range c.values {
		if strings.EqualFold(v, value) {
			return c.bases[i], true
		}
	}
	return ldap.DN{}, false
}

// at returns the value whose container an entry stands in, "" for another place.
func (c *container) at(dn ldap.DN) string {
	for i, b := range c.bases {
		if dn.Parent().Equal(b) {
			return c.values[i]
		}
	}
	return ""
}

// arrange reads the config. findings are all of its faults; with one that is not
// a warning the layout is of no use.
func arrange(c *Config) (*layout, []connector.Finding) {
	v := &findings{}
	dir, err := ldap.LoadDirectory(c.Directory, c.Overrides)
	if err != nil {
		path := "/directory"
		if strings.HasPrefix(err.Error(), "overrides") {
			path = "/overrides"
		}
		v.add(path, err.Error(), "")
		return nil, v.list
	}
	l := &layout{dir: dir}
	l.users = v.users(c, dir)
	for i := range c.Groups {
		l.groups = append(l.groups, v.groups(c, i, dir))
	}
	l.writable = v.dns("/writable", c.Writable)
	l.protected = v.dns("/protected", c.Protected)
	v.names(l)
	v.within(l, c)
	return l, v.list
}

// types lists all kinds of entries, accounts first.
func (l *layout) types() []*objectType { return append([]*objectType{l.users}, l.groups...) }

// byName returns the kind of entries called name; "" is the accounts.
func (l *layout) byName(name string) (*objectType, error) {
	for _, t := range l.types() {
		if t.name == name || name == "" && t == l.users {
			return t, nil
		}
	}
	return nil, connector.Errorf(connector.CodeUnsupported, "there is no object type %q; the config has %s", name, strings.Join(l.typeNames(), ", "))
}

func (l *layout) typeNames() []string {
	var out []string
	for _, t := range l.types() {
		out = append(out, t.name)
	}
	return out
}

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
