package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// create makes a resource (RFC 7644 §3.3).
func (s *Server) create(q *request) (*reply, error) {
	p, err := projectionOf(q)
	if err != nil {
		return nil, err
	}
	attrs, members, err := s.read(q, q.rules.reader())
	if err != nil {
		return nil, err
	}
	if err := q.rules.onCreate(q.typ, attrs, members); err != nil {
		return nil, err
	}
	if rep, done, err := s.revive(q, p, attrs); done {
		return rep, err
	}
	if err := s.gone.check(q.typ, attrs); err != nil {
		return nil, err
	}
	var rep *reply
	err = s.dir.Create(q.typ.Name, false, func(d *directory.Draft) error {
		d.Attrs = attrs
		if q.rules.IDSource == scim.IDFromExternalID {
			d.ID, _ = attrs["externalId"].(string)
		}
		if q.typ.Name == "User" && attrs["active"] == nil {
			d.Attrs["active"] = true
		}
		if err := s.join(q, d, members); err != nil {
			return err
		}
		return q.settle(d)
	}, func(r *directory.Resource) {
		rep = answer(http.StatusCreated, s.render(q, p, r))
		s.tag(q, rep, r)
	})
	return rep, err
}

// revive answers a create that brings a disabled account back, where the dialect
// does that. done tells whether it did.
func (s *Server) revive(q *request, p projection, attrs map[string]any) (rep *reply, done bool, err error) {
	if q.typ.Name != "User" || q.rules.Reactivate != scim.ReactivateCreate {
		return nil, false, nil
	}
	id := s.disabledAs(attrs)
	if id == "" {
		return nil, false, nil
	}
	err = s.dir.Update("User", id, func(d *directory.Draft) error {
		d.Attrs = attrs
		d.Attrs["active"] = true
		return q.settle(d)
	}, func(r *directory.Resource) {
		rep = answer(http.StatusCreated, s.render(q, p, r))
		s.tag(q, rep, r)
	})
	return rep, true, err
}

// disabledAs returns the id of the disabled account with the userName of attrs;
// "" when there is none.
func (s *Server) disabledAs(attrs map[string]any) (id string) {
	name, _ := attrs["userName"].(string)
	s.dir.Each("User", func(r *directory.Resource) {
		if !r.Active() && strings.EqualFold(r.Text("userName"), name) {
			id = r.ID
		}
	})
	return id
}

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
		if q.typ.Name == "Group" && (named || !partial) {
			if err := q.rules.replacesMembers(d, members); err != nil {
				return err
			}
			wanted := map[string]bool{}
			for _, m := range members {
				wanted[m.Value] = true
			}
			for _, m := range d.Members() {
				if !wanted[m.Value] {
					d.RemoveMember(m.Value)
				}
			}
			return s.join(q, d, members)
		}
		return nil
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

// change carries out an update and answers with the resource.
func (s *Server) change(q *request, p projection, status int, edit func(*directory.Draft) error) (*reply, error) {
	var rep *reply
	err := s.dir.Update(q.typ.Name, q.id, func(d *directory.Draft) error {
		old := d.Old()
		if q.rules.hidden(old) {
			return notFound()
		}
		if err := q.precondition(old); err != nil {
			return err
		}
		if err := edit(d); err != nil {
			return err
		}
		return q.settle(d)
	}, func(r *directory.Resource) {
		if r == nil {
			return
		}
		if rep = answer(status, nil); status != http.StatusNoContent {
			rep.body = s.render(q, p, r)
		}
		s.tag(q, rep, r)
	})
	if err == nil && rep == nil {
		err = notFound()
	}
	return rep, err
}

// read reads the resource in a body: its attributes, and apart from them the
// members of a group.
func (s *Server) read(q *request, reader schema.Reader) (attrs map[string]any, members []directory.Member, err error) {
	if q.body == nil {
		return nil, nil, schema.Bad(schema.InvalidSyntax, "the body is empty")
	}
	if err := q.rules.body(q.typ, q.body); err != nil {
		return nil, nil, err
	}
	q.rules.managers(q.body)
	attrs, err = reader.Resource(q.typ, q.body)
	if err != nil {
		return nil, nil, err
	}
	list, _ := attrs["members"].([]any)
	delete(attrs, "members")
	members, err = membersOf(list)
	return attrs, members, err
}

// fieldOf returns what the body has under name, in any case.
func fieldOf(m map[string]any, name string) (any, bool) {
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

// remove deletes a resource, or does what the dialect does instead (RFC 7644 §3.6).
func (s *Server) remove(q *request) (*reply, error) {
	effect := q.rules.DeleteEffect(typeOf(q.typ))
	if effect == scim.DeleteSoft || q.typ.Name == "User" && q.rules.Disable == scim.DisableDelete {
		return s.change(q, projection{}, http.StatusNoContent, func(d *directory.Draft) error {
			d.Attrs["active"] = false
			return nil
		})
	}
	err := s.dir.Delete(q.typ.Name, q.id, func(r *directory.Resource) error {
		if r == nil || q.rules.hidden(r) {
			return notFound()
		}
		if err := q.precondition(r); err != nil {
			return err
		}
		if effect == scim.DeleteIrreversible {
			s.gone.add(r)
		}
		return nil
	})
	return answer(http.StatusNoContent, nil), err
}
