package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/dispatch"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Answer does what a command has asked this node for, in its name. It needs the lock of
// what the request is about.
func (h *Hub) Answer(ctx context.Context, r store.Request) (answer any, err error) {
	as := h.As(r.Actor)
	switch r.Kind {
	case AskCycle, AskPlan:
		var o CycleRequest
		if err := json.Unmarshal(r.Options, &o); err != nil {
			return nil, fmt.Errorf("the request cannot be read: %w", err)
		}
		p, err := as.cycleAsked(ctx, r.Kind, PlanOptions{Source: r.Subject, Forbid: o.Forbid, Accept: o.Accept})
		if err != nil {
			return nil, err
		}
		return &p, nil
	case AskPush:
		var o PushRequest
		if err := json.Unmarshal(r.Options, &o); err != nil {
			return nil, fmt.Errorf("the request cannot be read: %w", err)
		}
		p, err := as.Take(ctx, o)
		return &p, err
	case AskApply:
		var o ApplyRequest
		if err := json.Unmarshal(r.Options, &o); err != nil {
			return nil, fmt.Errorf("the request cannot be read: %w", err)
		}
		return as.apply(ctx, o.Hash)
	case AskReconcile:
		var o ReconcileOptions
		if err := json.Unmarshal(r.Options, &o); err != nil {
			return nil, fmt.Errorf("the request cannot be read: %w", err)
		}
		out, err := as.ReconcileOne(ctx, r.Subject, o)
		return &out, err
	}
	return nil, fmt.Errorf("this node cannot do %q: is the command of a newer version?", r.Kind)
}

func (h *Hub) cycleAsked(ctx context.Context, kind string, o PlanOptions) (Planned, error) {
	if kind == AskCycle {
		return h.Cycle(ctx, o)
	}
	s, err := h.oneSource(o.Source)
	if err != nil {
		return Planned{}, err
	}
	return h.planOne(ctx, s, o)
}

// cyclesBeside has a node read the sources.
func (h *Hub) cyclesBeside(ctx context.Context, kind string, o PlanOptions) (out []Planned, err error) {
	sources, err := h.sources(o.Source)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range sources {
		var p Planned
		if err := h.handOver(ctx, kind, s.Name, CycleRequest{o.Forbid, o.Accept}, &p); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := h.fill(ctx, p.Plan); err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}

// Bare is what of a plan goes into an answer: the operations are in the store already,
// and there may be a million of them.
func (p *Planned) Bare() *Planned {
	out, bare := *p, *p.Plan
	bare.Operations, bare.Names = nil, nil
	out.Plan = &bare
	return &out
}

// fill reads the operations of a plan that was answered without.
func (h *Hub) fill(ctx context.Context, p *plan.Plan) error {
	p.Operations = []plan.Operation{} // a list in JSON too
	return h.org.PlanOperations(ctx, p.Hash, func(op store.OpRow) error {
		p.Operations = append(p.Operations, op.Operation)
		return nil
	})
}

// syncBeside is Sync where a node serves: that sends, and is given time to.
func (h *Hub) syncBeside(ctx context.Context, o PlanOptions, d DrainOptions) (SyncResult, error) {
	plans, failed := h.cyclesBeside(ctx, AskCycle, o)
	out, err := h.sending(ctx, plans, d)
	return out, errors.Join(failed, err)
}

// pushBeside is Push where a node serves.
func (h *Hub) pushBeside(ctx context.Context, s *config.Source, r PushRequest, d DrainOptions) (SyncResult, error) {
	var p Planned
	r.Source = s.Name
	if err := h.handOver(ctx, AskPush, s.Name, r, &p); err != nil {
		return SyncResult{}, err
	}
	if err := h.fill(ctx, p.Plan); err != nil {
		return SyncResult{}, err
	}
	who := store.OpFilter{Source: s.Name, Anchor: r.Anchor}
	if last := len(p.Report.Pushed) - 1; r.Anchor == "" && last >= 0 {
		who.Anchor = p.Report.Pushed[last].Anchor
	}
	return h.sending(ctx, []Planned{p}, d, who)
}

// sending waits until a node has tried the operations of plans, no longer than d says,
// and those of who, which a plan made before may have put into the queue.
func (h *Hub) sending(ctx context.Context, plans []Planned, d DrainOptions, who ...store.OpFilter) (SyncResult, error) {
	out := SyncResult{Plans: plans}
	for until := h.now().Add(d.Wait); ; {
		did, busy, err := h.sentBeside(ctx, plans)
		for i := 0; i < len(who) && err == nil && !busy; i++ {
			var ops []store.OpRow
			ops, err = h.org.Operations(ctx, who[i])
			busy = slices.ContainsFunc(ops, func(op store.OpRow) bool { return untried(op.State) })
		}
		if err != nil {
			return out, err
		}
		if !busy || !h.now().Before(until) {
			out.Drained, err = h.drained(ctx, did, true)
			return out, err
		}
		if err := pauseFor(ctx, answerEvery); err != nil {
			return out, err
		}
	}
}

// drainBeside is Drain where a node serves: that sends, and is given time to.
func (h *Hub) drainBeside(ctx context.Context, o DrainOptions) ([]Drained, error) {
	for until := h.now().Add(o.Wait); ; {
		out, err := h.drained(ctx, nil, true)
		busy := slices.ContainsFunc(out, func(d Drained) bool { return d.Waiting+d.Sending+d.Unknown > 0 && d.Problem == "" })
		if err != nil || !busy || !h.now().Before(until) {
			return out, err
		}
		if err := pauseFor(ctx, answerEvery); err != nil {
			return out, err
		}
	}
}

// watchedMax is how many operations of a plan are watched one by one.
const watchedMax = 10_000

// untried reports whether the first attempt of an operation is not over.
func untried(s store.OpState) bool {
	return s == store.OpReady || s == store.OpLeased || s == store.OpSent
}

// sentBeside tells how many operations of plans were done, by connector, and whether some
// were not tried yet.
func (h *Hub) sentBeside(ctx context.Context, plans []Planned) (did map[string]dispatch.Summary, busy bool, err error) {
	did = map[string]dispatch.Summary{}
	for _, p := range plans {
		if p.Status != store.PlanApplied || len(p.Plan.Operations) > watchedMax {
			continue
		}
		err := h.org.PlanOperations(ctx, p.Plan.Hash, func(op store.OpRow) error {
			if op.State == store.OpDone {
				s := did[op.Connector]
				s.Done++
				did[op.Connector] = s
			}
			busy = busy || untried(op.State)
			return nil
		})
		if err != nil {
			return nil, false, err
		}
	}
	return did, busy, nil
}
