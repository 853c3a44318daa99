package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

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
