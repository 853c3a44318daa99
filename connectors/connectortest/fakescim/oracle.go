package fakescim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Resource is a user or group as the service holds it, whatever it shows.
type Resource struct {
	ID         string
	ExternalID string
	Version    int
	// Attributes in the schema's spelling, extensions by their URN; without id,
	// meta, schemas, members and groups. A password is among them.
	Attributes map[string]any
	// Members are the ids of a group's members, in the order they came; Groups
	// those of the groups that a user or group is in.
	Members, Groups []string
	// Created is zero for what was seeded.
	Created time.Time
}

// Text returns a core attribute that is a text; "" when it is unassigned.
func (r Resource) Text(name string) string {
	s, _ := r.Attributes[name].(string)
	return s
}

// Active reports whether the account may be used.
func (r Resource) Active() bool { return r.Attributes["active"] != false }

// Users returns copies of all users, oldest first.
func (s *Server) Users() []Resource { return s.all("User") }

// Groups returns copies of all groups, oldest first.
func (s *Server) Groups() []Resource { return s.all("Group") }

// User returns a copy of the user with the userName, in any case; ok is false when
// there is none.
func (s *Server) User(userName string) (r Resource, ok bool) {
	return s.one("User", "userName", userName)
}

// Group returns a copy of the first group with the displayName, in any case; ok is
// false when there is none.
func (s *Server) Group(displayName string) (r Resource, ok bool) {
	return s.one("Group", "displayName", displayName)
}

// Len returns how many users and groups there are.
func (s *Server) Len() (users, groups int) { return s.dir.Len("User"), s.dir.Len("Group") }

func (s *Server) all(typ string) []Resource {
	out := []Resource{}
	s.dir.Each(typ, func(r *directory.Resource) { out = append(out, s.copyOf(r)) })
	return out
}

func (s *Server) one(typ, attr, value string) (out Resource, ok bool) {
	s.dir.Each(typ, func(r *directory.Resource) {
		if !ok && strings.EqualFold(r.Text(attr), value) {
			out, ok = s.copyOf(r), true
		}
	})
	return out, ok
}

func (s *Server) copyOf(r *directory.Resource) Resource {
	out := Resource{ID: r.ID, ExternalID: r.Text("externalId"), Version: r.Version, Created: r.Since, Attributes: directory.Clone(r.Attrs).(map[string]any)}
	if r.Members != nil {
		for _, m := range r.Members.All() {
			out.Members = append(out.Members, m.Value)
		}
	}
	for _, g := range s.dir.GroupsOf(r.ID) {
		out.Groups = append(out.Groups, g.ID)
	}
	return out
}

// CheckPassword reports whether an account that may be used has the password.
func (s *Server) CheckPassword(userName, password string) bool {
	u, ok := s.User(userName)
	return ok && u.Active() && password != "" && same(u.Text("password"), password)
}

// Seed puts a resource there past the protocol and the dialect, and returns its
// id. typ is User or Group. doc is the resource as JSON, such as
// {"userName": "jane"}; schemas may be left out, id may be given.
func (s *Server) Seed(typ, doc string) (id string, err error) {
	body, err := parseObject([]byte(doc))
	if err != nil {
		return "", fmt.Errorf("seed: %w", err)
	}
	for _, t := range s.types {
		if t.Name == typ {
			return s.seed(t, body)
		}
	}
	return "", fmt.Errorf("seed: there is no resource type %q; there are User and Group", typ)
}

func (s *Server) seed(t *schema.Type, body map[string]any) (id string, err error) {
	urns := []any{t.Core.ID}
	for _, e := range t.Extensions {
		urns = append(urns, e.ID)
	}
	body["schemas"] = urns
	attrs, err := schema.Reader{TextBooleans: true}.Resource(t, body)
	if err != nil {
		return "", fmt.Errorf("seed: %w", err)
	}
	list, _ := attrs["members"].([]any)
	delete(attrs, "members")
	members, err := membersOf(list)
	if err != nil {
		return "", fmt.Errorf("seed: %w", err)
	}
	err = s.dir.Create(t.Name, true, func(d *directory.Draft) error {
		d.ID, _ = body["id"].(string)
		d.Attrs = attrs
		for _, m := range members {
			if m.Type = s.dir.TypeOf(m.Value); m.Type == "" {
				return fmt.Errorf("seed: there is no member %s", m.Value)
			}
			d.AddMember(m)
		}
		return nil
	}, func(r *directory.Resource) { id = r.ID })
	return id, err
}

// SeedMembers adds members to a group past the protocol and the dialect.
func (s *Server) SeedMembers(group string, members ...string) error {
	found := false
	err := s.dir.Update("Group", group, func(d *directory.Draft) error {
		for _, id := range members {
			typ := s.dir.TypeOf(id)
			if typ == "" {
				return fmt.Errorf("seed: there is no member %s", id)
			}
			d.AddMember(directory.Member{Value: id, Type: typ})
		}
		return nil
	}, func(r *directory.Resource) { found = r != nil })
	if err == nil && !found {
		err = fmt.Errorf("seed: there is no group %s", group)
	}
	return err
}

// Clear takes all users and groups out.
func (s *Server) Clear() { s.dir.Clear() }

// JSON returns the attributes as JSON, for messages of tests.
func (r Resource) JSON() string {
	b, err := json.Marshal(r.Attributes)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
