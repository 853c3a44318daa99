package ldap

import (
	"context"
	"slices"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// before looks for the entry that a create is about. It is looked for where an
// earlier try may have made it, and by the person's anchor, which may lead to an
// account that has another name or another place.
func (s *session) before(ctx context.Context, m *model, typ *objectType, c connector.Create, n *newEntry) (*ldap.Entry, error) {
	if c.MaybeApplied {
		e, err := s.Read(ctx, n.dn, m.reads(typ)...)
		if err == nil && s.proves(typ, c, e) {
			return &e, nil
		}
		if err != nil && !connector.IsCode(err, connector.CodeNotFound) {
			return nil, err
		}
	}
	a := typ.attr(c.Correlate.Attribute)
	if a == nil || a.spec.Naming && typ.container == nil && !c.Adopt && len(typ.bases) == 1 {
		return nil, nil // its name is its anchor: adding it tells whether it is there
	}
	found, err := s.lookup(ctx, m, typ, c.Correlate)
	switch {
	case err != nil || len(found) == 0:
		return nil, err
	case len(found) > 1:
		return nil, ambiguous(typ, c.Correlate)
	}
	return &found[0], nil
}

// proves reports whether an entry is the one that a create is about: it holds the
// value to be found by, or, where there is none, everything that was to be written.
func (s *session) proves(typ *objectType, c connector.Create, e ldap.Entry) bool {
	if a := typ.attr(c.Correlate.Attribute); a != nil {
		return slices.ContainsFunc(a.decode(e.Get(a.ldap)), func(v connector.Value) bool { return a.spec.Equal(v, c.Correlate.Value) })
	}
	return typ.holds(e, c.Attributes)
}

// holds reports whether an entry has all values that a create was to write;
// references are not compared.
func (t *objectType) holds(e ldap.Entry, as connector.Attributes) bool {
	for _, x := range as {
		a := t.attr(x.Name)
		if a == nil || a.form == "reference" || len(x.Values) == 0 {
			continue
		}
		have := a.decode(e.Get(a.ldap))
		for _, v := range x.Values {
			if !slices.ContainsFunc(have, func(h connector.Value) bool { return a.spec.Equal(h, v) }) {
				return false
			}
		}
	}
	return true
}

// meet answers a create whose entry is there already.
func (s *session) meet(ctx context.Context, m *model, typ *objectType, c connector.Create, n *newEntry, e *ldap.Entry, err error) (connector.Ref, error) {
	if err != nil {
		return connector.Ref{}, err
	}
	ref, err := m.ref(typ, *e)
	if err != nil {
		return ref, err
	}
	if !c.MaybeApplied && !c.Adopt {
		return connector.Ref{}, inTheWay(typ, ref, typ.named([]string{n.blame(typ, *e)}), nil)
	}
	if c.MaybeApplied && typ.holds(*e, c.Attributes) {
		if err := m.mayWrite(e.DN, e); err != nil {
			return ref, err
		}
		if err := s.finish(ctx, m, typ, c, *e); err != nil {
			return ref, err
		}
		return ref, connector.Unchanged
	}
	o, err := s.whole(ctx, m, typ, *e, nil)
	if err != nil {
		return ref, err
	}
	return ref, connector.Adopted(o)
}

// blame returns the LDAP attribute by which an entry is in the way of a new one.
func (n *newEntry) blame(typ *objectType, e ldap.Entry) string {
	if e.DN.Equal(n.dn) {
		return typ.naming
	}
	for _, a := range typ.attrs {
		if v := valueOf(n.attributes, a.ldap); a.spec.Unique && v != "" && e.Has(a.ldap, v) {
			return a.ldap
		}
	}
	return ""
}

// inTheWay names the entry that keeps a new one from being made. cause is what
// the server said, nil when it was not asked.
func inTheWay(typ *objectType, ref connector.Ref, attributes []string, cause error) error {
	text := "another " + typ.name + " has this name"
	if len(attributes) > 0 {
		text = "another " + typ.name + " holds this " + attributes[0]
	}
	e := &connector.Error{Code: connector.CodeAlreadyExists, Message: text, Attributes: attributes, Conflicting: &ref, Cause: cause}
	if cause != nil {
		e.NativeCode = connector.AsError(cause).NativeCode
	}
	return e
}

// notAdded answers an add that the server refused. What holds the name is read:
// only the person's anchor proves that it is ours (QUIRKS LDAP-10).
func (s *session) notAdded(ctx context.Context, m *model, typ *objectType, c connector.Create, n *newEntry, cause error) (connector.Ref, error) {
	switch {
	case connector.ResultOf("", connector.Ref{}, cause).Outcome == connector.OutcomeUnknown:
		return connector.Ref{}, cause
	case connector.IsCode(cause, connector.CodeNotFound):
		return connector.Ref{}, &connector.Error{Code: connector.CodeDependencyMissing, NativeCode: connector.AsError(cause).NativeCode, Message: "the container " + n.dn.Parent().String() + " does not exist", Cause: cause}
	case !connector.IsCode(cause, connector.CodeAlreadyExists):
		return connector.Ref{}, typ.renamed(cause)
	}
	e, err := s.holder(ctx, m, typ, n)
	if err != nil || e == nil {
		return connector.Ref{}, typ.renamed(cause)
	}
	if s.proves(typ, c, *e) && (c.MaybeApplied || c.Adopt) {
		return s.meet(ctx, m, typ, c, n, e, nil)
	}
	ref, err := m.ref(typ, *e)
	if err != nil {
		return connector.Ref{}, typ.renamed(cause)
	}
	return connector.Ref{}, inTheWay(typ, ref, typ.named([]string{n.blame(typ, *e)}), cause)
}

// holder finds the entry that is in the way: the one of this name, else one with
// the same value of a unique attribute. nil when it must not be seen.
func (s *session) holder(ctx context.Context, m *model, typ *objectType, n *newEntry) (*ldap.Entry, error) {
	e, err := s.Read(ctx, n.dn, m.reads(typ)...)
	if err == nil {
		return &e, nil
	}
	if !connector.IsCode(err, connector.CodeNotFound) {
		return nil, err
	}
	for _, a := range typ.attrs {
		v := valueOf(n.attributes, a.ldap)
		if !a.spec.Unique || v == "" {
			continue
		}
		found, err := s.findAll(ctx, typ, ldap.Equal(a.ldap, v), m.reads(typ))
		if err != nil || len(found) > 0 {
			return firstOf(found), err
		}
	}
	return nil, nil
}

func firstOf(es []ldap.Entry) *ldap.Entry {
	if len(es) == 0 {
		return nil
	}
	return &es[0]
}

// renamed replaces LDAP attributes in an error with the hub's names for them.
func (t *objectType) renamed(err error) error {
	if err == nil {
		return nil
	}
	e := connector.AsError(err)
	if len(e.Attributes) == 0 || connector.ResultOf("", connector.Ref{}, err).Outcome != connector.OutcomeFailed {
		return err
	}
	own := *e
	if own.Attributes = t.named(e.Attributes); len(own.Attributes) > 0 {
		own.Message += " (" + own.Attributes[0] + ")"
	} else {
		own.Message += " (LDAP attribute " + e.Attributes[0] + ")"
	}
	return &own
}
