package ldap

import (
	"context"
	"slices"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// Rename implements [connector.Renamer]. The id stays; the DN does not.
func (t *Target) Rename(ctx context.Context, r connector.Rename) (connector.Ref, error) {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return connector.Ref{}, err
	}
	defer release()
	typ, err := m.byName(r.Target.Type)
	if err != nil {
		return connector.Ref{}, err
	}
	naming := typ.namingAttr()
	if err := naming.spec.CheckValues(connector.Values{r.NewName}); err != nil {
		return connector.Ref{}, err
	}
	if _, err := naming.encode(connector.Values{r.NewName}); err != nil {
		return connector.Ref{}, err
	}
	e, err := s.mine(ctx, m, typ, r.Target)
	if err != nil {
		return connector.Ref{}, err
	}
	ref, err := m.ref(typ, *e)
	if err != nil {
		return ref, err
	}
	above, err := typ.place(r.NewContainer, *e)
	if err != nil {
		return ref, err
	}
	if above == nil && (r.NewName == "" || typ.nameOf(*e, ref.ID) == r.NewName) {
		return ref, connector.Unchanged
	}
	guard, err := m.guard(*e, r.IfVersion)
	if err != nil {
		return ref, err
	}
	dn, err := s.move(ctx, m, typ, *e, ldap.NewRDN(typ.naming, orElse(r.NewName, typ.nameOf(*e, ref.ID))), above, guard...)
	if err == nil || connector.ResultOf("", connector.Ref{}, err).Outcome == connector.OutcomePartial {
		ref.Name, ref.Version = dn.String(), ""
	}
	return ref, err
}

// place reads the container of a rename: a value of the container attribute, or
// a DN; nil when the entry is there already.
func (t *objectType) place(to string, e ldap.Entry) (*ldap.DN, error) {
	if to == "" {
		return nil, nil
	}
	if t.container != nil {
		if at, ok := t.container.of(to); ok {
			return elsewhere(at, e), nil
		}
	}
	at, err := ldap.ParseDN(to)
	if err != nil || at.IsRoot() {
		return nil, connector.Errorf(connector.CodeInvalidValue, "the new container is neither a value of users.container nor a DN")
	}
	if !slices.ContainsFunc(t.bases, at.Within) {
		return nil, connector.Errorf(connector.CodeInvalidValue, "the new container lies outside of where the config has entries of type %s", t.name)
	}
	return elsewhere(at, e), nil
}

func elsewhere(at ldap.DN, e ldap.Entry) *ldap.DN {
	if e.DN.Parent().Equal(at) {
		return nil
	}
	return &at
}

// move renames an entry, and moves it below above unless that is nil. Then it
// corrects the references to it, where the directory does not.
func (s *session) move(ctx context.Context, m *model, typ *objectType, e ldap.Entry, rdn ldap.RDN, above *ldap.DN, controls ...ldap.Control) (ldap.DN, error) {
	parent := e.DN.Parent()
	if above != nil {
		parent = *above
	}
	dn := parent.Child(rdn)
	if err := m.mayWrite(dn, nil); err != nil {
		return e.DN, err
	}
	err := s.Move(ctx, e.DN, rdn, above, controls...)
	switch {
	case connector.IsCode(err, connector.CodeAlreadyExists):
		return e.DN, s.taken(ctx, m, typ, dn, err)
	case connector.IsCode(err, connector.CodePermission):
		return e.DN, oneObject(err, "; it takes the right to delete where the entry is and to create where it goes")
	case err != nil:
		return e.DN, typ.renamed(err)
	}
	return dn, s.forget(ctx, m, typ, e.DN, &dn)
}

// taken says who holds the name that an entry was to get.
func (s *session) taken(ctx context.Context, m *model, typ *objectType, dn ldap.DN, cause error) error {
	own := *connector.AsError(cause)
	own.Attributes = []string{typ.namingAttr().spec.Name}
	if e, err := s.Read(ctx, dn, m.dir.Anchor.Attribute); err == nil {
		if ref, err := m.ref(typ, e); err == nil {
			own.Conflicting = &ref
		}
	}
	return &own
}

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
