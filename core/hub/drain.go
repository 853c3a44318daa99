package hub

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/dispatch"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/store"
)

// drainAtOnce bounds how many connectors send side by side.
const drainAtOnce = 16

// DrainOptions say how the queue is drained.
type DrainOptions struct {
	// Wait is how long to wait for operations that are to be tried again; 0: not at all.
	Wait time.Duration
	// only are the connectors that are drained; nil: all.
	only map[string]bool
}

// Drained is what became of one connector's queue.
type Drained struct {
	Connector string `json:"connector"`
	// Done took effect in this run; Replanned are worked out anew in the next cycle.
	Done      int `json:"done"`
	Replanned int `json:"replanned"`
	// Open operations are left, whenever they were planned; each of them is counted
	// below once.
	Open     int `json:"open"`
	Parked   int `json:"parked"`
	Retrying int `json:"retrying"`
	Unknown  int `json:"unknown"` // their outcome is looked up
	Waiting  int `json:"waiting"` // not tried yet
	Sending  int `json:"sending"` // on its way to the target, by a node that serves
	// Pending were accepted by the target, which is asked again at PendingAt whether
	// they are finished. Missing wait for something that is not in the target yet,
	// Seats for a free seat or licence.
	Pending   int       `json:"pending,omitempty"`
	PendingAt time.Time `json:"pending_at,omitzero"`
	Missing   int       `json:"missing,omitempty"`
	Seats     int       `json:"seats,omitempty"`
	// NextAt is when the first of Retrying, Missing and Seats is tried again.
	NextAt time.Time `json:"next_at,omitzero"`
	// Problem says why the connector stands still; "": it does not. Paused: because
	// a person wants it to.
	Problem string `json:"problem,omitempty"`
	Paused  bool   `json:"paused,omitempty"`
}

