package hub

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/provhub/provhub/core/store"
)

// Causes groups what fails by what it fails for, as [store.Org.Causes], and puts
// before it the connectors that stand still while operations wait for them: of those
// none has failed, and all wait for the same thing.
func (h *Hub) Causes(ctx context.Context, f store.CauseFilter) (store.Causes, error) {
	found, err := h.org.Causes(ctx, f)
	if err != nil || f.Code+f.Key+f.With != "" || len(f.States) > 0 {
		return found, err
	}
	names, err := h.org.ConnectorNames(ctx)
	if err != nil {
		return found, err
	}
	var still []store.Cause
	for _, name := range names {
		if f.Connector != "" && f.Connector != name {
			continue
		}
		c, err := h.standstill(ctx, name)
		if err != nil {
			return found, err
		}
		if c.Count > 0 {
			still = append(still, c)
		}
	}
	slices.SortStableFunc(still, func(a, b store.Cause) int { return cmp.Compare(b.Count, a.Count) })
	found.Causes = append(still, found.Causes...)
	return found, nil
}

// standstill returns what waits for a connector that sends nothing; a count of 0: it
// sends, or nothing waits.
func (h *Hub) standstill(ctx context.Context, name string) (store.Cause, error) {
	s, err := h.org.ConnectorState(ctx, name)
	if err != nil {
		return store.Cause{}, err
	}
	c := store.Cause{Connector: name}
	c.Standstill, c.First = whyStill(s, h.maintenance(name)(h.now()))
	if c.Standstill.Kind == "" {
		return store.Cause{}, nil
	}
	all, leavers, err := h.org.Waiting(ctx, name, countedMax)
	if err != nil {
		return store.Cause{}, err
	}
	c.Count, c.Leavers, c.More = all.N, leavers.N, all.More
	c.States = map[store.OpState]int{store.OpReady: all.N}
	c.Message = c.Standstill.Why
	c.Examples, err = h.org.Operations(ctx, store.OpFilter{Connector: name, States: []store.OpState{store.OpReady}, Limit: 3})
	return c, err
}

// whyStill says why a connector sends nothing, and since when where that is known; no
// kind: it sends. maintained is until when its target is worked on.
func whyStill(s store.ConnectorState, maintained time.Time) (store.Standstill, time.Time) {
	switch {
	case s.Everything != "":
		return store.Standstill{Kind: store.StillEverything, Why: s.Everything}, time.Time{}
	case s.PausedBy != "":
		return store.Standstill{Kind: store.StillPaused, Why: s.PausedBy}, time.Time{}
	case s.OtherTarget != "":
		return store.Standstill{Kind: store.StillHeld, Why: s.Held()}, time.Time{}
	case s.Stopped != "":
		return store.Standstill{Kind: store.StillStopped, Why: s.Stopped}, s.StoppedAt
	case s.Unusable != "":
		return store.Standstill{Kind: store.StillUnusable, Why: firstLine(s.Unusable)}, s.UnusableAt
	case s.Quarantined != "":
		return store.Standstill{Kind: store.StillQuarantined, Why: s.Quarantined}, s.QuarantinedAt
	case !maintained.IsZero():
		return store.Standstill{Kind: store.StillMaintained, Why: maintenanceText(maintained)}, time.Time{}
	}
	return store.Standstill{}, time.Time{}
}
