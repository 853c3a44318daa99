package hub

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/store"
)

// ConnectorStatus is how one connector stands.
type ConnectorStatus struct {
	Name   string `json:"name"`
	Plugin string `json:"plugin"`
	// Accounts are the enabled ones.
	Accounts int `json:"accounts"`
	Open     int `json:"open"`
	Parked   int `json:"parked"`
	// More: of operations in some state there are more than countedMax, the most that
	// Open and Parked count of each.
	More bool `json:"more,omitempty"`
	// State is "ready", or why nothing is sent.
	State string `json:"state"`
	// MaintenanceUntil is when the target's maintenance ends; zero: it is not worked on.
	MaintenanceUntil time.Time `json:"maintenance_until,omitzero"`
}

// countedMax bounds how many operations of a connector are counted in each state, so
// that the answer takes the same time however long the queue is.
const countedMax = 10_000

// Connectors tells how all connectors stand. It starts no plugin.
func (h *Hub) Connectors(ctx context.Context) ([]ConnectorStatus, error) {
	return h.statuses(ctx, "", math.MaxInt32)
}

// statuses is [Hub.Connectors] of one connector, or of all for "", with up to
// accountsMax accounts counted of each.
func (h *Hub) statuses(ctx context.Context, only string, accountsMax int) ([]ConnectorStatus, error) {
	counts, err := h.org.OpenCounts(ctx, countedMax)
	if err != nil {
		return nil, err
	}
	var out []ConnectorStatus
	for i := range h.cfg.Connectors {
		c := &h.cfg.Connectors[i]
		if only != "" && c.Name != only {
			continue
		}
		s := ConnectorStatus{Name: c.Name, Plugin: c.Plugin}
		if s.Accounts, err = h.org.AccountCount(ctx, c.Name, accountsMax); err != nil {
			return nil, err
		}
		state, err := h.org.ConnectorState(ctx, c.Name)
		if err != nil {
			return nil, err
		}
		s.MaintenanceUntil = h.maintenance(c.Name)(h.now())
		s.State = stateText(state, h.unusable(c), s.MaintenanceUntil, h.now())
		out = append(out, s.with(counts[c.Name]))
	}
	removed, err := h.removed(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range removed {
		if only != "" && name != only {
			continue
		}
		s := ConnectorStatus{Name: name, State: notInConfig}.with(counts[name])
		if s.Accounts, err = h.org.AccountCount(ctx, name, accountsMax); err != nil {
			return nil, err
		}
		if s.Accounts+s.Open > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// with adds what is in the queue.
func (s ConnectorStatus) with(counts map[store.OpState]store.Count) ConnectorStatus {
	for _, state := range store.OpenStates {
		s.Open += counts[state].N
		s.More = s.More || counts[state].More
	}
	s.Parked = counts[store.OpParked].N
	return s
}

// notInConfig says what is wrong with a connector that was taken out of the config
// while people have accounts in it.
const notInConfig = "not in the config any more: nobody who leaves is disabled there"

// removed returns the connectors that plans were made for and that the config does
// not have any more.
func (h *Hub) removed(ctx context.Context) ([]string, error) {
	names, err := h.org.ConnectorNames(ctx)
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(h.cfg.Connectors, func(c config.Connector) bool { return c.Name == name })
	}), err
}

// stateText says in plain words whether a connector sends, and if not, why. unusable
// is what keeps its plugin from running at all.
func stateText(s store.ConnectorState, unusable string, maintained, now time.Time) string {
	switch {
	case s.Pause() != "":
		return s.Pause()
	case s.Held() != "":
		return s.Held()
	case unusable != "":
		return "cannot start: " + unusable
	case s.Stopped != "":
		return "stopped: " + s.Stopped
	case s.Unusable != "":
		return "could not be used when last needed, at " + s.UnusableAt.Local().Format(time.DateTime) + ": " + firstLine(s.Unusable)
	case s.Quarantined != "":
		return s.Quarantine()
	case s.ResumeAt.After(now):
		return "waits until " + s.ResumeAt.Local().Format("15:04:05")
	case s.DrainedBy != "":
		return "drains, for " + s.DrainedBy
	case maintained.After(now):
		return maintenanceText(maintained)
	}
	return "ready"
}

// maintenanceText says until when a target is worked on.
func maintenanceText(until time.Time) string {
	return "maintenance until " + until.Local().Format("2006-01-02 15:04 MST")
}

// maintenanceWhy is [maintenanceText] of a connector whose target is worked on now; "":
// it is not.
func (h *Hub) maintenanceWhy(name string) string {
	if until := h.maintenance(name)(h.now()); !until.IsZero() {
		return maintenanceText(until)
	}
	return ""
}

// named returns the connectors with the given names; none given: all.
func (h *Hub) named(names []string) ([]*config.Connector, error) {
	var out []*config.Connector
	if len(names) == 0 {
		for i := range h.cfg.Connectors {
			out = append(out, &h.cfg.Connectors[i])
		}
		return out, nil
	}
	var errs []error
	for _, n := range names {
		c, err := h.Connector(n)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, c)
	}
	return out, errors.Join(errs...)
}

// Schema returns what a target holds and what it can do.
func (h *Hub) Schema(ctx context.Context, name string) (connector.Schema, connector.Capabilities, error) {
	_, in, err := h.instanceOf(ctx, name)
	if err != nil {
		return nil, connector.Capabilities{}, err
	}
	return in.Schema(), in.Capabilities(), nil
}
