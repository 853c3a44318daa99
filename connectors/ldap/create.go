package ldap

import (
	"context"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// Create implements [connector.Creator]: look, add, take the id that the directory
// gave from the answer or read it, then disable or set the password and enable. A crash in between
// leaves an account that nobody can use, and a create with MaybeApplied goes on
// from there.
func (t *Target) Create(ctx context.Context, c connector.Create) (connector.Ref, error) {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return connector.Ref{}, err
	}
	defer release()
	typ, err := m.byName(c.Type)
	if err != nil {
		return connector.Ref{}, err
	}
	n, err := s.newEntry(ctx, m, typ, c)
	if err != nil {
		return connector.Ref{}, err
	}
	if found, err := s.before(ctx, m, typ, c, n); err != nil || found != nil {
		return s.meet(ctx, m, typ, c, n, found, err)
	}
	made, err := s.make(ctx, m, typ, n)
	if err != nil {
		return s.notAdded(ctx, m, typ, c, n, err)
	}
	e, err := s.readNew(ctx, m, typ, n.dn, made)
	if err != nil {
		return connector.Ref{}, connector.Unknown(err) // it was added; who reads it next finds it
	}
	ref, err := m.ref(typ, e)
	if err != nil {
		return connector.Ref{}, connector.Unknown(err)
	}
	return ref, s.finish(ctx, m, typ, c, e)
}

// newEntry is an entry to be made.
type newEntry struct {
	dn         ldap.DN
	attributes []ldap.Attribute
}

// newEntry works out name and content of the entry, offline but for references.
func (s *session) newEntry(ctx context.Context, m *model, typ *objectType, c connector.Create) (*newEntry, error) {
	if err := m.described[typ].CheckCreate(c); err != nil {
		return nil, err
	}
	base := typ.base
	as := []ldap.Attribute{{Name: "objectClass", Values: typ.classes}}
	for _, x := range c.Attributes {
		if typ.container != nil && x.Name == typ.container.attribute {
			if at, ok := typ.container.of(connector.Text(first(x.Values))); ok {
				base = at
			}
			continue
		}
		a := typ.attr(x.Name)
		values, err := s.encode(ctx, m, a, x.Values)
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			as = append(as, ldap.Attribute{Name: a.ldap, Values: values})
		}
	}
	as = typ.complete(as)
	naming := typ.namingAttr()
	name := valueOf(as, naming.ldap)
	if name == "" {
		return nil, &connector.Error{Code: connector.CodeInvalidValue, Message: "attribute " + naming.spec.Name + " names the entry and must not be empty", Attributes: []string{naming.spec.Name}}
	}
	n := &newEntry{dn: base.Child(ldap.NewRDN(typ.naming, name)), attributes: as}
	if typ.member != "" && typ.needsMember {
		n.attributes = append(n.attributes, ldap.Attribute{Name: typ.member, Values: []string{orElse(typ.placeholder, n.dn.String())}})
	}
	return n, m.mayWrite(n.dn, nil)
}

// make adds an entry, and returns it where the server says what it holds then; nil:
// it has to be read.
func (s *session) make(ctx context.Context, m *model, typ *objectType, n *newEntry) (*ldap.Entry, error) {
	if !m.readsBack {
		return nil, s.Add(ctx, n.dn, n.attributes)
	}
	return s.AddAndRead(ctx, n.dn, n.attributes, m.reads(typ))
}

func first(vs connector.Values) connector.Value {
	if len(vs) == 0 {
		return nil
	}
	return vs[0]
}

func valueOf(as []ldap.Attribute, name string) string {
	for _, a := range as {
		if strings.EqualFold(a.Name, name) && len(a.Values) > 0 {
			return a.Values[0]
		}
	}
	return ""
}

// complete adds what every new entry of the kind gets.
func (t *objectType) complete(as []ldap.Attribute) []ldap.Attribute {
	for _, f := range t.fixed {
		if valueOf(as, f.Name) == "" {
			as = append(as, f)
		}
	}
	for _, c := range t.copies {
		if v := valueOf(as, c.From); v != "" && valueOf(as, c.Attribute) == "" {
			as = append(as, ldap.Attribute{Name: c.Attribute, Values: []string{v}})
		}
	}
	return as
}

// encode returns values as the directory takes them; references become DNs.
func (s *session) encode(ctx context.Context, m *model, a *attribute, vs connector.Values) ([]string, error) {
	if a.form != "reference" {
		return a.encode(vs)
	}
	var out []string
	for _, v := range vs {
		ref, _ := v.(connector.Ref) // the values were checked against the schema
		to, err := m.byName(orElse(ref.Type, a.spec.RefersTo))
		if err != nil {
			return nil, err
		}
		e, err := s.resolve(ctx, m, to, ref)
		if connector.IsCode(err, connector.CodeNotFound) {
			return nil, &connector.Error{Code: connector.CodeDependencyMissing, Message: "what attribute " + a.spec.Name + " refers to is not in the directory", Attributes: []string{a.spec.Name}}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e.DN.String())
	}
	return out, nil
}