// Drain sends what is in the queue, on all connectors side by side, until nothing
// is due. What a run before left in doubt is settled first. It returns a row for
// each connector that had something to do. Where a node serves, that sends: it is waited
// for as long as o says, [store.ErrBusy] when o does not.
func (h *Hub) Drain(ctx context.Context, o DrainOptions) ([]Drained, error) {
	release, err := h.org.Work(ctx, "provhub, sending")
	if o.Wait > 0 && h.besideNode(ctx, err) {
		return h.drainBeside(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	defer release()
	return h.drain(ctx, o)
}

// drain is Drain for who holds the working role.
func (h *Hub) drain(ctx context.Context, o DrainOptions) ([]Drained, error) {
	if _, _, err := h.org.Recover(ctx, h.Node(), h.now()); err != nil {
		return nil, err
	}
	open, err := h.openConnectors(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	out := map[string]dispatch.Summary{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(drainAtOnce)
	for _, c := range open {
		if o.only != nil && !o.only[c.Name] {
			continue
		}
		g.Go(func() error {
			s, err := h.drainOne(ctx, c, o)
			mu.Lock()
			out[c.Name] = s
			mu.Unlock()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return h.drained(context.WithoutCancel(ctx), out, false)
}

// openConnectors returns the configured connectors with operations to send.
func (h *Hub) openConnectors(ctx context.Context) ([]*config.Connector, error) {
	counts, err := h.org.OpenCounts(ctx, 1)
	if err != nil {
		return nil, err
	}
	var out []*config.Connector
	for i := range h.cfg.Connectors {
		c := &h.cfg.Connectors[i]
		n := counts[c.Name]
		if n[store.OpReady].N+n[store.OpLeased].N+n[store.OpSent].N+n[store.OpRetry].N+n[store.OpUnknown].N > 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// drainOne drains one connector. A plugin that does not start stops only its own
// connector.
func (h *Hub) drainOne(ctx context.Context, c *config.Connector, o DrainOptions) (did dispatch.Summary, err error) {
	ctx, s := h.run(ctx, "drain", aboutConnector, c.Name)
	defer func() { s.Number("provhub.done", did.Done).End(err) }()
	in, err := h.Instance(ctx, c)
	if err != nil {
		return dispatch.Summary{Connector: c.Name, Stopped: err.Error()}, nil
	}
	patience := o.Wait
	if patience == 0 {
		patience = -1
	}
	total, err := h.total(ctx, c.Name)
	if err != nil {
		return dispatch.Summary{}, err
	}
	report := func(s dispatch.Summary) {
		h.opt.Progress(Progress{What: "sending to " + c.Name, Done: s.Done, Total: total})
	}
	defer h.opt.Progress(Progress{What: "sending to " + c.Name, Done: 1, Total: 1})
	do := h.dispatchOptions(c, in)
	do.Patience, do.Progress = patience, report
	return dispatch.New(do).Drain(ctx)
}

// dispatchOptions are what all dispatchers of a connector have in common.
func (h *Hub) dispatchOptions(c *config.Connector, in *pluginhost.Instance) dispatch.Options {
	return dispatch.Options{
		Connector: c.Name, Queue: h.org, Target: in, Owner: h.Node(), InFlight: c.InFlight,
		Retry: dispatch.Retry(c.Retry), Quarantine: dispatch.Quarantine(c.Quarantine), ReadLag: h.opt.ReadLag, Traces: &h.traces.Tracer, Log: h.log, Now: h.now,
		Finished: h.opt.Observer.Finished, Maintenance: h.maintenance(c.Name),
	}
}

func (h *Hub) total(ctx context.Context, name string) (int, error) {
	_, open, err := h.org.NextDue(ctx, name)
	return open, err
}

// drained adds what is open in the store to what the run did. What a dispatcher has taken
// is on its way where a node serves; elsewhere it was left behind.
func (h *Hub) drained(ctx context.Context, did map[string]dispatch.Summary, serves bool) ([]Drained, error) {
	counts, err := h.org.OpenCounts(ctx, 0)
	if err != nil {
		return nil, err
	}
	waits, err := h.org.Waits(ctx)
	if err != nil {
		return nil, err
	}
	var out []Drained
	for i := range h.cfg.Connectors {
		name := h.cfg.Connectors[i].Name
		s, d := did[name], queueOf(counts[name], serves).waiting(waits[name])
		d.Connector, d.Done, d.Replanned, d.Problem = name, s.Done, s.Replanned, s.Stopped
		state, err := h.org.ConnectorState(ctx, name)
		if err != nil {
			return nil, err
		}
		if d.Problem == "" && d.Open > d.Parked {
			d.Problem = cmp.Or(state.Stopped, state.Held(), state.Pause())
		}
		d.Paused = d.Problem != "" && d.Problem == state.Pause()
		if d.Problem == "" && d.Open > d.Parked {
			d.Problem = h.maintenanceWhy(name)
			d.Paused = d.Problem != ""
		}
		if d.Done+d.Replanned+d.Open > 0 || d.Problem != "" {
			out = append(out, d)
		}
	}
	removed, err := h.removed(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range removed {
		if d := queueOf(counts[name], serves); d.Open > 0 {
			d.Connector, d.Problem = name, notInConfig+"; put it back, or skip its operations"
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Drained) int { return strings.Compare(a.Connector, b.Connector) })
	return out, nil
}

// queueOf is what the queue of a connector holds, from its counts.
func queueOf(n map[store.OpState]store.Count, serves bool) Drained {
	d := Drained{Parked: n[store.OpParked].N, Retrying: n[store.OpRetry].N, Unknown: n[store.OpUnknown].N, Waiting: n[store.OpReady].N}
	if leased, sent := n[store.OpLeased].N, n[store.OpSent].N; serves {
		d.Sending = leased + sent
	} else {
		d.Waiting, d.Unknown = d.Waiting+leased, d.Unknown+sent
	}
	d.Open = d.Parked + d.Retrying + d.Unknown + d.Waiting + d.Sending
	return d
}

// waiting tells those apart that wait for something.
func (d Drained) waiting(w store.Waits) Drained {
	d.Pending, d.PendingAt, d.Missing, d.Seats, d.NextAt = w.Pending, w.PendingAt, w.Missing, w.Seats, w.RetryAt
	d.Unknown = max(0, d.Unknown-w.Pending)
	d.Retrying = max(0, d.Retrying-w.Missing-w.Seats)
	return d
}
