package scim

import (
	"slices"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// described is what the service says of the attributes of one type; nil when it
// has not described itself.
type described struct{ index *client.AttributeIndex }

// at returns the definition of what lies at path; ok is false for what the
// service does not hold. Where it does not list the parts of a complex
// attribute, the whole stands for them.
func (d *described) at(path client.Path) (a client.SchemaAttribute, ok bool) {
	if a, ok = d.index.Attribute(path); ok || path.Sub == "" {
		return a, ok
	}
	whole, ok := d.index.Attribute(path.Bare())
	return client.SchemaAttribute{}, ok && len(whole.SubAttributes) == 0
}

// buildModel works out the object types. users and groups are what the service
// says of them; canSetPassword whether it takes passwords.
func buildModel(cfg *Config, p *client.Profile, users, groups *described, canSetPassword bool) (*model, error) {
	m := &model{p: p}
	var err error
	if m.users, err = userType(cfg, p, users, canSetPassword); err != nil {
		return nil, err
	}
	if m.groups, err = groupType(cfg, p, groups); err != nil {
		return nil, err
	}
	if m.groups != nil && slices.Contains(p.GroupOps, client.GroupUpdate) {
		u := m.users
		u.grants = []string{m.groups.name}
		u.verbs = append(u.verbs, connector.VerbGrant, connector.VerbRevoke)
		u.tellsGrants = p.MembersRead == client.MembersFull && users.holds(client.Path{Attr: "groups"})
	}
	for _, t := range m.types() {
		t.publish()
	}
	return m, nil
}

func userType(cfg *Config, p *client.Profile, d *described, canSetPassword bool) (*objectType, error) {
	t := &objectType{
		name: cfg.Users.typeName(), kind: connector.KindAccount, resource: client.Users,
		anchor: cfg.Users.anchor(), protected: rulesOf(cfg.Users.Protected),
		method: p.UserUpdate, disableMeans: disableMeans(p), verbs: userVerbs(cfg, p, canSetPassword),
		obfuscated:    p.ObfuscatedWhenDisabled,
		needsPassword: in(p.RequiredOnCreate, client.Path{Attr: "password"}),
	}
	if err := t.addAttributes(&cfg.Users.Objects, usualUser, p, d); err != nil {
		return nil, err
	}
	t.addRequired(p, d)
	t.correlate(p, t.anchor, t.naming().Name)
	return t, nil
}

// groupType returns nil where the hub can do nothing with groups.
func groupType(cfg *Config, p *client.Profile, d *described) (*objectType, error) {
	t := &objectType{
		name: cfg.Groups.typeName(), kind: connector.KindGroup, resource: client.Groups,
		anchor: orElse(cfg.Groups.Anchor, "externalId"), protected: rulesOf(cfg.Groups.Protected),
		method: p.GroupUpdate, verbs: groupVerbs(cfg, p),
	}
	if cfg.Groups.Kind == "none" || len(t.verbs) == 0 || !slices.Contains(p.GroupOps, client.GroupRead) {
		return nil, nil
	}
	if cfg.Groups.Kind == "entitlement" {
		t.kind = connector.KindEntitlement
	}
	err := t.addAttributes(&cfg.Groups.Objects, usualGroup, p, d)
	t.correlate(p, t.naming().Name, t.anchor) // rules name groups as people do
	return t, err
}

// holds reports whether the service says that it holds what lies at path.
func (d *described) holds(path client.Path) bool {
	if d == nil {
		return false
	}
	_, ok := d.at(path)
	return ok
}

// addAttributes fills in the attributes: the usual ones that the service holds,
// and those of the config.
func (t *objectType) addAttributes(cfg *Objects, usual []usualAttr, p *client.Profile, d *described) error {
	configured := func(name string) bool {
		return slices.ContainsFunc(cfg.Attributes, func(a Attribute) bool { return a.Name == name })
	}
	for _, u := range usual {
		path := client.MustPath(u.path)
		switch {
		case slices.Contains(cfg.LeaveOut, u.Name) || configured(u.Name):
			continue
		case u.Name == "externalId" && p.ExternalID == client.ExternalIDUnsupported:
			continue
		case in(p.SingleValued, path) && t.hasOther(path):
			continue // a product with one telephone number has no mobile beside it
		case d != nil && u.Name != "externalId" && !d.holds(path): // no schema lists externalId (RFC 7643 §3.1)
			continue
		}
		a := attribute{Attr: u.Attr, path: path}
		a.learn(d)
		t.obey(&a, p)
		t.attrs = append(t.attrs, a)
	}
	for i := range cfg.Attributes {
		a, err := t.configured(&cfg.Attributes[i], usual, p, d)
		if err != nil {
			return err
		}
		t.attrs = append(t.attrs, a)
	}
	return nil
}

// hasOther reports whether an attribute leads to another row of what path leads to.
func (t *objectType) hasOther(path client.Path) bool {
	_, row, _ := picked(path)
	return slices.ContainsFunc(t.attrs, func(a attribute) bool {
		_, other, picks := picked(a.path)
		return picks && a.path.Bare().Names(path.Bare()) && other != row
	})
}

// addRequired adds what the product insists on and nobody has named, such as
// mailNickname. What the connector gives by itself is not among it.
func (t *objectType) addRequired(p *client.Profile, d *described) {
	for _, name := range p.RequiredOnCreate {
		path, err := parsePath(name)
		own := path.Names(client.Path{Attr: "active"}) || path.Names(client.Path{Attr: "password"})
		if err != nil || own || slices.ContainsFunc(t.attrs, func(a attribute) bool { return a.path.Names(path) || a.path.Bare().Names(path) }) {
			continue
		}
		a := attribute{Attr: connector.Attr{Name: orElse(path.Sub, path.Attr), CaseExact: true}, path: path}
		a.learn(d)
		t.obey(&a, p)
		t.attrs = append(t.attrs, a)
	}
}

// correlate lets objects of the type be found by those of names that the product
// can filter by. No two objects may share them: what the product does not see to,
// Create does.
func (t *objectType) correlate(p *client.Profile, names ...string) {
	for _, n := range names {
		i := slices.IndexFunc(t.attrs, func(a attribute) bool { return a.Name == n })
		if i < 0 || t.attrs[i].WriteOnly || t.attrs[i].Multi || slices.Contains(t.correlation, n) || !findable(p, t.resource, t.attrs[i].path) {
			continue
		}
		t.attrs[i].Unique = true
		t.correlation = append(t.correlation, n)
	}
}

// findable reports whether the product finds objects by what lies at path.
func findable(p *client.Profile, t client.ResourceType, path client.Path) bool {
	path.Where = nil
	isID := p.IDSource == client.IDFromExternalID && path.Names(client.Path{Attr: "externalId"})
	return isID || p.CheckFilter(t, client.Compare{Path: path, Op: client.OpEqual, Value: "x"}) == nil
}
