package hub

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/core/config"
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
	if err != nil {
		return 0, err
	}
	defer release()
	row, err := h.org.Plan(ctx, hash)
	if err != nil {
		return 0, err
	}
	if err := h.sameInputs(ctx, row); err != nil {
		return 0, err
	}
	return h.org.ApplyPlan(ctx, row.Hash, h.opt.Actor, h.now())
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
	snapshot, err := fingerprint(ctx, s)
	switch {
	case err != nil:
		return fmt.Errorf("source %s: %w", s.Name, err)
	case snapshot != row.Inputs.Snapshot:
		drift.What = append(drift.What, fmt.Sprintf("the source %s is not what was read", s.Name))
	}
	for _, c := range h.fedBy(s) {
		if was, ok := row.Rules[c.Name]; ok && !sameRules(was, rulesHash(c)) {
			drift.What = append(drift.What, fmt.Sprintf("the rules or the policy of connector %s are others", c.Name))
		}
	}
	if drift.Count = len(drift.What); drift.Count > 0 {
		return drift
	}
	return nil
}

// fingerprint names what the source holds now.
func fingerprint(ctx context.Context, s *config.Source) (string, error) {
	reader, err := openSource(s)
	if err != nil {
		return "", err
	}
	if f, ok := reader.(source.Fingerprinter); ok {
		snapshot, _, err := f.Fingerprint(ctx)
		return snapshot, err
	}
	report, err := reader.Read(ctx, func(*source.Record) error { return nil })
	return report.Snapshot, err
}

// SyncResult is what a sync did.
type SyncResult struct {
	Plans   []Planned `json:"plans"`
	Drained []Drained `json:"connectors"`
}

// Sync settles what an earlier run left open, plans, applies and sends. A plan
// that a guard holds is stored and not applied; the others go on. Where an account
// was not as we thought, it plans again.
func (h *Hub) Sync(ctx context.Context, o PlanOptions, d DrainOptions) (SyncResult, error) {
	release, err := h.org.Work(ctx, "provhub sync")
	if err != nil {
		return SyncResult{}, err
	}
	defer release()
	var out SyncResult
	if out.Drained, err = h.drain(ctx, DrainOptions{}); err != nil {
		return out, err
	}
	for round := 1; round <= roundsMax && ctx.Err() == nil; round++ {
		plans, err := h.plan(ctx, o)
		if err != nil {
			return out, err
		}
		out.Plans = merge(out.Plans, plans)
		applied, err := h.applyAll(ctx, plans)
		if err != nil {
			return out, err
		}
		drained, err := h.drain(ctx, d)
		if err != nil {
			return out, err
		}
		again := false
		for _, r := range drained {
			again = again || r.Replanned > 0
		}
		out.Drained = add(out.Drained, drained)
		if !applied || !again {
			break
		}
	}
	return out, ctx.Err()
}

// applyAll applies what is not held, and says whether there was anything.
func (h *Hub) applyAll(ctx context.Context, plans []Planned) (applied bool, err error) {
	for i := range plans {
		p := &plans[i]
		if p.Status != store.PlanProposed && p.Status != store.PlanApproved {
			continue
		}
		n, err := h.org.ApplyPlan(ctx, p.Plan.Hash, h.opt.Actor, h.now())
		if err != nil {
			return applied, err
		}
		p.Status = store.PlanApplied
		applied = applied || n > 0
	}
	return applied, nil
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

// add adds up what several drains did; what is open is as the last one saw it.
func add(have, more []Drained) []Drained {
	done := map[string]Drained{}
	for _, d := range have {
		done[d.Connector] = d
	}
	for i := range more {
		more[i].Done += done[more[i].Connector].Done
		more[i].Replanned += done[more[i].Connector].Replanned
		delete(done, more[i].Connector)
	}
	for _, d := range have {
		if _, left := done[d.Connector]; left {
			d.Open, d.Parked, d.Retrying, d.Unknown, d.Waiting, d.Problem = 0, 0, 0, 0, 0, ""
			more = append(more, d)
		}
	}
	return more
}
