package scim

import (
	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// configured makes the attribute that a config describes. What it leaves open is
// as the usual attribute of that name has it, the service and the profile say.
func (t *objectType) configured(c *Attribute, usual []usualAttr, p *client.Profile, d *described) (attribute, error) {
	a := attribute{Attr: connector.Attr{Name: c.Name, CaseExact: true}}
	path := orElse(c.Path, c.Name)
	for _, u := range usual {
		if u.Name == c.Name {
			a.Attr, path = u.Attr, orElse(c.Path, u.path)
		}
	}
	var err error
	if a.path, err = parsePath(path); err != nil {
		return a, configuration("attribute " + c.Name + ": path: " + err.Error())
	}
	a.learn(d)
	t.obey(&a, p)
	c.onto(&a.Attr)
	if a.Type == connector.TypeReference {
		a.RefersTo = orElse(c.RefersTo, a.RefersTo)
	}
	return a, nil
}

// onto sets what the config says of an attribute.
func (c *Attribute) onto(a *connector.Attr) {
	if c.Type != "" {
		a.Type = connector.ValueType(c.Type)
	}
	if c.Multi != nil {
		a.Multi = *c.Multi
	}
	if c.CaseExact != nil {
		a.CaseExact = *c.CaseExact
	}
	if c.Required != nil {
		a.Required = *c.Required
	}
	if c.ReadOnly {
		a.ReadOnly = true
	}
	a.Unique = a.Unique || c.Unique
	a.MaxLength = orElse(c.MaxLength, a.MaxLength)
	if len(c.Canonical) > 0 {
		a.Canonical = c.Canonical
	}
}

// learn sets what the service says of an attribute (RFC 7643 §7).
func (a *attribute) learn(d *described) {
	if d == nil {
		return
	}
	t, ok := d.at(a.path)
	if !ok {
		return
	}
	if a.Type != connector.TypeReference {
		a.Type = orElse(valueTypes[t.Type], a.Type)
	}
	a.Multi = d.index.MultiValued(a.path) && a.path.Where == nil
	a.CaseExact = a.CaseExact || t.CaseExact
	a.Required = a.Required || t.Required && a.path.Sub == ""
	a.ReadOnly = t.Mutability == "readOnly"
	a.CreateOnly = t.Mutability == "immutable"
	a.WriteOnly = t.Mutability == "writeOnly" || t.Returned == "never"
	a.kept = t.Uniqueness == "server" || t.Uniqueness == "global"
	a.Unique = a.Unique || a.kept
}

var valueTypes = map[string]connector.ValueType{
	"boolean": connector.TypeBool, "decimal": connector.TypeDouble, "integer": connector.TypeInteger,
	"dateTime": connector.TypeTimestamp, "complex": connector.TypeObject,
}

// obey sets what the profile says of an attribute.
func (t *objectType) obey(a *attribute, p *client.Profile) {
	if a.Type == connector.TypeReference {
		a.RefersTo = orElse(a.RefersTo, t.name)
	}
	if t.resource != client.Users {
		return
	}
	a.kept = a.kept || a.path.Names(client.Path{Attr: "userName"}) // RFC 7643 §4.1.1: uniqueness server
	a.Unique = a.Unique || a.kept
	a.Required = a.Required || in(p.RequiredOnCreate, a.path)
	a.CreateOnly = a.CreateOnly || in(p.Immutable, a.path) || in(p.Ignored, a.path)
	if in(p.Normalised, a.path) {
		a.CaseExact = false
	}
	if t.method == client.UpdateNone {
		a.CreateOnly = true
	}
}
