package fakescim

import (
	"net/http"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// membersOf reads a list of members.
func membersOf(list []any) ([]directory.Member, error) {
	out := make([]directory.Member, 0, len(list))
	for _, x := range list {
		m, _ := x.(map[string]any)
		id, _ := m["value"].(string)
		if id == "" {
			return nil, schema.Bad(schema.InvalidValue, "members: value is missing")
		}
		display, _ := m["display"].(string)
		out = append(out, directory.Member{Value: id, Display: display})
	}
	return out, nil
}

// join adds members to a group, each of which must be there. What happens to one
// that is not is up to the dialect.
func (s *Server) join(q *request, d *directory.Draft, members []directory.Member) error {
	for _, m := range members {
		if m.Type = s.dir.TypeOf(m.Value); m.Type != "" {
			d.AddMember(m)
			continue
		}
		bad := schema.Bad(schema.InvalidValue, "members: there is no %s", m.Value)
		switch {
		case q.rules.badMember != 0:
			bad.Status = q.rules.badMember
		case q.rules.BadMember == scim.BadMemberIgnored:
			continue
		case q.rules.BadMember == scim.BadMemberError500:
			bad = schema.Refused(http.StatusInternalServerError, "internal error")
		}
		return bad
	}
	return nil
}

// setMembers makes members those of a group, and nobody else.
func (s *Server) setMembers(q *request, d *directory.Draft, members []directory.Member) error {
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
