package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/dispatch"
	"github.com/provhub/provhub/core/store"
)

// What a node does that serves, each step by itself: readings, pushes, approved plans
// and dispatchers work beside each other, on this node and on others. Who calls these
// has the serving role ([Hub.Serve]), and the lock that each of them names.

// ErrNotServing says that a node does not serve now: it stops, or has lost its role.
var ErrNotServing = errors.New("this node does not serve now")

// pushPatience is how long a push waits for plugins that start: a leaver does not wait
// for a target that does not answer.
const pushPatience = 2 * time.Second

// errRenewed ends what began before the config was reloaded.
var errRenewed = errors.New("the config was reloaded meanwhile")

// beside bounds how often a plan is made again because something moved in the very
// moment in which it was to be applied.
const beside = 5

// Serve takes the serving role.
func (h *Hub) Serve(ctx context.Context) (*store.Role, error) {
	return h.org.Serve(ctx, "provhub serve")
}

// Config is what the hub was opened with. It is not to be changed.
func (h *Hub) Config() *config.Config { return h.cfg }

// Cycle reads one source, plans, and applies the plan, unless a guard holds it. It
// needs the lock of the source. Accounts that moved meanwhile are left to the next
// cycle. Nothing is sent: that is for the dispatchers.
func (h *Hub) Cycle(ctx context.Context, o PlanOptions) (p Planned, err error) {
	ctx, s := h.run(ctx, "cycle", aboutSource, o.Source)
	defer func() {
		p.Trace = span.Trace(ctx)
		s.End(err)
	}()
	sources, err := h.sources(o.Source)
	if err != nil {
		return Planned{}, err
	}
	if len(sources) != 1 {
		return Planned{}, unknown("source", o.Source, nil)
	}
	p, err = h.planAndApply(ctx, func() (Planned, error) { return h.planOne(ctx, sources[0], o) })
	if err != nil {
		return p, err
	}
	return p, h.postpone(ctx, []Planned{p})
}

// Take takes over one person's record and puts what follows into the queue. It needs
// no lock: it does not wait for a reading of the whole source that is under way.
// [ErrPushRequest] when the request is at fault.
func (h *Hub) Take(ctx context.Context, r PushRequest) (p Planned, err error) {
	ctx, sp := h.run(ctx, "push", aboutSource, r.Source)
	defer func() {
		p.Trace = span.Trace(ctx)
		sp.End(err)
	}()
	s, err := h.pushedTo(r)
	if err != nil {
		return Planned{}, err
	}
	return h.planAndApply(ctx, func() (Planned, error) { return h.planPush(ctx, s, r, pushPatience) })
}

// planAndApply applies what plan plans, and plans again when something moved.
func (h *Hub) planAndApply(ctx context.Context, plan func() (Planned, error)) (p Planned, err error) {
	for range beside {
		if p, err = plan(); err != nil || p.Status != store.PlanProposed && p.Status != store.PlanApproved {
			return p, err
		}
		var drift *store.DriftError
		_, err = h.enqueue(ctx, p.Plan.Hash, h.org.ApplyUnmoved)
		switch {
		case err == nil:
			p.Status = store.PlanApplied
			return p, nil
		case !errors.As(err, &drift) && !errors.Is(err, store.ErrPlanState): // a newer plan may have taken its place
			return p, fmt.Errorf("source %s: %w", p.Source, err)
		}
		h.log.Debug("planned again", "source", p.Source, "why", err)
	}
	return p, fmt.Errorf("source %s: planned %d times, and something moved each time: %w", p.Source, beside, err)
}

// Wanting says why a source is to be planned for though it has not changed; "": it is
// not. Nothing was read yet, rules are others than those that were last applied, an
// account was not as we thought, or somebody's date has come.
func (h *Hub) Wanting(ctx context.Context, source string) (why string, err error) {
	_, err = h.org.SourceState(ctx, source)
	if errors.Is(err, store.ErrNotFound) {
		return "it was never read", nil
	}
	if err != nil {
		return "", err
	}
	last, err := h.org.Rules(ctx, source)
	if err != nil {
		return "", err
	}
	for _, c := range h.fedBy(h.cfg.Source(source)) {
		if last[c.Name] != rulesHash(c) {
			return "the rules of connector " + c.Name + " are not the ones that were last applied", nil
		}
	}
	more, err := h.org.Outstanding(ctx, source, h.now())
	if more {
		why = "somebody's date has come, or an account was not as we thought"
	}
	return why, err
}

// Approved returns the plans that were approved and are not applied.
func (h *Hub) Approved(ctx context.Context) ([]store.PlanRow, error) {
	rows, err := h.org.ApprovedPlans(ctx)
	if err != nil {
		return nil, err
	}
	out := rows[:0]
	for _, row := range rows {
		if h.cfg.Source(row.Inputs.Source) != nil && h.now().Before(row.Until) {
			out = append(out, row)
		}
	}
	return out, nil
}

// ApplyApproved puts a plan that was approved into the queue. It needs the lock of its
// source. [*store.DriftError] when anything that it was made from has changed: then
// the source is to be planned for again.
func (h *Hub) ApplyApproved(ctx context.Context, row store.PlanRow) error {
	if err := h.sameInputs(ctx, row); err != nil {
		return err
	}
	_, err := h.enqueue(ctx, row.Hash, h.org.ApplyPlan)
	return err
}

// Recover takes back what nodes that are gone had taken of one connector. It needs
// the lock of the connector. What was sent is not looked up before settleAfter is
// over, in which a node that was cut off ends its calls.
func (h *Hub) Recover(ctx context.Context, name string, settleAfter time.Duration) error {
	now := h.now()
	unknown, ready, err := h.org.RecoverConnector(ctx, name, h.Node(), now.Add(settleAfter), now)
	if unknown+ready > 0 {
		h.log.Info("operations of a node that is gone were taken back", "connector", name, "in_doubt", unknown, "ready", ready)
	}
	return err
}

// DispatchOptions say how a dispatcher goes on for good; see [dispatch.Options].
type DispatchOptions struct {
	Calls context.Context
	Idle  time.Duration
}

// Dispatcher returns what sends the operations of one connector, and starts its
// plugin. It needs the lock of the connector.
func (h *Hub) Dispatcher(ctx context.Context, name string, d DispatchOptions) (*dispatch.Dispatcher, error) {
	c, in, err := h.instanceOf(ctx, name)
	if err != nil {
		return nil, err
	}
	o := h.dispatchOptions(c, in)
	o.Calls, o.Idle = d.Calls, d.Idle
	return dispatch.New(o), nil
}
