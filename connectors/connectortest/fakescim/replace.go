package fakescim

import (
	"net/http"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// replace puts another content in place of a resource's (RFC 7644 §3.5.1).
func (s *Server) replace(q *request) (*reply, error) {
	p, err := projectionOf(q)
	if err != nil {
		return nil, err
	}
	partial := q.rules.UpdateMethod(typeOf(q.typ)) == scim.UpdatePutPartial && !q.rules.wipes
	reader := q.rules.reader()
	reader.Partial = partial
	attrs, members, err := s.read(q, reader)
	if err != nil {
		return nil, err
	}
	_, named := fieldOf(q.body, "members")
	return s.change(q, p, http.StatusOK, func(d *directory.Draft) error {
		if id, ok := field(q.body, "id").(string); ok && id != d.ID {
			return schema.Bad(schema.Mutability, "the id cannot be changed")
		}
		if partial {
			overlay(d, q.body, attrs)
		} else {
			if !q.rules.wipes {
				keepUnshown(d, attrs)
			}
			d.Attrs = attrs
		}
		if q.typ.Name != "Group" || partial && !named {
			return nil
		}
		if err := q.rules.replacesMembers(members); err != nil {
			return err
		}
		return s.setMembers(q, d, members)
	})
}

// overlay changes the attributes that a body names and leaves the others. attrs
// are what was read of it: what it empties is not among them.
func overlay(d *directory.Draft, body, attrs map[string]any) {
	for key, v := range body {
		if e, ok := d.Type.Extension(key); ok {
			given, _ := v.(map[string]any)
			read, _ := attrs[e.ID].(map[string]any)
			held, _ := d.Attrs[e.ID].(map[string]any)
			if held == nil {
				held = map[string]any{}
			}
			for name := range given {
				if a := e.Attr(name); a != nil {
					held[a.Name] = read[a.Name]
				}
			}
			d.Attrs[e.ID] = held
			continue
		}
		if a := d.Type.Top(key); a != nil && a.Mutability != "readOnly" && a.Name != "schemas" && a.Name != "members" {
			d.Attrs[a.Name] = attrs[a.Name]
		}
	}
}

// keepUnshown keeps what a client cannot send back because it never sees it, and
// whether the account may be used.
func keepUnshown(d *directory.Draft, attrs map[string]any) {
	for _, f := range d.Type.Fields() {
		if f.URN == "" && f.Attr.Returned == "never" && attrs[f.Attr.Name] == nil {
			attrs[f.Attr.Name] = d.Attrs[f.Attr.Name]
		}
	}
	if d.Type.Name == "User" && attrs["active"] == nil {
		attrs["active"] = d.Attrs["active"]
	}
}
