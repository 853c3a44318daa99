package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
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
