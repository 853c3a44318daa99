package cycle

import (
	"context"
	"maps"
	"slices"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

// References turns the names by which a source's attributes name people, such as
// DNs, into anchors. They are kept as the source tells them, so that whoever is
// renamed, or comes later, is found under the name of now.
type References struct {
	Store  *store.Org
	Source string
	// Manager is the attribute that names the manager; "": none does.
	Manager string
	// Named are the attributes that hold names; none: nothing is to be turned.
	Named []string
}

// NewReferences says how people are named in the attributes called fields.
func NewReferences(o *store.Org, src, manager string, fields []source.Field) References {
	r := References{Store: o, Source: src, Manager: manager}
	for _, f := range fields {
		if f.Type == source.Reference {
			r.Named = append(r.Named, f.Name)
		}
	}
	return r
}

// ByName reports whether managers are named otherwise than by anchor.
func (r References) ByName() bool { return slices.Contains(r.Named, r.Manager) }

// Resolve puts anchors in the place of names, in the attributes and in Reference.
// Who names somebody that nobody is has no such attribute. The attributes they had
// stay as they are: others may hold them.
func (r References) Resolve(ctx context.Context, ids []identity.Identity) error {
	if len(r.Named) == 0 {
		return nil
	}
	var names []string
	for i := range ids {
		for _, attribute := range r.Named {
			if name := r.name(&ids[i], attribute); name != "" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	anchors, err := r.Store.AnchorsNamed(ctx, r.Source, slices.Compact(names))
	if err != nil {
		return err
	}
	for i := range ids {
		id := &ids[i]
		id.Attributes = maps.Clone(id.Attributes)
		for _, attribute := range r.Named {
			if anchor := anchors[r.name(id, attribute)]; anchor != "" {
				id.Attributes[attribute] = anchor
			} else {
				delete(id.Attributes, attribute)
			}
		}
		if r.ByName() && id.Reference != "" {
			id.Reference = anchors[id.Reference]
		}
	}
	return nil
}

// name is what an attribute of id holds. The store follows a manager who is renamed.
func (r References) name(id *identity.Identity, attribute string) string {
	if attribute == r.Manager && id.Reference != "" {
		return id.Reference
	}
	return id.Attributes.Text(attribute)
}

// Managers returns the managers of ids by their anchors.
func (r References) Managers(ctx context.Context, ids []identity.Identity) (map[string]identity.Identity, error) {
	var anchors []string
	for i := range ids {
		if ids[i].Reference != "" {
			anchors = append(anchors, ids[i].Reference)
		}
	}
	slices.Sort(anchors)
	found, err := r.Store.Identities(ctx, r.Source, identity.Person, slices.Compact(anchors))
	if err != nil || len(r.Named) == 0 {
		return found, err
	}
	managers := slices.Collect(maps.Values(found))
	if err := r.Resolve(ctx, managers); err != nil {
		return nil, err
	}
	for _, m := range managers {
		found[m.Anchor] = m
	}
	return found, nil
}

// references says how identities of a kind name people.
func (p *pass) references(kind identity.Kind) References {
	if kind == identity.Group {
		var fields []source.Field
		if g, ok := p.Reader.(source.Grouped); ok {
			fields = g.GroupFields()
		}
		return NewReferences(p.Store, p.Source.Name, "", fields)
	}
	return NewReferences(p.Store, p.Source.Name, p.Source.Reference, p.Reader.Fields())
}

// called is by what others name id as their manager.
func (p *pass) called(id *identity.Identity) string {
	if p.byName {
		return id.Name
	}
	return id.Anchor
}
