package hub

import (
	"context"
	"maps"
	"slices"

	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
)

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
