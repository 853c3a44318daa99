package ldap

import (
	"context"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// suffixLength is how much of an account's id tells it from a namesake in the
// container of disabled accounts.
const suffixLength = 8

// ref names an entry. The id is that of the directory, which never changes; the
// DN, which does, is its name for people.
func (m *model) ref(t *objectType, e ldap.Entry) (connector.Ref, error) {
	id, err := m.dir.AnchorOf(e)
	if err != nil || id == "" {
		return connector.Ref{}, configuration("the entry was read without its id (" + m.dir.Anchor.Attribute + "); may the account that provhub binds with read it, is directory right?")
	}
	r := connector.Ref{Type: t.name, ID: id, Name: e.DN.String()}
	if v := m.dir.EntryVersion; v != "" {
		r.Version = e.First(v)
	}
	return r, nil
}

// object is an entry as the hub sees it, without its grants.
func (s *session) object(ctx context.Context, m *model, t *objectType, e ldap.Entry) (connector.Object, error) {
	ref, err := m.ref(t, e)
	if err != nil {
		return connector.Object{}, err
	}
	o := connector.Object{Ref: ref}
	for i := range t.attrs {
		a := &t.attrs[i]
		vs := a.decode(e.Get(a.ldap))
		switch {
		case a.spec.Naming:
			vs = connector.Values{t.nameOf(e, ref.ID)}
		case a.form == "reference":
			if vs, err = s.references(ctx, m, a, e.Get(a.ldap)); err != nil {
				return o, err
			}
		}
		if len(vs) > 0 {
			o.Attributes = append(o.Attributes, connector.Attribute{Name: a.spec.Name, Values: vs})
		}
	}
	if t.container != nil {
		if v := t.container.at(e.DN); v != "" {
			o.Attributes = append(o.Attributes, connector.Attribute{Name: t.container.attribute, Values: connector.Values{v}})
		}
	}
	if at, err := ldap.ParseTime(e.First("modifyTimestamp")); err == nil {
		o.ModifiedAt = at
	}
	if t == m.users {
		o.Enabled, err = s.state(ctx, t, e)
	}
	return o, err
}

// nameOf returns the value that names an entry, without what was added to tell
// it from a namesake in the container of disabled accounts.
func (t *objectType) nameOf(e ldap.Entry, id string) string {
	name := e.DN.RDN().Value(t.naming)
	for _, s := range t.disable {
		if s.Kind == "move" && e.DN.Within(s.container) {
			return strings.TrimSuffix(name, suffix(id))
		}
	}
	if name == "" { // the entry is named by another attribute
		return e.First(t.naming)
	}
	return name
}

func suffix(id string) string { return " " + id[:min(suffixLength, len(id))] }

// references turns DNs into references. A DN that leads to no entry of the kind
// is told by its name alone.
func (s *session) references(ctx context.Context, m *model, a *attribute, dns []string) (connector.Values, error) {
	to, err := m.byName(a.spec.RefersTo)
	if err != nil {
		return nil, err
	}
	var out connector.Values
	for _, text := range dns {
		ref := connector.Ref{Type: to.name, Name: text}
		if dn, err := ldap.ParseDN(text); err == nil {
			e, err := s.Read(ctx, dn, m.dir.Anchor.Attribute)
			if err == nil {
				ref, err = m.ref(to, e)
			}
			if err != nil && !connector.IsCode(err, connector.CodeNotFound) {
				return nil, err
			}
		}
		out = append(out, connector.Ref{Type: ref.Type, ID: ref.ID, Name: ref.Name})
	}
	return out, nil
}

// state tells whether an account can be used, by all ways in which it would be
// disabled (QUIRKS LDAP-65).
func (s *session) state(ctx context.Context, t *objectType, e ldap.Entry) (connector.Enabled, error) {
	var ways []bool
	for _, w := range t.disable {
		disabled := w.disabled(e)
		if w.Kind == "group" {
			in, err := s.isMember(ctx, w.group, e)
			if err != nil {
				return connector.EnabledUnknown, err
			}
			disabled = in == (w.MembersAre == "disabled")
		}
		ways = append(ways, disabled)
	}
	return stateOf(ways), nil
}

// isMember asks the server whether an entry is a member of a group of DNs.
func (s *session) isMember(ctx context.Context, group ldap.DN, e ldap.Entry) (bool, error) {
	in, err := s.Compare(ctx, group, "member", e.DN.String())
	switch {
	case ldap.LacksValue(err): // the group has no member at all
		return false, nil
	case connector.IsCode(err, connector.CodeNotFound):
		return false, configuration("the group " + group.String() + " that tells disabled accounts does not exist")
	}
	return in, err
}

// grantsOf returns the groups of the config that an account is in; nil when the
// config has none.
func (s *session) grantsOf(ctx context.Context, m *model, e ldap.Entry) ([]connector.Ref, error) {
	if len(m.groups) == 0 {
		return nil, nil
	}
	out := []connector.Ref{}
	for _, g := range m.groups {
		found, err := s.findAll(ctx, g, ldap.And(g.filter, ldap.Equal(g.member, g.memberValue(m, e))), []string{m.dir.Anchor.Attribute})
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			ref, err := m.ref(g, x)
			if err != nil {
				return nil, err
			}
			out = append(out, connector.Ref{Type: g.name, ID: ref.ID, Name: ref.Name})
		}
	}
	return out, nil
}

// memberValue is what a group holds for an account that is in it.
func (g *objectType) memberValue(m *model, e ldap.Entry) string {
	if g.holdsDN {
		return e.DN.String()
	}
	return e.DN.RDN().Value(m.users.naming)
}
