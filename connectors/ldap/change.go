package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// mine returns the entry that an operation is about, if it may be written to.
func (s *session) mine(ctx context.Context, m *model, typ *objectType, ref connector.Ref) (*ldap.Entry, error) {
	e, err := s.resolve(ctx, m, typ, ref)
	if err != nil {
		return nil, err
	}
	return e, m.mayWrite(e.DN, e)
}

// Update implements [connector.Updater]: one request with the modifications that
// make a difference. Where the naming attribute or the container changes, the
// entry is renamed or moved first (QUIRKS LDAP-21).
func (t *Target) Update(ctx context.Context, u connector.Update) error {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return err
	}
	defer release()
	typ, err := m.byName(u.Target.Type)
	if err != nil {
		return err
	}
	if err := m.described[typ].CheckUpdate(u); err != nil {
		return err
	}
	e, err := s.mine(ctx, m, typ, u.Target)
	if err != nil {
		return err
	}
	if err := m.current(*e, u.IfVersion); err != nil {
		return err
	}
	mods, rdn, above, err := s.diff(ctx, m, typ, *e, u.Changes)
	if err != nil {
		return err
	}
	if rdn == nil && len(mods) == 0 {
		return connector.Unchanged
	}
	guard, err := m.guard(*e, u.IfVersion)
	if err != nil {
		return err
	}
	if rdn == nil {
		return typ.renamed(s.Modify(ctx, e.DN, mods, guard...))
	}
	dn, err := s.move(ctx, m, typ, *e, rdn, above, guard...)
	if err != nil || len(mods) == 0 {
		return typ.renamed(err)
	}
	if err := s.Modify(ctx, dn, mods); err != nil {
		return connector.Partial(typ.renamed(err), typ.namingAttr().spec.Name)
	}
	return nil
}

// current refuses a version that is no longer that of the entry.
func (m *model) current(e ldap.Entry, version string) error {
	if version == "" || m.dir.EntryVersion == "" || e.First(m.dir.EntryVersion) == version {
		return nil
	}
	return connector.Errorf(connector.CodeVersionConflict, "the entry was changed by somebody else since it was read")
}

// guard makes a write fail when its name leads to another entry by now, or when
// the entry is not of the wanted version; nil where the server cannot do that.
func (m *model) guard(e ldap.Entry, version string) ([]ldap.Control, error) {
	if !m.asserts {
		return nil, nil
	}
	id, err := m.dir.AnchorOf(e)
	if err != nil {
		return nil, err
	}
	f, err := m.dir.ByAnchor(id)
	if err != nil {
		return nil, err
	}
	if version != "" && m.dir.EntryVersion != "" {
		f = ldap.And(f, ldap.Equal(m.dir.EntryVersion, version))
	}
	c, err := ldap.Assert(f)
	return []ldap.Control{c}, err
}

// alone leaves the guard out of a rename or a delete where the server corrects the
// references to the entry: OpenLDAP's memberof applies the assertion to each group as
// well, of which it is not true, and leaves the old DN among the members.
func (m *model) alone(guard []ldap.Control) []ldap.Control {
	if m.dir.ReferentialIntegrity == "server" {
		return nil
	}
	return guard
}

// diff works out what an update changes. rdn and above are the new name and
// place, nil when they stay.
func (s *session) diff(ctx context.Context, m *model, typ *objectType, e ldap.Entry, changes []connector.Change) (mods []ldap.Mod, rdn ldap.RDN, above *ldap.DN, err error) {
	for _, c := range changes {
		a := typ.attr(c.Name)
		switch {
		case a == nil: // the container: the changes were checked against the schema
			if at, ok := typ.container.of(connector.Text(first(c.Replace))); ok && !e.DN.Parent().Equal(at) && !typ.parked(e) {
				above = &at
			}
		case a.spec.Naming:
			name := connector.Text(first(c.On(a.spec, a.decode(e.Get(a.ldap)))))
			if name == "" {
				return nil, nil, nil, &connector.Error{Code: connector.CodeInvalidValue, Message: "attribute " + c.Name + " names the entry and must not be empty", Attributes: []string{c.Name}}
			}
			id, _ := m.dir.AnchorOf(e)
			if name != typ.nameOf(e, id) {
				rdn = ldap.NewRDN(typ.naming, name)
			}
		default:
			more, err := s.attributeMods(ctx, m, a, e, c)
			if err != nil {
				return nil, nil, nil, err
			}
			mods = append(mods, more...)
		}
	}
	if above != nil && rdn == nil {
		rdn = e.DN.RDN()
	}
	return mods, rdn, above, nil
}

// parked reports whether an account is in the container of disabled ones, where
// it stays until it is enabled.
func (t *objectType) parked(e ldap.Entry) bool {
	return slices.ContainsFunc(t.disable, func(s strategy) bool { return s.Kind == "move" && s.disabled(e) })
}

// attributeMods is the least change of one attribute: a delta adds and removes
// single values, so that what others keep there stays.
func (s *session) attributeMods(ctx context.Context, m *model, a *attribute, e ldap.Entry, c connector.Change) ([]ldap.Mod, error) {
	have := e.Get(a.ldap)
	var lists [3][]string
	for i, vs := range []connector.Values{c.Replace, c.Add, c.Remove} {
		var err error
		if lists[i], err = s.encode(ctx, m, a, vs); err != nil {
			return nil, err
		}
	}
	replace, add, remove := lists[0], lists[1], lists[2]
	if !c.Delta {
		if sameValues(have, replace) {
			return nil, nil
		}
		return []ldap.Mod{{Op: ldap.OpReplace, Name: a.ldap, Values: replace}}, nil
	}
	gone := a.among(have, remove)
	fresh := slices.DeleteFunc(add, func(v string) bool {
		return len(a.among(have, []string{v})) > 0 && len(a.among(gone, []string{v})) == 0
	})
	switch {
	case len(gone) == 0 && len(fresh) == 0:
		return nil, nil
	case !a.byValue:
		kept := slices.DeleteFunc(slices.Clone(have), func(v string) bool { return slices.Contains(gone, v) })
		return []ldap.Mod{{Op: ldap.OpReplace, Name: a.ldap, Values: append(kept, fresh...)}}, nil
	}
	var out []ldap.Mod
	if len(gone) > 0 {
		out = append(out, ldap.Mod{Op: ldap.OpDelete, Name: a.ldap, Values: gone})
	}
	if len(fresh) > 0 {
		out = append(out, ldap.Mod{Op: ldap.OpAdd, Name: a.ldap, Values: fresh})
	}
	return out, nil
}

// sameValues compares two sets of values byte by byte.
func sameValues(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// among returns those of have that the attribute takes for equal to one of values.
func (a *attribute) among(have, values []string) []string {
	var out []string
	for _, h := range have {
		if slices.ContainsFunc(values, func(v string) bool { return a.equal(h, v) }) {
			out = append(out, h)
		}
	}
	return out
}

func (a *attribute) equal(x, y string) bool {
	switch {
	case x == y:
		return true
	case a.form == "reference":
		dx, err := ldap.ParseDN(x)
		dy, err2 := ldap.ParseDN(y)
		return err == nil && err2 == nil && dx.Equal(dy)
	case a.form == "bytes" || a.spec.CaseExact:
		return false
	}
	return strings.EqualFold(x, y)
}
