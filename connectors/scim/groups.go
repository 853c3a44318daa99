package scim

import (
	"context"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// groupNames remembers the ids of groups by what they are called, for a while:
// the hub names a group with every grant.
type groupNames struct {
	mu  sync.Mutex
	ids map[connector.Correlation]knownGroup
}

type knownGroup struct {
	id    string
	until time.Time
}

const groupNamesTTL = 5 * time.Minute

func (g *groupNames) id(by connector.Correlation) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	k, ok := g.ids[by]
	if !ok || time.Now().After(k.until) {
		return ""
	}
	return k.id
}

func (g *groupNames) keep(by connector.Correlation, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ids == nil {
		g.ids = map[connector.Correlation]knownGroup{}
	}
	g.ids[by] = knownGroup{id, time.Now().Add(groupNamesTTL)}
}

// forget drops a group that is gone.
func (g *groupNames) forget(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for by, k := range g.ids {
		if k.id == id {
			delete(g.ids, by)
		}
	}
}

// groupOf returns the id of a group: NOT_FOUND when there is none, POLICY when
// it is protected.
func (t *Target) groupOf(ctx context.Context, s *service, m *model, ref connector.Ref) (string, error) {
	if ref.Type != "" && ref.Type != m.groups.name {
		return "", connector.Errorf(connector.CodeInvalidValue, "accounts hold objects of type %s, not %s", m.groups.name, ref.Type)
	}
	by := ref.By
	if by.IsZero() && ref.ID == "" && len(m.groups.correlation) > 0 {
		by = connector.Correlation{Attribute: m.groups.correlation[0], Value: ref.Name}
	}
	if ref.ID != "" {
		if len(m.groups.protected) == 0 {
			return ref.ID, nil
		}
		by = connector.Correlation{Attribute: "id", Value: ref.ID}
	}
	if id := t.groups.id(by); id != "" {
		return id, nil
	}
	ref.By = by
	if ref.ID != "" {
		ref.By = connector.Correlation{}
	}
	r, err := s.read(ctx, m.groups, ref, m.groups.selection(nil))
	if err != nil {
		return "", err
	}
	if err := m.groups.protects(m.groups.object(r, nil)); err != nil {
		return "", err
	}
	t.groups.keep(by, r.ID())
	return r.ID(), nil
}
