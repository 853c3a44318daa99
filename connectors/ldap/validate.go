package ldap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/wording"
)

// validate finds, offline, what the JSON Schema cannot say.
func validate(c Config) []connector.Finding {
	_, list := arrange(&c)
	v := &findings{list: list}
	v.connection(&c)
	return v.list
}

type findings struct{ list []connector.Finding }

func (v *findings) add(path, summary, detail string) {
	v.list = append(v.list, connector.Finding{Path: path, Summary: summary, Detail: detail})
}

func (v *findings) warn(path, summary, detail string) {
	v.list = append(v.list, connector.Finding{Path: path, Summary: summary, Detail: detail, Warning: true})
}

// dn reads a DN that must not be the root.
func (v *findings) dn(path, text string) ldap.DN {
	dn, err := ldap.ParseDN(text)
	switch {
	case err != nil:
		v.add(path, err.Error(), "")
	case dn.IsRoot():
		v.add(path, "is missing", "write it as ou=people,dc=example,dc=org")
	}
	return dn
}

func (v *findings) dns(path string, texts []string) []ldap.DN {
	var out []ldap.DN
	for i, text := range texts {
		out = append(out, v.dn(fmt.Sprintf("%s/%d", path, i), text))
	}
	return out
}

func (v *findings) connection(c *Config) {
	if len(c.URLs) == 0 {
		v.add("/urls", "is empty", "name at least one server, such as ldaps://ldap.example.org")
	}
	for i, u := range c.URLs {
		path := fmt.Sprintf("/urls/%d", i)
		s, err := ldap.ParseURL(u)
		if err != nil {
			v.add(path, err.Error(), "")
		} else if !s.TLS && slices.Contains(c.AllowPlaintext, s.Host) {
			v.warn(path, "passwords and personal data go to "+s.Host+" without encryption", "take the host out of allow_plaintext as soon as it speaks TLS")
		}
	}
	switch {
	case c.Bind == "external" && c.TLSCertFile == "":
		v.add("/tls_cert_file", "is missing", "a bind by certificate needs the certificate, and its key in the secret "+secretKey)
	case c.Bind != "external" && c.BindDN == "":
		v.add("/bind_dn", "is missing", "write it as cn=provhub,ou=services,dc=example,dc=org")
	}
	for _, n := range []struct {
		path     string
		value    int
		min, max int
	}{{"/connections", c.Connections, 0, 32}, {"/pipeline", c.Pipeline, 0, 1000}, {"/page_size", c.PageSize, 0, 5000}} {
		if n.value < n.min || n.value > n.max {
			v.add(n.path, fmt.Sprintf("must be from 1 to %d", n.max), "")
		}
	}
	if p := c.InitialPassword; p != nil && (p.Length != 0 && p.Length < 12 || p.Length > 128) {
		v.add("/initial_password/length", "must be from 12 to 128", "")
	}
}

func (v *findings) users(c *Config, d *ldap.Directory) *objectType {
	u := &c.Users
	t := v.entries("/users", &u.Entries, d.Users)
	t.name, t.kind, t.anchor = u.typeName(), connector.KindAccount, u.Anchor
	v.container(u.Container, t)
	ways := d.Disable
	if c.Disable != nil {
		ways = nil
		for _, w := range c.Disable {
			ways = append(ways, ldap.Strategy(w))
		}
	}
	for i, w := range ways {
		t.disable = append(t.disable, v.strategy(fmt.Sprintf("/disable/%d", i), w, t))
	}
	v.attributes("/users", t, u.Attributes, d)
	if t.container != nil && t.attr(t.container.attribute) != nil {
		v.add("/users/container/attribute", "is the name of an attribute of users.attributes too", "choose a name of its own; it is not written to the entry")
	}
	if a := t.attr(u.Anchor); u.Anchor != "" && a == nil {
		v.add("/users/anchor", fmt.Sprintf("there is no attribute %s in users.attributes%s", u.Anchor, wording.DidYouMean(u.Anchor, names(t))), "")
	} else if a != nil {
		a.spec.Unique = true
	}
	return t
}

