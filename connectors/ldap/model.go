package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// model is the layout with what the server says of itself.
type model struct {
	*layout
	root       ldap.RootDSE
	schema     *ldap.Subschema // nil: the server does not show it
	permissive bool            // memberships are changed with the permissive-modify control
	asserts    bool            // writes are guarded with the assertion control
	readsBack  bool            // the answer to an add brings the entry
	described  map[*objectType]connector.ObjectType
}

// learn reads what the server says of itself. The layout is copied: the schema
// that is published is a hint, and may be another one next time.
func learn(ctx context.Context, c *ldap.Client, cfg *Config) (*model, error) {
	root, err := c.RootDSE(ctx)
	if err != nil {
		return nil, err
	}
	l, _ := arrange(cfg)
	m := &model{layout: l, root: root, asserts: l.dir.Assertion == "auto" && root.Supports(ldap.OIDAssertion), readsBack: root.Supports(ldap.OIDPostRead)}
	m.permissive = l.dir.PermissiveModify == "always" || l.dir.PermissiveModify == "auto" && root.Supports(ldap.OIDPermissiveModify)
	if m.schema, err = c.Subschema(ctx, root); err != nil {
		if connector.IsCode(err, connector.CodeTimeout) || connector.IsCode(err, connector.CodeAuthentication) {
			return nil, err
		}
		m.schema = nil
	}
	m.described = map[*objectType]connector.ObjectType{}
	for _, t := range m.types() {
		for i := range t.attrs {
			m.hint(t, &t.attrs[i])
		}
		m.described[t] = m.describe(t)
	}
	return m, nil
}

// hint fills in what config and directory leave open (QUIRKS LDAP-25).
func (m *model) hint(t *objectType, a *attribute) {
	var published *ldap.AttributeType
	if m.schema != nil {
		published = m.schema.Attribute(a.ldap)
	}
	if published != nil {
		if a.form == "" {
			a.form = syntaxes[published.Syntax]
		}
		a.byValue = published.Equality != "" || m.dir.CreateDisabled // Active Directory publishes no rules
		a.spec.CaseExact = strings.HasPrefix(published.Equality, "caseExact")
		a.spec.ReadOnly = a.spec.ReadOnly || published.ReadOnly
		_, must := m.schema.Allows(t.classes, a.ldap)
		a.spec.Required = a.spec.Required || must && !t.given(a.ldap)
	}
	a.form = orElse(a.form, "string")
	a.spec.Type = valueTypes[a.form]
	if a.form == "reference" {
		a.spec.RefersTo = orElse(a.spec.RefersTo, m.users.name)
	}
	for _, r := range []*bool{a.rule.Required, a.fromConfig.Required} {
		if r != nil && !a.spec.Naming {
			a.spec.Required = *r
		}
	}
	for _, exact := range []*bool{a.rule.CaseExact, a.fromConfig.CaseExact} {
		if exact != nil {
			a.spec.CaseExact = *exact
		}
	}
	a.spec.Description = "LDAP attribute " + a.ldap
}

// given reports whether new entries get an attribute without the hub's doing.
func (t *objectType) given(name string) bool {
	return slices.ContainsFunc(t.fixed, func(f ldap.Attribute) bool { return strings.EqualFold(f.Name, name) }) ||
		slices.ContainsFunc(t.copies, func(c ldap.Copy) bool { return strings.EqualFold(c.Attribute, name) })
}

// published returns the schema for the hub.
func (m *model) published() connector.Schema {
	var out connector.Schema
	for _, t := range m.types() {
		out = append(out, m.described[t])
	}
	return out
}

func (m *model) describe(t *objectType) connector.ObjectType {
	o := connector.ObjectType{Name: t.name, Kind: t.kind, NativeName: t.classes[len(t.classes)-1], Verbs: m.verbs(t)}
	for _, a := range t.attrs {
		o.Attributes = append(o.Attributes, a.spec)
	}
	if t.container != nil {
		o.Attributes = append(o.Attributes, connector.Attr{Name: t.container.attribute, Canonical: t.container.values, Description: "container of the entry"})
	}
	if t.anchor != "" {
		o.Correlation = append(o.Correlation, t.anchor)
	}
	if n := t.namingAttr(); n.spec.Unique && n.spec.Name != t.anchor {
		o.Correlation = append(o.Correlation, n.spec.Name)
	}
	for _, a := range t.attrs {
		if a.spec.Unique && !slices.Contains(o.Correlation, a.spec.Name) {
			o.Correlation = append(o.Correlation, a.spec.Name)
		}
	}
	if t != m.users {
		return o
	}
	for _, g := range m.groups {
		o.Grants = append(o.Grants, g.name)
	}
	var means []string
	for _, s := range t.disable {
		means = append(means, s.says())
	}
	o.DisableMeans = strings.Join(means, " and ")
	return o
}

func (m *model) verbs(t *objectType) []connector.Verb {
	write := []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbRename, connector.VerbDelete}
	switch {
	case t == m.users:
		if len(m.groups) > 0 {
			write = append(write, connector.VerbGrant, connector.VerbRevoke)
		}
		if len(t.disable) > 0 {
			write = append(write, connector.VerbEnable, connector.VerbDisable)
		}
		if m.dir.Password.Method != "none" {
			write = append(write, connector.VerbSetCredential)
		}
		return write
	case t.kind == connector.KindGroup:
		return write
	}
	return []connector.Verb{connector.VerbGrant, connector.VerbRevoke}
}

// reads lists the LDAP attributes to ask for: operational ones come only by name.
func (m *model) reads(t *objectType) []string {
	out := []string{"objectClass", "modifyTimestamp", m.dir.Anchor.Attribute}
	if m.dir.EntryVersion != "" {
		out = append(out, m.dir.EntryVersion)
	}
	for _, a := range t.attrs {
		out = append(out, a.ldap)
	}
	for _, s := range t.disable {
		out = append(out, s.reads()...)
	}
	for _, p := range m.dir.Protected {
		out = append(out, p.Attribute)
	}
	if t == m.users && m.permissive && m.dir.Users.Memberships != "" {
		out = append(out, m.dir.Users.Memberships)
	}
	return out
}

// mayWrite refuses entries that the config or the directory protects
// (QUIRKS LDAP-48). dn is where the entry is or is to be.
func (m *model) mayWrite(dn ldap.DN, e *ldap.Entry) error {
	if !slices.ContainsFunc(m.writable, dn.Within) {
		return protected("the entry lies outside of what the config allows to be written")
	}
	if slices.ContainsFunc(m.protected, dn.Within) {
		return protected("the entry lies within what the config protects")
	}
	if e == nil {
		return nil
	}
	for _, p := range m.dir.Protected {
		if e.Has(p.Attribute, p.Value) {
			return protected(fmt.Sprintf("the directory protects the entry (%s is %s); an administrator must change it by hand", p.Attribute, p.Value))
		}
	}
	return nil
}

func protected(text string) error {
	return &connector.Error{Code: connector.CodePolicy, Scope: connector.ScopeObject, Message: text}
}
