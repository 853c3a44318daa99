package ldap

import (
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
