package hub

import (
	"context"

	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
)

// references says how identities of a kind in a source name people; nobody in one
// that the config does not have.
func (h *Hub) references(name string, kind identity.Kind) (cycle.References, error) {
	s := h.cfg.Source(name)
	if s == nil {
		return cycle.References{Store: h.org, Source: name}, nil
	}
	f, err := fieldsOf(h.cfg, s)
	if err != nil || kind == identity.Group {
		return cycle.NewReferences(h.org, name, "", f.groups), err
	}
	return cycle.NewReferences(h.org, name, s.Reference, f.people), nil
}

// resolve has an identity name others by their anchors, as a cycle does.
func (h *Hub) resolve(ctx context.Context, id *identity.Identity) error {
	r, err := h.references(id.Source, id.Kind)
	if err != nil {
		return err
	}
	one := []identity.Identity{*id}
	err = r.Resolve(ctx, one)
	*id = one[0]
	return err
}
