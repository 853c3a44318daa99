package scim

import (
	"slices"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// object returns a resource as the hub sees it, with the attributes in names;
// nil: all.
func (t *objectType) object(r client.Resource, names []string) connector.Object {
	o := connector.Object{Ref: t.ref(r)}
	if active, known := r.Active(); known && t.kind == connector.KindAccount {
		o.Enabled = connector.EnabledIf(active)
	}
	for i := range t.attrs {
		a := &t.attrs[i]
		switch {
		case a.WriteOnly || names != nil && !slices.Contains(names, a.Name):
			continue
		case o.Enabled == connector.IsDisabled && in(t.obfuscated, a.path):
			// What is shown instead is nobody's value (QUIRKS SCIM-62).
			o.Attributes = append(o.Attributes, connector.Attribute{Name: a.Name, Incomplete: true})
			continue
		}
		if vs := a.decode(r); len(vs) > 0 {
			o.Attributes = append(o.Attributes, connector.Attribute{Name: a.Name, Values: vs})
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, r.Text("meta.lastModified")); err == nil {
		o.ModifiedAt = at.UTC()
	}
	o.Grants = t.held(r)
	return o
}

// ref names the resource.
func (t *objectType) ref(r client.Resource) connector.Ref {
	ref := connector.Ref{Type: t.name, ID: r.ID(), Version: r.Version()}
	if a := t.naming(); a.Name != "" {
		if vs := a.decode(r); len(vs) > 0 {
			ref.Name = connector.Text(vs[0])
		}
	}
	return ref
}

// held returns the groups that an account is in by itself, not through another
// group (RFC 7643 §4.1.2); nil when the service does not tell.
func (t *objectType) held(r client.Resource) []connector.Ref {
	if len(t.grants) == 0 || !t.tellsGrants {
		return nil
	}
	out := []connector.Ref{}
	for _, v := range r.Values(client.Path{Attr: "groups"}) {
		m, ok := v.(map[string]any)
		g := client.Resource(m)
		if ok && !strings.EqualFold(g.Text("type"), "indirect") && g.Text("value") != "" {
			out = append(out, connector.Ref{Type: t.grants[0], ID: g.Text("value"), Name: g.Text("display")})
		}
	}
	return out
}

// selection asks for what object decodes. Members of groups are never asked for:
// there may be a hundred thousand.
func (t *objectType) selection(names []string) client.Selection {
	if names == nil {
		if t.resource == client.Groups {
			return client.Selection{Excluded: []string{"members"}}
		}
		return client.Selection{}
	}
	paths := []string{"meta"}
	for _, a := range t.attrs {
		if a.Naming || slices.Contains(names, a.Name) {
			paths = append(paths, a.path.Bare().String())
		}
	}
	if t.resource == client.Users {
		paths = append(paths, "active")
		if t.tellsGrants {
			paths = append(paths, "groups")
		}
	}
	slices.Sort(paths)
	return client.Selection{Attributes: slices.Compact(paths)}
}
