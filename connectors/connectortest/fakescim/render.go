package fakescim

import (
	"net/url"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// projection says which attributes an answer holds (RFC 7644 §3.9).
type projection struct {
	only, without map[string]bool // by lower-case name; only nil: the usual ones
}

// projectionOf reads the parameters attributes and excludedAttributes.
func projectionOf(q *request) (projection, error) {
	var p projection
	var err error
	if q.query.Has("attributes") {
		if p.only, err = names(q, "attributes", q.rules.AttributesParam); err != nil {
			return p, err
		}
	}
	if q.query.Has("excludedAttributes") {
		p.without, err = names(q, "excludedAttributes", q.rules.ExcludedAttributesParam)
	}
	if p.only != nil && p.without != nil {
		return p, schema.Bad(schema.InvalidValue, "attributes and excludedAttributes exclude each other")
	}
	return p, err
}

// names reads the attributes that a parameter lists; those that the type does not
// have are left out.
func names(q *request, parameter string, rule scim.Parameter) (map[string]bool, error) {
	if rule == scim.ParameterNone && q.rules.declared(snake(parameter)) {
		return nil, schema.Bad(schema.InvalidValue, "the parameter %s is not supported", parameter)
	}
	out := map[string]bool{}
	for _, name := range strings.Split(strings.Join(q.query[parameter], ","), ",") {
		a, err := query.ParseAttr(name)
		if err != nil {
			return nil, schema.Bad(schema.InvalidPath, "%s: %v", parameter, err)
		}
		if f, ok := q.typ.Resolve(a); ok {
			out[strings.ToLower(f.String())] = true
		}
	}
	return out, nil
}

// snake returns the profile's key for a query parameter.
func snake(parameter string) string {
	if parameter == "attributes" {
		return "attributes_param"
	}
	return "excluded_attributes_param"
}

// whole reports whether the attribute a of the extension urn is shown, and if
// only in parts, which ones.
func (p projection) whole(urn string, a *schema.Attr) (show bool, parts []string) {
	name := strings.ToLower(schema.Field{URN: urn, Attr: a}.String())
	switch {
	case a.Returned == "never":
		return false, nil
	case a.Returned == "always":
		return true, nil
	case p.only != nil:
		if p.only[name] || p.only[strings.ToLower(urn)] {
			return true, nil
		}
		for _, s := range a.SubAttributes {
			if p.only[name+"."+strings.ToLower(s.Name)] {
				parts = append(parts, s.Name)
			}
		}
		return len(parts) > 0, parts
	case p.without[name], urn != "" && p.without[strings.ToLower(urn)], a.Returned == "request":
		return false, nil
	}
	for _, s := range a.SubAttributes {
		if p.without[name+"."+strings.ToLower(s.Name)] {
			parts = nil
			for _, s := range a.SubAttributes {
				if !p.without[name+"."+strings.ToLower(s.Name)] {
					parts = append(parts, s.Name)
				}
			}
			return true, parts
		}
	}
	return true, nil
}

// cut returns v with only the named parts of each object; nil parts: all.
func cut(v any, parts []string) any {
	if parts == nil {
		return v
	}
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = cut(x[i], parts)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, name := range parts {
			if y, ok := x[name]; ok {
				out[name] = y
			}
		}
		return out
	}
	return v
}

// render returns a resource as an answer shows it. It is called while the
// directory is held.
func (s *Server) render(q *request, p projection, r *directory.Resource) map[string]any {
	out := map[string]any{"schemas": r.Schemas(), "id": r.ID}
	put := func(m map[string]any, urn string, a *schema.Attr, v any) {
		if show, parts := p.whole(urn, a); show && v != nil {
			m[a.Name] = cut(v, parts)
		}
	}
	for name, v := range r.Attrs {
		e, ok := r.Type.Extension(name)
		if !ok {
			put(out, "", r.Type.Top(name), v)
			continue
		}
		m := map[string]any{}
		for name, v := range v.(map[string]any) {
			put(m, e.ID, e.Attr(name), v)
		}
		if len(m) > 0 {
			out[e.ID] = m
		}
	}
	put(out, "", r.Type.Top("meta"), s.meta(q, r))
	s.renderMembers(q, p, r, out)
	q.rules.restyle(out)
	if q.rules.noID && q.method == "POST" {
		delete(out, "id")
	}
	return out
}

func (s *Server) meta(q *request, r *directory.Resource) map[string]any {
	m := map[string]any{
		"resourceType": r.Type.Name, "created": stamp(r.Created), "lastModified": stamp(r.Modified), "location": q.location(r),
	}
	if q.rules.ETag != scim.ETagNone {
		m["version"] = r.ETag()
	}
	return m
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// location returns the address of a resource.
func (q *request) location(r *directory.Resource) string {
	return q.base + q.rules.path(r.Type) + "/" + url.PathEscape(r.ID)
}

// renderMembers adds members to a group and groups to a user.
func (s *Server) renderMembers(q *request, p projection, r *directory.Resource, out map[string]any) {
	name := "groups"
	if r.Members != nil {
		name = "members"
	}
	a := r.Type.Top(name)
	show, parts := p.whole("", a)
	if !show {
		return
	}
	var list []any
	if r.Members == nil {
		for _, g := range s.dir.GroupsOf(r.ID) {
			list = append(list, map[string]any{"value": g.ID, "$ref": q.location(g), "display": g.Text("displayName"), "type": "direct"})
		}
	} else {
		switch q.rules.MembersRead {
		case scim.MembersNone:
			return
		case scim.MembersFilterOnly:
			out[name] = []any{}
			return
		}
		for _, m := range r.Members.All() {
			x := map[string]any{"value": m.Value, "type": m.Type, "$ref": q.base + q.memberPath(m.Type) + "/" + url.PathEscape(m.Value)}
			if m.Display != "" {
				x["display"] = m.Display
			}
			list = append(list, x)
		}
	}
	if list != nil {
		out[name] = cut(list, parts)
	}
}

func (q *request) memberPath(typ string) string {
	if typ == "Group" {
		return q.rules.GroupsPath
	}
	return q.rules.UsersPath
}

// restyle writes what the dialect writes differently.
func (r *rules) restyle(out map[string]any) {
	if v, ok := out["active"].(bool); ok && r.BoolStyle != scim.BoolJSON {
		out["active"] = boolText(r.BoolStyle, v)
	}
}

func boolText(style scim.BoolStyle, v bool) string {
	switch {
	case style == scim.BoolStringTrue && v:
		return "True"
	case style == scim.BoolStringTrue:
		return "False"
	case v:
		return "true"
	}
	return "false"
}
