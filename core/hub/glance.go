package hub

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
)

// Standing is in one word whether a connector sends.
type Standing string

// How a connector can stand.
const (
	StandsReady    Standing = "ready"
	StandsPaused   Standing = "paused"      // a person wants it to
	StandsTrying   Standing = "quarantine"  // too many operations failed: single ones are tried
	StandsDraining Standing = "draining"    // what is planned goes out, then it pauses
	StandsWaiting  Standing = "waiting"     // its breaker is open, or the target asked to be left alone
	StandsWorkedOn Standing = "maintenance" // the target is worked on, as the config says
	StandsStopped  Standing = "stopped"     // a person has to mend something
	StandsRemoved  Standing = "removed"     // it is not in the config any more
)

// Glance is how one connector does.
type Glance struct {
	ConnectorStatus
	Standing Standing `json:"standing"`
	// Sources feed it; the one that was read longest ago was read at ReadAt, zero: never.
	Sources []string  `json:"sources,omitempty"`
	ReadAt  time.Time `json:"read_at,omitzero"`
	// Pending operations are neither finished nor parked, the oldest planned at OldestPending.
	Pending       int            `json:"pending"`
	OldestPending time.Time      `json:"oldest_pending,omitzero"`
	Recently      store.Recently `json:"recently"`
	// Lockouts are those of the last [LockoutDays]; not told of all connectors.
	Lockouts store.Lockouts `json:"lockouts,omitzero"`
}

// LockoutDays is how far back [Hub.Glance] looks how soon leavers were locked out.
const LockoutDays = 30

// recentlyLooked is how many operations of a connector say how it does lately.
const recentlyLooked = 200

// GlanceAccounts is how many accounts of a connector [Hub.Glance] counts at most.
const GlanceAccounts = 100_000

// Glance tells how connectors do: that one, or all for "". It starts no plugin. Of a
// connector that is not there nothing is told. Accounts are counted, and lock-outs looked at, for
// one only, up to [GlanceAccounts]; for all, 1 says that there are any accounts.
func (h *Hub) Glance(ctx context.Context, only string) ([]Glance, error) {
	accountsMax := 1
	if only != "" {
		accountsMax = GlanceAccounts
	}
	all, err := h.statuses(ctx, only, accountsMax)
	if err != nil {
		return nil, err
	}
	read, err := h.readTimes(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Glance, 0, len(all))
	for _, s := range all {
		g, err := h.glance(ctx, s, read)
		if err != nil {
			return nil, err
		}
		if only != "" {
			if g.Lockouts, err = h.org.Lockouts(ctx, only, h.now().AddDate(0, 0, -LockoutDays)); err != nil {
				return nil, err
			}
		}
		out = append(out, g)
	}
	return out, nil
}

func (h *Hub) glance(ctx context.Context, s ConnectorStatus, read map[string]time.Time) (g Glance, err error) {
	g = Glance{ConnectorStatus: s, Pending: s.Open - s.Parked}
	state, err := h.org.ConnectorState(ctx, s.Name)
	if err != nil {
		return g, err
	}
	i := slices.IndexFunc(h.cfg.Connectors, func(c config.Connector) bool { return c.Name == s.Name })
	g.Standing = standing(s, state, i >= 0, h.now())
	if i >= 0 {
		g.Sources = h.cfg.Connectors[i].Sources
		g.ReadAt = read[slices.MinFunc(g.Sources, func(a, b string) int { return read[a].Compare(read[b]) })]
	}
	if g.Recently, err = h.org.Recently(ctx, s.Name, recentlyLooked); err != nil || g.Pending == 0 {
		return g, err
	}
	g.OldestPending, err = h.org.OldestPending(ctx, s.Name)
	return g, err
}

// readTimes returns when each source was read last.
func (h *Hub) readTimes(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for i := range h.cfg.Sources {
		name := h.cfg.Sources[i].Name
		s, err := h.org.SourceState(ctx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		out[name] = s.ReadAt
	}
	return out, nil
}

func standing(s ConnectorStatus, state store.ConnectorState, configured bool, now time.Time) Standing {
	switch {
	case !configured:
		return StandsRemoved
	case state.Pause() != "":
		return StandsPaused
	case state.Quarantined != "" && state.Stopped == "":
		return StandsTrying
	case s.State == "ready":
		return StandsReady
	case !s.MaintenanceUntil.IsZero() && s.State == maintenanceText(s.MaintenanceUntil):
		return StandsWorkedOn
	case state.DrainedBy != "" && state.Stopped == "" && state.Held() == "" && !state.ResumeAt.After(now):
		return StandsDraining
	case state.ResumeAt.After(now) && state.Stopped == "" && state.Held() == "":
		return StandsWaiting
	}
	return StandsStopped
}

// FindPeople returns whom text may mean: by anchor, else by the value of an
// attribute; at most n.
func (h *Hub) FindPeople(ctx context.Context, text string, n int) ([]Person, error) {
	found, err := h.org.FindIdentities(ctx, text, n)
	if err != nil {
		return nil, err
	}
	out := make([]Person, len(found))
	for i := range found {
		out[i] = personOf(found[i])
	}
	return out, nil
}

// PersonAt returns the person or group with exactly this key: [store.ErrNotFound].
func (h *Hub) PersonAt(ctx context.Context, key identity.Key) (Person, error) {
	found, err := h.org.Identities(ctx, key.Source, key.Kind, []string{key.Anchor})
	if err != nil {
		return Person{}, err
	}
	id, ok := found[key.Anchor]
	if !ok {
		return Person{}, store.ErrNotFound
	}
	if err := h.addGroups(ctx, &id); err != nil {
		return Person{}, err
	}
	return personOf(id), nil
}
