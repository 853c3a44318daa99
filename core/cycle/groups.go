package cycle

import (
	"context"
	"maps"
	"slices"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// GroupsField is the field of people that holds the names of the groups they are
// in, where their source has groups.
const GroupsField = "groups"

// GroupName is what a group is called in that field: its own name, else its anchor.
func GroupName(g identity.Identity) string {
	if name := g.Attributes.Text("name"); name != "" {
		return name
	}
	return g.Anchor
}

// grouped reports whether people of the source are in groups.
func (p *pass) grouped() bool {
	g, ok := p.Reader.(source.Grouped)
	return ok && g.GroupFields() != nil
}

// addGroups gives people the names of their groups. The attributes they had stay
// as they are: others may hold them.
func (p *pass) addGroups(ctx context.Context, ids []identity.Identity, anchors []string) error {
	if ids[0].Kind != identity.Person || !p.grouped() {
		return nil
	}
	if p.groups == nil {
		all, err := p.Store.Groups(ctx, p.Source.Name)
		if err != nil {
			return err
		}
		p.groups = make(map[string]string, len(all))
		for anchor, g := range all {
			p.groups[anchor] = GroupName(g)
		}
	}
	of, err := p.Store.GroupsOf(ctx, p.Source.Name, anchors, p.Source.NestedGroups)
	if err != nil {
		return err
	}
	for i := range ids {
		names := make([]string, 0, len(of[ids[i].Anchor]))
		for _, g := range of[ids[i].Anchor] {
			names = append(names, p.groups[g])
		}
		slices.Sort(names)
		a := maps.Clone(ids[i].Attributes)
		if a == nil {
			a = identity.Attributes{}
		}
		a[GroupsField] = slices.Compact(names)
		ids[i].Attributes = a
	}
	return nil
}
