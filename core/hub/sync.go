package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

// roundsMax bounds how often a sync plans again because an account was not as we
// thought: once to see it, once to mend it.
const roundsMax = 3

// Apply puts the operations of a stored plan into the queue. It is refused with a
// [*store.DriftError] when anything the plan was made from has changed, and with
// [store.ErrPlanState] when a guard holds it.
func (h *Hub) Apply(ctx context.Context, hash string) (ready int, err error) {
	release, err := h.org.Work(ctx, "provhub, applying a plan")
	if h.besideNode(ctx, err) {
		row, err := h.org.Plan(ctx, hash)
		if err == nil {
			err = h.handOver(ctx, AskApply, row.Inputs.Source, ApplyRequest{row.Hash}, &ready)
		}
		return ready, err
	}
	if err != nil {
		return 0, err
	}
	defer release()
	return h.apply(ctx, hash)
}

// apply is Apply for who holds the working role, or the lock of the plan's source.
func (h *Hub) apply(ctx context.Context, hash string) (ready int, err error) {
	row, err := h.org.Plan(ctx, hash)
	if err != nil {
		return 0, err
	}
	if err := h.sameInputs(ctx, row); err != nil {
		return 0, err
	}
	return h.enqueue(ctx, row.Hash, h.org.ApplyPlan)
}

// enqueue puts the operations of a plan into the queue, with its trace.
func (h *Hub) enqueue(ctx context.Context, hash string, how func(ctx context.Context, hash, actor string, now time.Time) (int, error)) (ready int, err error) {
	ctx, s := h.run(ctx, "apply", aboutPlan, hash)
	ready, err = how(ctx, hash, h.opt.Actor, h.now())
	s.Number("provhub.operations", ready).End(err)
	return ready, err
}

// sameInputs compares what only the hub can see: the source and the rules. What
// is in the store, the store compares.
func (h *Hub) sameInputs(ctx context.Context, row store.PlanRow) error {
	sources, err := h.sources(row.Inputs.Source)
	if err != nil {
		return err
	}
	s := sources[0]
	drift := &store.DriftError{Hash: row.Hash}
	if !row.Inputs.Partial { // of that, the store compares the people it is about
		if drift.What, err = h.movedSource(ctx, row, s); err != nil {
			return fmt.Errorf("source %s: %w", s.Name, err)
		}
	}
	drift.What = append(drift.What, h.movedRules(row, s)...)
	if drift.Count = len(drift.What); drift.Count > 0 {
		return drift
	}
	return nil
}

// movedSource says what the source tells otherwise than the plan knew it.
func (h *Hub) movedSource(ctx context.Context, row store.PlanRow, s *config.Source) (moved []string, err error) {
	snapshot, known, err := h.fingerprint(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case known && snapshot != row.Inputs.Snapshot:
		moved = append(moved, fmt.Sprintf("the source %s is not what was read", s.Name))
	case !known && s.CSV == nil:
		return h.movedPeople(ctx, row, s)
	}
	return moved, nil
}

// movedRules says which connectors are not as the plan knew them. One that nothing
// could be planned for has no rules in it.
func (h *Hub) movedRules(row store.PlanRow, s *config.Source) (moved []string) {
	fed := map[string]*config.Connector{}
	for _, c := range h.fedBy(s) {
		fed[c.Name] = c
	}
	for _, name := range slices.Sorted(maps.Keys(row.Rules)) {
		was := row.Rules[name]
		switch c := fed[name]; {
		case c == nil:
			moved = append(moved, fmt.Sprintf("connector %s is not in the config any more, or gets its people from another source", name))
		case was != "" && !sameRules(was, rulesHash(c)):
			moved = append(moved, fmt.Sprintf("the rules or the policy of connector %s are others", name))
		}
	}
	return moved
}

// fingerprint names what the source holds now. known is false for a source that
// changes all the time: the store compares the people the plan is about.
func (h *Hub) fingerprint(ctx context.Context, s *config.Source) (snapshot string, known bool, err error) {
	reader, err := h.reader(s)
	if err != nil {
		return "", false, err
	}
	defer closeReader(reader)
	f, ok := reader.(source.Fingerprinter)
	if !ok {
		return "", false, nil
	}
	snapshot, _, err = f.Fingerprint(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return "", false, nil
	}
	return snapshot, true, err
}

