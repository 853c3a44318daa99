package directory

import (
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// compile returns the filter on resources of a type. The error is a
// [*schema.Error] with invalidFilter. The match is called while the directory is
// held.
func (d *Directory) compile(t *schema.Type, e query.Expr) (Match[*Resource], error) {
	return compiler[*Resource]{
		attr:   func(c query.Compare) (Match[*Resource], error) { return d.compare(t, c) },
		nested: func(v query.ValuePath) (Match[*Resource], error) { return d.valuePath(t, v) },
	}.compile(e)
}

// resolve finds the attribute that a filter compares; a list of objects is
// compared by its "value".
func resolve(t *schema.Type, a query.Attr, op query.Op) (schema.Field, error) {
	f, ok := t.Resolve(a)
	if !ok || f.Attr == nil && op != query.Present {
		return f, schema.Bad(schema.InvalidFilter, "a %s has no attribute %s to be searched for", t.Name, a)
	}
	if f.Attr != nil && f.Sub == nil && f.Attr.Complex() && f.Attr.MultiValued && op != query.Present {
		f.Sub = f.Attr.Sub("value")
	}
	if leaf := f.Leaf(); leaf != nil && (leaf.Name == "$ref" || leaf.Name == "location") {
		return f, schema.Bad(schema.InvalidFilter, "%s cannot be searched for", a)
	}
	return f, nil
}

func (d *Directory) compare(t *schema.Type, c query.Compare) (Match[*Resource], error) {
	f, err := resolve(t, c.Attr, c.Op)
	if err != nil {
		return nil, err
	}
	if f.Attr == nil {
		return func(r *Resource) bool { return present(r.Attrs[f.URN]) }, nil
	}
	if isMember(t, f, c) {
		id := c.Value.(string)
		return func(r *Resource) bool { return r.Members.Has(id) }, nil
	}
	holds, err := some(f.Leaf(), c)
	return func(r *Resource) bool { return holds(d.values(r, f)) }, err
}

// isMember reports whether c asks for one member, which the set answers at once.
func isMember(t *schema.Type, f schema.Field, c query.Compare) bool {
	_, text := c.Value.(string)
	return t.Name == "Group" && f.Attr.Name == "members" && f.Sub != nil && f.Sub.Name == "value" && c.Op == query.Equal && text
}

func (d *Directory) valuePath(t *schema.Type, v query.ValuePath) (Match[*Resource], error) {
	f, ok := t.Resolve(v.Attr)
	if !ok || f.Attr == nil || f.Sub != nil || !f.Attr.Complex() {
		return nil, schema.Bad(schema.InvalidFilter, "a %s has no complex attribute %s", t.Name, v.Attr)
	}
	holds, err := Element(f.Attr, v.Filter)
	if err != nil {
		return nil, err
	}
	if c, ok := v.Filter.(query.Compare); ok && f.Attr.Name == "members" {
		if g := (schema.Field{Attr: f.Attr, Sub: f.Attr.Sub(c.Attr.Name)}); isMember(t, g, c) {
			return func(r *Resource) bool { return r.Members.Has(c.Value.(string)) }, nil
		}
	}
	return func(r *Resource) bool {
		return anyOf(d.values(r, f), func(x any) bool {
			m, ok := x.(map[string]any)
			return ok && holds(m)
		})
	}, nil
}

// values returns the values of an attribute, or of its sub-attribute.
func (d *Directory) values(r *Resource, f schema.Field) []any {
	attrs := r.Attrs
	if f.URN != "" {
		attrs, _ = r.Attrs[f.URN].(map[string]any)
	}
	var vs []any
	switch f.Attr.Name {
	case "id":
		return []any{r.ID}
	case "schemas":
		for _, u := range r.Schemas() {
			vs = append(vs, u)
		}
		return vs
	case "meta":
		vs = []any{map[string]any{"resourceType": r.Type.Name, "created": r.Created, "lastModified": r.Modified, "version": r.ETag()}}
	case "members":
		for _, m := range r.Members.All() {
			vs = append(vs, map[string]any{"value": m.Value, "type": m.Type, "display": m.Display})
		}
	case "groups":
		for _, g := range d.GroupsOf(r.ID) {
			vs = append(vs, map[string]any{"value": g.ID, "display": g.Text("displayName"), "type": "direct"})
		}
	default:
		vs = listed(attrs[f.Attr.Name])
	}
	if f.Sub == nil {
		return vs
	}
	var subs []any
	for _, v := range vs {
		if m, ok := v.(map[string]any); ok {
			subs = append(subs, listed(m[f.Sub.Name])...)
		}
	}
	return subs
}

// Schemas returns the schemas that a resource follows: that of its type, and
// those of the extensions that it has attributes of.
func (r *Resource) Schemas() []string {
	out := []string{r.Type.Core.ID}
	for _, e := range r.Type.Extensions {
		if r.Attrs[e.ID] != nil {
			out = append(out, e.ID)
		}
	}
	return out
}
