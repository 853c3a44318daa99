package store

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// ApplyPlan puts the operations of a proposed or approved plan into the queue
// and returns how many are ready, in one transaction with all that belongs to
// it: operations that are replaced or no longer wanted, reserved names, the rule
// hashes and the generation up to which everything is planned.
//
// A [*DriftError] refuses a plan when an account or an identity moved on since it
// was made; [ErrPlanState] one that is held, rejected, superseded or applied, or
// whose approval ran out. An account whose open operation may have reached the
// target is left alone and looked at again by the next plan.
//
// A plan without operations can be applied again; nothing happens then.
func (o *Org) ApplyPlan(ctx context.Context, hash, actor string, now time.Time) (ready int, err error) {
	if settled, err := o.emptyApplied(ctx, hash); err != nil || settled {
		return 0, o.s.fail("apply plan", err)
	}
	err = o.write(ctx, "plan.apply", func(t *tx) error {
		ready, err = o.applyPlan(t, hash, actor, now)
		return err
	})
	return ready, err
}

// emptyApplied reports whether the plan has nothing to do and was applied.
func (o *Org) emptyApplied(ctx context.Context, hash string) (bool, error) {
	var n int
	err := o.get(ctx, &n, `SELECT COUNT(*) FROM plan p JOIN source_state s ON s.org_id = p.org_id AND s.source = p.source
		WHERE p.org_id = ? AND p.hash = ? AND p.status = 'applied' AND p.operations = 0 AND s.applied_generation >= p.generation`, o.id, hash)
	return n > 0, err
}

func (o *Org) applyPlan(t *tx, hash, actor string, now time.Time) (ready int, err error) {
	p, err := o.lockPlan(t, hash, now)
	if err != nil {
		return 0, err
	}
	a := &application{t: t, org: o.id, plan: p, now: now}
	for _, step := range []func() error{
		a.skipInFlight, a.checkDrift, a.withdraw, a.supersede, a.makeReady,
		a.reserveNames, a.rememberRules, a.moveGeneration, a.markApplied,
	} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return int(a.ready), t.audit(o.id, entry(now, actor, "plan.apply", p.Hash, map[string]any{
		"source": p.Inputs.Source, "counts": p.Counts, "ready": a.ready, "replaced": a.superseded,
		"withdrawn": a.withdrawn, "in_flight": a.skipped, "approved_by": p.ApprovedBy,
	}))
}

// lockPlan reads the plan and refuses one that must not be applied. The counters
// are locked first: one plan of an org at a time.
func (o *Org) lockPlan(t *tx, hash string, now time.Time) (*planRecord, error) {
	if _, err := t.exec(`INSERT INTO org_state (org_id, generation, next_seq) VALUES (?, 0, 1)
		ON CONFLICT (org_id) DO UPDATE SET next_seq = org_state.next_seq`, o.id); err != nil {
		return nil, err
	}
	p, err := o.planRecord(t.ctx, t, hash, t.s.dialect.forUpdate)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Status == PlanProposed, p.Status == PlanApplied && p.operations == 0:
		return p, nil
	case p.Status == PlanApproved && !now.After(p.Until):
		return p, nil
	case p.Status == PlanApproved:
		return nil, refuse(ErrPlanState, "the approval of plan %.12s by %s ended at %s; approve it again", p.Hash, p.ApprovedBy, p.Until.Format(time.RFC3339))
	case p.Status == PlanHeld:
		return nil, refuse(ErrPlanState, "plan %.12s is held by a guard; look at it, then `provhub plan approve %.12[1]s`", p.Hash)
	case p.Status == PlanApplied:
		return nil, refuse(ErrPlanState, "plan %.12s was applied at %s already", p.Hash, p.AppliedAt.Format(time.RFC3339))
	case p.Status == PlanRejected:
		return nil, refuse(ErrPlanState, "plan %.12s was rejected by %s", p.Hash, p.ApprovedBy)
	}
	return nil, refuse(ErrPlanState, "plan %.12s is %s: a newer plan of source %s takes its place", p.Hash, p.Status, p.Inputs.Source)
}