func (v *findings) container(c *Container, t *objectType) {
	if c == nil {
		return
	}
	if c.Attribute == "" {
		v.add("/users/container/attribute", "is missing", "name the attribute that says where an account belongs")
	}
	t.container = &container{attribute: c.Attribute}
	for i, x := range c.Values {
		base := v.dn(fmt.Sprintf("/users/container/values/%d/base", i), x.Base)
		t.container.values = append(t.container.values, x.Value)
		t.container.bases = append(t.container.bases, base)
		t.also(base)
	}
}

func (v *findings) groups(c *Config, i int, d *ldap.Directory) *objectType {
	g, path := &c.Groups[i], fmt.Sprintf("/groups/%d", i)
	t := v.entries(path, &g.Entries, d.Groups)
	t.name, t.kind = g.typeName(), connector.ObjectKind(orElse(g.Kind, string(connector.KindEntitlement)))
	t.member = orElse(g.Member, d.Groups.Member)
	t.holdsDN = orElse(g.MemberHolds, d.Groups.MemberHolds) == "dn"
	t.needsMember = d.Groups.NeedsMember
	if g.Placeholder != "" {
		t.placeholder = v.dn(path+"/placeholder", g.Placeholder).String()
	}
	v.attributes(path, t, g.Attributes, d)
	return t
}

// names checks that names are used once.
func (v *findings) names(l *layout) {
	var types []string
	for i, t := range l.types() {
		path := "/users"
		if i > 0 {
			path = fmt.Sprintf("/groups/%d", i-1)
		}
		if slices.Contains(types, t.name) {
			v.add(path+"/type", fmt.Sprintf("two object types are called %q", t.name), "give each a name of its own with type")
		}
		types = append(types, t.name)
		var seen []string
		for j, a := range t.attrs {
			for _, name := range []string{a.spec.Name, "LDAP " + strings.ToLower(a.ldap)} {
				if slices.Contains(seen, name) {
					v.add(fmt.Sprintf("%s/attributes/%d", path, j), "maps "+strings.TrimPrefix(name, "LDAP ")+" twice", "keep one of them")
				}
				seen = append(seen, name)
			}
		}
	}
	for i, t := range l.types() {
		for j, a := range t.attrs {
			if to := orElse(a.spec.RefersTo, l.users.name); a.form == "reference" && !slices.Contains(types, to) {
				path := map[bool]string{true: "/users", false: fmt.Sprintf("/groups/%d", i-1)}[i == 0]
				v.add(fmt.Sprintf("%s/attributes/%d/refers_to", path, j), fmt.Sprintf("there is no object type %q%s", to, wording.DidYouMean(to, types)), "")
			}
		}
	}
}

// within checks the bases against the list of what may be written.
func (v *findings) within(l *layout, c *Config) {
	if len(l.writable) == 0 {
		for _, t := range l.types() {
			l.writable = append(l.writable, t.bases...)
		}
		return
	}
	check := func(path string, dn ldap.DN) {
		if !slices.ContainsFunc(l.writable, dn.Within) {
			v.add(path, "lies outside of writable", "add it to writable, or take writable out")
		}
	}
	check("/users/base", l.users.base)
	if l.users.container != nil {
		for i, b := range l.users.container.bases {
			check(fmt.Sprintf("/users/container/values/%d/base", i), b)
		}
	}
	for i, s := range l.users.disable {
		if s.Kind == "move" {
			check(fmt.Sprintf("/disable/%d/container", i), s.container)
		}
	}
	for i, g := range l.groups {
		check(fmt.Sprintf("/groups/%d/base", i), g.base)
	}
}

func names(t *objectType) []string {
	var out []string
	for _, a := range t.attrs {
		out = append(out, a.spec.Name)
	}
	return out
}
