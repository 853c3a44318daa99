package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

// movedPeople says whom a plan is about and who is not what was read any more, where
// the source has no name for its content and can tell what changed: somebody who was
// hired again is not to be disabled by a plan of before.
func (h *Hub) movedPeople(ctx context.Context, row store.PlanRow, s *config.Source) (moved []string, err error) {
	_, token, err := h.readToken(ctx, s)
	if err != nil || token == nil {
		return nil, err
	}
	reader, err := openSource(h.cfg, s)
	if err != nil {
		return nil, err
	}
	defer closeReader(reader)
	f, ok := reader.(source.Incremental)
	if !ok {
		return nil, nil
	}
	now, _, err := h.ask(ctx, s, f, token)
	if errors.Is(err, source.ErrTokenExpired) {
		return []string{fmt.Sprintf("the source %s cannot tell any more whether it is what was read", s.Name)}, nil
	}
	if err == nil {
		err = h.dropUnchanged(ctx, s, now)
	}
	if err != nil || len(now) == 0 {
		return nil, err
	}
	var anchors []string
	err = h.org.PlanOperations(ctx, row.Hash, func(op store.OpRow) error {
		if _, ok := now[identity.Key{Source: s.Name, Kind: op.AccountKey.Kind, Anchor: op.Anchor}]; ok {
			anchors = append(anchors, op.Anchor)
		}
		return nil
	})
	if err != nil || len(anchors) == 0 {
		return nil, err
	}
	slices.Sort(anchors)
	anchors = slices.Compact(anchors)
	return []string{fmt.Sprintf("%d of those it is about have changed in the source %s since, such as %s", len(anchors), s.Name, anchors[0])}, nil
}

// dropUnchanged takes out those who are told as they are stored.
func (h *Hub) dropUnchanged(ctx context.Context, s *config.Source, now map[identity.Key]told) error {
	if len(s.With) > 0 {
		return nil // what is stored holds more than the source tells
	}
	for _, kind := range []identity.Kind{identity.Person, identity.Group} {
		var anchors []string
		for key, what := range now {
			if key.Kind == kind && !what.gone {
				anchors = append(anchors, key.Anchor)
			}
		}
		stored, err := h.org.Identities(ctx, s.Name, kind, anchors)
		if err != nil {
			return err
		}
		for anchor, id := range stored {
			key := identity.Key{Source: s.Name, Kind: kind, Anchor: anchor}
			if id.AbsentSince.IsZero() && id.Hash == now[key].hash {
				delete(now, key)
			}
		}
	}
	return nil
}