// SyncResult is what a sync did.
type SyncResult struct {
	Plans   []Planned `json:"plans"`
	Drained []Drained `json:"connectors"`
}

// Sync plans, applies and sends, together with what an earlier run left open. It
// plans first, so that nothing goes out that is not wanted any more: an old disable
// must not fire after a rehire (QUIRKS Q-5). A plan that a guard holds is stored and
// not applied; the others go on. Where an account was not as we thought, or what
// became of an operation is known only now, it plans again. The result says what
// was done also when there is an error: one source that cannot be read does not
// stop the others. A node that serves does it in its place.
func (h *Hub) Sync(ctx context.Context, o PlanOptions, d DrainOptions) (out SyncResult, err error) {
	ctx, s := h.run(ctx, "sync", aboutSource, o.Source)
	defer func() { s.End(err) }()
	release, err := h.org.Work(ctx, "provhub sync")
	if h.besideNode(ctx, err) {
		return h.syncBeside(ctx, o, d)
	}
	if err != nil {
		return out, err
	}
	defer release()
	if _, _, err := h.org.Recover(ctx, h.Node(), h.now()); err != nil {
		return out, err
	}
	for round := 1; round <= roundsMax && ctx.Err() == nil; round++ {
		again, err := h.round(ctx, o, d, &out)
		if err != nil {
			return out, err
		}
		if !again {
			break
		}
	}
	return out, ctx.Err()
}

// round plans, applies and sends once, and adds to out. again tells that there is
// more to plan.
func (h *Hub) round(ctx context.Context, o PlanOptions, d DrainOptions, out *SyncResult) (again bool, err error) {
	plans, failed := h.plan(ctx, o)
	refused := errors.Join(h.applyAll(ctx, plans), h.postpone(ctx, plans))
	out.Plans = merge(out.Plans, plans)
	drained, err := h.drain(ctx, d)
	if err != nil {
		return false, errors.Join(failed, refused, err)
	}
	for _, r := range drained {
		again = again || r.Replanned > 0
	}
	out.Drained = add(out.Drained, drained)
	return again || settled(plans, drained), errors.Join(failed, refused)
}

// settled reports whether an account had to wait for the outcome of an earlier
// operation, and waits no more.
func settled(plans []Planned, drained []Drained) bool {
	doubt := map[string]bool{}
	for _, d := range drained {
		doubt[d.Connector] = d.Unknown+d.Pending > 0
	}
	for _, p := range plans {
		for _, n := range p.Plan.Notes {
			if p.Status == store.PlanApplied && n.Code == plan.NoteInFlight && !doubt[n.Connector] {
				return true
			}
		}
	}
	return false
}

// applyAll applies what is not held. A plan that cannot be applied is in the error,
// and does not stop the others.
func (h *Hub) applyAll(ctx context.Context, plans []Planned) error {
	var errs []error
	for i := range plans {
		p := &plans[i]
		if p.Status != store.PlanProposed && p.Status != store.PlanApproved {
			continue
		}
		if _, err := h.enqueue(ctx, p.Plan.Hash, h.org.ApplyPlan); err != nil {
			errs = append(errs, fmt.Errorf("source %s: %w", p.Source, err))
			continue
		}
		p.Status = store.PlanApplied
	}
	return errors.Join(errs...)
}

// merge keeps the first round's plans, and later ones that have something to do.
func merge(have, more []Planned) []Planned {
	if have == nil {
		return more
	}
	for _, p := range more {
		if len(p.Plan.Operations) > 0 || p.Status == store.PlanHeld {
			have = append(have, p)
		}
	}
	return have
}

// add adds up what several drains did; what is open, and what is left to be planned
// anew, is as the last one saw it.
func add(have, more []Drained) []Drained {
	done := map[string]Drained{}
	for _, d := range have {
		done[d.Connector] = d
	}
	for i := range more {
		more[i].Done += done[more[i].Connector].Done
		delete(done, more[i].Connector)
	}
	for _, d := range have {
		if _, left := done[d.Connector]; left {
			d = Drained{Connector: d.Connector, Done: d.Done}
			more = append(more, d)
		}
	}
	return more
}
