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
	if err := m.current(*e, r.IfVersion); err != nil {
		return ref, err
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
	err := s.Move(ctx, e.DN, rdn, above, m.alone(controls)...)
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
