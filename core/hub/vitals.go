package hub

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/dispatch"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/store"
)

// Vitals are what there is to watch about a hub at one moment: what is in the
// database, the same on every node.
type Vitals struct {
	At         time.Time
	Sources    []SourceVitals
	Connectors []ConnectorVitals
	// Nodes serve the org, or are gone without a word.
	Nodes []store.Node
	// Held are the newest plans that wait for a person, at most a hundred.
	Held []store.PlanHead
	// Alerts are what people were told of and is so still; Untold counts the messages that
	// did not reach them yet, up to a thousand.
	Alerts []store.Alert
	Untold int
	// DatabaseBytes is how large the database is.
	DatabaseBytes int64
}

// SourceVitals is how a source does.
type SourceVitals struct {
	Name string
	// ReadAt is when it was last read with success; zero: never.
	ReadAt         time.Time
	People, Groups int
	// Findings are suspicious things about the last reading; Bad records could not be used.
	Findings, Bad int
	// Refused is when a reading was made of which nothing was taken over, because a person
	// has to look at it; zero: there is none.
	Refused time.Time
	// Failed is when its last run failed, and Failure why; zero and "": it did not.
	Failed  time.Time
	Failure string
}

// ConnectorVitals is how a connector does.
type ConnectorVitals struct {
	Name  string
	State store.ConnectorState
	// Down: its breaker is open. Throttled: the target wants to be left alone. Maintained:
	// nothing is sent because of a maintenance window.
	Down, Throttled, Maintained bool
	Queue                       store.QueueLook
	// DoneAt is when an operation was last done; zero: not lately.
	DoneAt time.Time
}

// Vitals looks how everything does. It starts no plugin, and takes a time that
// depends on the config and on how much is in the queues, not on how much was done.
func (h *Hub) Vitals(ctx context.Context) (v Vitals, err error) {
	v.At = h.now()
	if v.DatabaseBytes, err = h.org.Size(ctx); err != nil {
		return v, err
	}
	if v.Held, err = h.org.PlanList(ctx, store.PlanFilter{Status: store.PlanHeld}); err != nil {
		return v, err
	}
	if v.Nodes, err = h.org.Nodes(ctx); err != nil {
		return v, err
	}
	if err := h.alertVitals(ctx, &v); err != nil {
		return v, err
	}
	for i := range h.cfg.Sources {
		s, err := h.sourceVitals(ctx, &h.cfg.Sources[i])
		if err != nil {
			return v, err
		}
		v.Sources = append(v.Sources, s)
	}
	queues, err := h.org.QueueLooks(ctx)
	if err != nil {
		return v, err
	}
	for i := range h.cfg.Connectors {
		c, err := h.connectorVitals(ctx, &h.cfg.Connectors[i], v.At)
		if err != nil {
			return v, err
		}
		if q := queues[c.Name]; q != nil {
			c.Queue = *q
		}
		v.Connectors = append(v.Connectors, c)
	}
	return v, nil
}

func (h *Hub) alertVitals(ctx context.Context, v *Vitals) error {
	all, err := h.org.Alerts(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if !a.ToldAt.IsZero() && a.ClearedAt.IsZero() {
			v.Alerts = append(v.Alerts, a)
		}
	}
	untold, err := h.org.Notices(ctx, v.At.AddDate(1, 0, 0), 1000)
	v.Untold = len(untold)
	return err
}

func (h *Hub) sourceVitals(ctx context.Context, s *config.Source) (SourceVitals, error) {
	v := SourceVitals{Name: s.Name}
	state, err := h.org.SourceState(ctx, s.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return v, err
	}
	report, err := cycle.ReportOf(state)
	if err != nil {
		return v, err
	}
	v.ReadAt, v.People, v.Groups = state.ReadAt, state.People, state.Groups
	v.Findings, v.Bad = len(report.Findings), report.FaultCount+report.Source.FaultCount
	if report.Refused != nil {
		v.Refused = report.Refused.At
	}
	run, err := h.org.LastRun(ctx, "cycle", s.Name)
	if err == nil && run.Outcome == store.RunFailed {
		v.Failed, v.Failure = run.EndedAt, run.Summary
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return v, err
}

func (h *Hub) connectorVitals(ctx context.Context, c *config.Connector, now time.Time) (v ConnectorVitals, err error) {
	v.Name = c.Name
	if v.State, err = h.org.ConnectorState(ctx, c.Name); err != nil {
		return v, err
	}
	v.Down, v.Throttled = dispatch.Standing(v.State, now)
	v.Maintained = !h.maintenance(c.Name)(now).IsZero()
	v.DoneAt, err = h.org.LastDone(ctx, c.Name)
	return v, err
}

// Plugins returns the health of the plugins that this process runs, by connector.
func (h *Hub) Plugins() map[string]pluginhost.Health {
	h.mu.Lock()
	running := map[string]*pluginhost.Instance{}
	for name, r := range h.instances {
		if r.instance != nil {
			running[name] = r.instance
		}
	}
	h.mu.Unlock()
	out := make(map[string]pluginhost.Health, len(running))
	for name, in := range running {
		out[name] = in.Health()
	}
	return out
}