// refusalError says no in words of its own; errors.Is finds the kind.
type refusalError struct {
	kind error
	text string
}

func refuse(kind error, format string, args ...any) error {
	return &refusalError{kind, fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *refusalError) Error() string { return e.text }

// Unwrap returns the kind.
func (e *refusalError) Unwrap() error { return e.kind }

// application is one plan being applied.
type application struct {
	t    *tx
	org  string
	plan *planRecord
	now  time.Time

	skipped, superseded, withdrawn, ready int64
}

// skipInFlight leaves out accounts whose open operation may have reached the
// target, and has them looked at again. The plan's own notes name accounts for
// which nothing was planned for that reason.
func (a *application) skipInFlight() error {
	// Lock what is open first: a worker may be about to send it.
	var open []string
	err := a.t.all(&open, `SELECT id FROM operation o WHERE org_id = ? AND state IN `+openStates+` AND EXISTS (
		SELECT 1 FROM operation n WHERE n.org_id = o.org_id AND n.plan = ? AND n.state = 'planned' AND n.connector = o.connector
			AND n.kind = o.kind AND n.anchor = o.anchor)`+a.t.s.dialect.forUpdate, a.org, a.plan.Hash)
	if err != nil {
		return err
	}
	keys := make([]plan.Note, 0)
	for _, n := range a.plan.Notes {
		if n.Code == noteInFlight {
			keys = append(keys, n)
		}
	}
	if len(open) == 0 && len(keys) == 0 {
		return nil
	}
	var skipped []struct{ Connector, Kind, Anchor string }
	err = a.t.all(&skipped, `SELECT connector, kind, anchor FROM operation n WHERE org_id = ? AND plan = ? AND state = 'planned' AND EXISTS (
		SELECT 1 FROM operation o WHERE o.org_id = n.org_id AND o.connector = n.connector AND o.kind = n.kind AND o.anchor = n.anchor
			AND `+inFlight+`)`, a.org, a.plan.Hash)
	if err != nil {
		return err
	}
	a.skipped, err = a.t.exec(`UPDATE operation AS n SET state = 'superseded', updated_at = ? WHERE org_id = ? AND plan = ? AND state = 'planned' AND EXISTS (
		SELECT 1 FROM operation o WHERE o.org_id = n.org_id AND o.connector = n.connector AND o.kind = n.kind AND o.anchor = n.anchor
			AND `+inFlight+`)`, micros(a.now), a.org, a.plan.Hash)
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(skipped)+len(keys))
	for _, s := range skipped {
		rows = append(rows, []any{a.org, s.Connector, s.Kind, s.Anchor})
	}
	for _, n := range keys {
		rows = append(rows, []any{a.org, n.Connector, string(n.Kind), n.Anchor})
	}
	return a.t.markReplan(a.org, rows)
}

// noteInFlight is the code of the note that a plan leaves for an account whose
// open operation cannot be replaced.
const noteInFlight = "in_flight"

// markReplan has accounts (org, connector, kind, anchor) looked at again by the
// next plan.
func (t *tx) markReplan(org string, accounts [][]any) error {
	if len(accounts) == 0 {
		return nil
	}
	g, err := t.bump(org)
	if err != nil {
		return err
	}
	seen := map[[3]string]bool{}
	rows := accounts[:0]
	for _, a := range accounts {
		key := [3]string{a[1].(string), a[2].(string), a[3].(string)}
		if !seen[key] {
			seen[key] = true
			rows = append(rows, append(a[:4:4], g))
		}
	}
	return t.insert(`INSERT INTO replan (org_id, connector, kind, anchor, generation)`, rows,
		`ON CONFLICT (org_id, connector, kind, anchor) DO UPDATE SET generation = excluded.generation`)
}
