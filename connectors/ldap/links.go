package ldap

import (
	"context"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// forget corrects what refers to an entry that has another name now (to), or is
// gone (to is nil), where the directory does not do so itself (QUIRKS LDAP-50).
func (s *session) forget(ctx context.Context, m *model, typ *objectType, from ldap.DN, to *ldap.DN) error {
	if m.dir.ReferentialIntegrity != "own" {
		return nil
	}
	for _, l := range m.links(typ) {
		found, err := s.findAll(ctx, l.holder, ldap.Equal(l.attribute, l.value(from)), []string{l.attribute})
		if err != nil {
			return connector.Partial(err)
		}
		for _, e := range found {
			mods := []ldap.Mod{{Op: ldap.OpDelete, Name: l.attribute, Values: []string{l.value(from)}}}
			if to != nil {
				mods = append(mods, ldap.Mod{Op: ldap.OpAdd, Name: l.attribute, Values: []string{l.value(*to)}})
			}
			if err := s.unlink(ctx, l, e.DN, mods); err != nil {
				return connector.Partial(err)
			}
		}
	}
	return nil
}

// unlink corrects one reference. Somebody else may have done so meanwhile.
func (s *session) unlink(ctx context.Context, l link, dn ldap.DN, mods []ldap.Mod) error {
	err := s.Modify(ctx, dn, mods)
	if code, _ := ldap.ResultCode(err); code == resultObjectClassViolation && l.holder.needsMember {
		err = s.Modify(ctx, dn, append(mods, ldap.Mod{Op: ldap.OpAdd, Name: l.attribute, Values: []string{orElse(l.holder.placeholder, dn.String())}}))
	}
	if ldap.LacksValue(err) || ldap.HasValue(err) || connector.IsCode(err, connector.CodeNotFound) {
		return nil
	}
	return err
}

// link is an attribute that refers to entries of a kind.
type link struct {
	holder    *objectType
	attribute string
	byName    string // the naming attribute whose value is held; "": the DN
}

func (l link) value(dn ldap.DN) string {
	if l.byName != "" {
		return dn.RDN().Value(l.byName)
	}
	return dn.String()
}

// links lists what can refer to entries of a kind.
func (m *model) links(typ *objectType) []link {
	var out []link
	for _, g := range m.groups {
		if typ == m.users {
			l := link{holder: g, attribute: g.member}
			if !g.holdsDN {
				l.byName = typ.naming
			}
			out = append(out, l)
		}
	}
	for _, h := range m.types() {
		for _, a := range h.attrs {
			if a.form == "reference" && a.spec.RefersTo == typ.name && !a.spec.ReadOnly {
				out = append(out, link{holder: h, attribute: a.ldap})
			}
		}
	}
	return out
}
