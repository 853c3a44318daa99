package ldap

import (
	"context"
	"fmt"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// Preview implements [connector.Planner]: LDIF (RFC 2849) in which the names of
// the attributes stand where their values would. It holds no values, asks
// nothing of the directory and takes what the operation refers to as existing.
func (t *Target) Preview(_ context.Context, op connector.Operation) (string, error) {
	l, _ := arrange(&t.cfg)
	p := preview{l: l}
	switch o := op.(type) {
	case connector.Create:
		return p.create(o)
	case connector.Update:
		return p.update(o)
	case connector.Delete:
		return p.about(o.Target, "delete", "")
	case connector.SetEnabled:
		return p.enable(o)
	case connector.Grant:
		return p.member(o.Entitlement, "add")
	case connector.Revoke:
		return p.member(o.Entitlement, "delete")
	case connector.Rename:
		return p.rename(o)
	case connector.SetCredential:
		return p.credential(o)
	}
	return "", connector.Errorf(connector.CodeUnsupported, "a directory has no %s", op.Verb())
}

type preview struct{ l *layout }

// about begins the record of an entry that is there.
func (p preview) about(ref connector.Ref, change, body string) (string, error) {
	typ, err := p.l.byName(ref.Type)
	if err != nil {
		return "", err
	}
	return p.record(typ, typ.base, change, body), nil
}

func (p preview) record(t *objectType, base ldap.DN, change, body string) string {
	return fmt.Sprintf("dn: %s=<%s>,%s\nchangetype: %s\n%s", t.naming, t.namingAttr().spec.Name, base, change, body)
}

func (p preview) create(c connector.Create) (string, error) {
	t, err := p.l.byName(c.Type)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	base := t.base
	for _, class := range t.classes {
		fmt.Fprintf(&b, "objectClass: %s\n", class)
	}
	for _, x := range c.Attributes {
		if t.container != nil && x.Name == t.container.attribute {
			if at, ok := t.container.of(connector.Text(first(x.Values))); ok {
				base = at
			}
			continue
		}
		a := t.attr(x.Name)
		if a == nil {
			return "", connector.Errorf(connector.CodeInvalidValue, "a %s has no attribute %s", t.name, x.Name)
		}
		for range x.Values {
			fmt.Fprintf(&b, "%s: <%s>\n", a.ldap, x.Name)
		}
	}
	for _, f := range t.fixed {
		for _, v := range f.Values {
			fmt.Fprintf(&b, "%s: %s\n", f.Name, v)
		}
	}
	if t.needsMember && t.member != "" {
		fmt.Fprintf(&b, "%s: <placeholder>\n", t.member)
	}
	return p.record(t, base, "add", b.String()), nil
}

func (p preview) update(u connector.Update) (string, error) {
	t, err := p.l.byName(u.Target.Type)
	if err != nil {
		return "", err
	}
	var b, before strings.Builder
	for _, c := range u.Changes {
		a := t.attr(c.Name)
		switch {
		case t.container != nil && c.Name == t.container.attribute:
			at, _ := t.container.of(connector.Text(first(c.Replace)))
			before.WriteString(p.moved(t, at))
		case a == nil:
			return "", connector.Errorf(connector.CodeInvalidValue, "a %s has no attribute %s", t.name, c.Name)
		case a.spec.Naming:
			before.WriteString(p.moved(t, ldap.DN{}))
		case !c.Delta:
			b.WriteString(modification("replace", a, len(c.Replace)))
		default:
			if len(c.Remove) > 0 {
				b.WriteString(modification("delete", a, len(c.Remove)))
			}
			if len(c.Add) > 0 {
				b.WriteString(modification("add", a, len(c.Add)))
			}
		}
	}
	if b.Len() == 0 {
		return before.String(), nil
	}
	return before.String() + p.record(t, t.base, "modify", b.String()), nil
}

// modification is one change of an attribute in LDIF.
func modification(verb string, a *attribute, values int) string {
	return fmt.Sprintf("%s: %s\n%s-\n", verb, a.ldap, strings.Repeat(fmt.Sprintf("%s: <%s>\n", a.ldap, a.spec.Name), values))
}

// moved is the record of a rename, and of a move when above is given.
func (p preview) moved(t *objectType, above ldap.DN) string {
	body := fmt.Sprintf("newrdn: %s=<%s>\ndeleteoldrdn: 1\n", t.naming, t.namingAttr().spec.Name)
	if !above.IsRoot() {
		body += "newsuperior: " + above.String() + "\n"
	}
	return p.record(t, t.base, "modrdn", body) + "\n"
}

func (p preview) rename(r connector.Rename) (string, error) {
	t, err := p.l.byName(r.Target.Type)
	if err != nil {
		return "", err
	}
	above := ldap.DN{}
	if r.NewContainer != "" {
		if at, ok := t.containerOf(r.NewContainer); ok {
			above = at
		} else if above, err = ldap.ParseDN(r.NewContainer); err != nil {
			return "", connector.Errorf(connector.CodeInvalidValue, "the new container is neither a value of users.container nor a DN")
		}
	}
	return p.moved(t, above), nil
}

func (t *objectType) containerOf(value string) (ldap.DN, bool) {
	if t.container == nil {
		return ldap.DN{}, false
	}
	return t.container.of(value)
}

func (p preview) enable(o connector.SetEnabled) (string, error) {
	t := p.l.users
	var b strings.Builder
	for _, s := range t.disable {
		switch {
		case s.Kind == "value" && !o.Enabled:
			fmt.Fprintf(&b, "replace: %s\n%s: %s\n-\n", s.Attribute, s.Attribute, s.Disabled)
		case s.Kind == "value" && s.Enabled == "":
			fmt.Fprintf(&b, "delete: %s\n-\n", s.Attribute)
		case s.Kind == "value":
			fmt.Fprintf(&b, "replace: %s\n%s: %s\n-\n", s.Attribute, s.Attribute, s.Enabled)
		case s.Kind == "bits":
			sign := map[bool]string{true: "without", false: "with"}[o.Enabled]
			fmt.Fprintf(&b, "delete: %s\n%s: <what it is>\n-\nadd: %s\n%s: <what it is, %s bit %d>\n-\n", s.Attribute, s.Attribute, s.Attribute, s.Attribute, sign, s.Bits)
		}
	}
	out := ""
	if b.Len() > 0 {
		out = p.record(t, t.base, "modify", b.String())
	}
	for _, s := range t.disable {
		switch {
		case s.Kind == "move" && o.Enabled:
			out += "\n" + p.moved(t, t.base)
		case s.Kind == "move":
			out += "\n" + p.moved(t, s.container)
		case s.Kind == "group":
			verb := map[bool]string{true: "add", false: "delete"}[o.Enabled == (s.MembersAre != "disabled")]
			out += fmt.Sprintf("\ndn: %s\nchangetype: modify\n%s: member\nmember: <the account>\n-\n", s.group, verb)
		}
	}
	return strings.TrimPrefix(out, "\n"), nil
}

func (p preview) member(group connector.Ref, verb string) (string, error) {
	for _, g := range p.l.groups {
		if g.name == group.Type || group.Type == "" && len(p.l.groups) == 1 {
			return p.record(g, g.base, "modify", fmt.Sprintf("%s: %s\n%s: <the account>\n-\n", verb, g.member, g.member)), nil
		}
	}
	return "", connector.Errorf(connector.CodeUnsupported, "there is no kind of groups %q in the config", group.Type)
}

func (p preview) credential(c connector.SetCredential) (string, error) {
	attribute := map[string]string{"attribute": "userPassword", "unicode_pwd": "unicodePwd"}[p.l.dir.Password.Method]
	body := fmt.Sprintf("replace: %s\n%s: ***\n-\n", attribute, attribute)
	if attribute == "" {
		body = "# extended operation: password modify (RFC 3062)\n"
	}
	out := p.record(p.l.users, p.l.users.base, "modify", body)
	if c.MustChange {
		for _, v := range p.l.dir.Password.MustChange {
			out += "\n" + p.record(p.l.users, p.l.users.base, "modify", fmt.Sprintf("replace: %s\n%s: %s\n-\n", v.Attribute, v.Attribute, v.Value))
		}
	}
	return out, nil
}
