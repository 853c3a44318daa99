package store

import (
	"context"
	"fmt"
	"time"
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
// An operation that a person has to decide on ([plan.Operation].Park) is parked.
//
// A plan without operations can be applied again; nothing happens then.
func (o *Org) ApplyPlan(ctx context.Context, hash, actor string, now time.Time) (ready int, err error) {
	return o.apply(ctx, hash, actor, false, now)
}

// ApplyUnmoved is [Org.ApplyPlan] beside others who plan and send: the accounts that
// moved on since the plan was made are left out, and looked at again by the next
// plan. [*DriftError] when a name that the plan chose was taken meanwhile, or something
// moved at this very moment: plan again.
func (o *Org) ApplyUnmoved(ctx context.Context, hash, actor string, now time.Time) (ready int, err error) {
	return o.apply(ctx, hash, actor, true, now)
}

func (o *Org) apply(ctx context.Context, hash, actor string, unmoved bool, now time.Time) (ready int, err error) {
	if settled, err := o.emptyApplied(ctx, hash); err != nil || settled {
		return 0, o.s.fail("apply plan", err)
	}
	err = o.write(ctx, "plan.apply", func(t *tx) error {
		ready, err = o.applyPlan(t, hash, actor, unmoved, now)
		return err
	})
	return ready, err
}

// emptyApplied reports whether the plan has nothing to do and was the last one
// applied, so that applying it again would write nothing new.
func (o *Org) emptyApplied(ctx context.Context, hash string) (bool, error) {
	var n int
	err := o.get(ctx, &n, `SELECT COUNT(*) FROM plan p JOIN source_state s ON s.org_id = p.org_id AND s.source = p.source
		WHERE p.org_id = ? AND p.hash = ? AND p.status = 'applied' AND p.operations = 0 AND s.applied_plan = p.hash`, o.id, hash)
	return n > 0, err
}

func (o *Org) applyPlan(t *tx, hash, actor string, unmoved bool, now time.Time) (ready int, err error) {
	p, err := o.lockPlan(t, hash, now)
	if err != nil {
		return 0, err
	}
	a := &application{t: t, org: o.id, plan: p, now: now, unmoved: unmoved}
	for _, step := range []func() error{
		a.leaveMoved, a.clearTheWay, a.checkDrift, a.checkClaims, a.withdraw, a.makeReady,
		a.reserveNames, a.rememberRules, a.rememberFaults, a.moveGeneration, a.markApplied,
		func() error { return t.analyze(a.ready, "operation", "account") },
	} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return int(a.ready), t.audit(o.id, entry(now, actor, "plan.apply", p.Hash, map[string]any{
		"source": p.Inputs.Source, "counts": p.Counts, "ready": a.ready, "parked": a.parked, "replaced": a.superseded,
		"withdrawn": a.withdrawn, "in_flight": a.skipped, "moved": a.moved, "approved_by": p.ApprovedBy,
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
		return nil, refuse(ErrPlanState, "the approval of plan %.12s by %s ended at %s; if the plan is still right: provhub plan approve %.12[1]s --reason TEXT", p.Hash, p.ApprovedBy, p.Until.Format(time.RFC3339))
	case p.Status == PlanHeld:
		return nil, refuse(ErrPlanState, "plan %.12s is held by a guard; look at it with `provhub plan show %.12[1]s`; if it is right: provhub plan approve %.12[1]s --reason TEXT", p.Hash)
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

	// unmoved: what has moved on is left out, in place of refusing the plan.
	unmoved bool

	skipped, superseded, withdrawn, ready, parked, moved int64
}
