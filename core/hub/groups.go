package hub

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
)

// GroupView is a group of a source.
type GroupView struct {
	Source string `json:"source"`
	Anchor string `json:"anchor"`
	// Name is what rules call it in person.groups.
	Name string `json:"name"`
	// People are the present members who are people.
	People      int                 `json:"people"`
	FirstSeen   time.Time           `json:"first_seen"`
	AbsentSince time.Time           `json:"absent_since,omitzero"` // zero: it is there
	Attributes  identity.Attributes `json:"attributes,omitempty"`
}

// Groups returns the groups that the named source has or had, by anchor; of all sources
// for "".
func (h *Hub) Groups(ctx context.Context, name string) ([]GroupView, error) {
	sources, err := h.sources(name)
	if err != nil {
		return nil, err
	}
	out := []GroupView{}
	for _, s := range sources {
		rows, err := h.org.GroupRows(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		for _, g := range rows {
			out = append(out, GroupView{Source: s.Name, Anchor: g.Anchor, Name: cycle.GroupName(g.Identity), People: g.People,
				FirstSeen: g.FirstSeen, AbsentSince: g.AbsentSince, Attributes: g.Attributes})
		}
	}
	return out, nil
}

// addGroups gives a person the names of their groups, as a cycle does.
func (h *Hub) addGroups(ctx context.Context, id *identity.Identity) error {
	s := h.cfg.Source(id.Source)
	if s == nil || id.Kind != identity.Person || groupFields(s) == nil {
		return nil
	}
	of, err := h.org.GroupsOf(ctx, s.Name, []string{id.Anchor}, s.NestedGroups)
	if err != nil {
		return err
	}
	groups, err := h.org.Identities(ctx, s.Name, identity.Group, of[id.Anchor])
	if err != nil {
		return err
	}
	names := make([]string, 0, len(groups))
	for _, g := range groups {
		names = append(names, cycle.GroupName(g))
	}
	slices.Sort(names)
	id.Attributes = maps.Clone(id.Attributes)
	if id.Attributes == nil {
		id.Attributes = identity.Attributes{}
	}
	id.Attributes[cycle.GroupsField] = slices.Compact(names)
	return nil
}
