package fakescim

import (
	"net/url"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

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
