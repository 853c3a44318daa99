package store

import (
	"context"
	"time"
)

// ApprovePlan releases a held plan until a.Until, in a named person's name. An
// approval that ran out can be given again. [ErrPlanState] for any other status.
func (o *Org) ApprovePlan(ctx context.Context, hash string, a Approval) error {
	switch {
	case a.By == "":
		return refuse(ErrPlanState, "an approval needs the name of who gives it")
	case !a.Until.After(a.At):
		return refuse(ErrPlanState, "an approval needs an end that is later than now")
	}
	return o.write(ctx, "plan.approve", func(t *tx) error {
		p, err := o.planRecord(ctx, t, hash, t.s.dialect.forUpdate)
		if err != nil {
			return err
		}
		if p.Status != PlanHeld && p.Status != PlanApproved {
			return refuse(ErrPlanState, "plan %.12s is %s; only a held plan is approved", p.Hash, p.Status)
		}
		if err := o.decide(t, p.Hash, PlanApproved, a); err != nil {
			return err
		}
		return t.audit(o.id, entry(a.At, a.By, "plan.approve", p.Hash, map[string]any{
			"reason": a.Reason, "until": a.Until.UTC(), "counts": p.Counts, "verdicts": p.Verdicts,
		}))
	})
}

// RejectPlan ends a plan that is not applied. The same plan, should a later
// cycle come to it again, stays rejected. [ErrPlanState] when it is applied,
// superseded or rejected.
func (o *Org) RejectPlan(ctx context.Context, hash string, by, reason string, now time.Time) error {
	if by == "" {
		return refuse(ErrPlanState, "a rejection needs the name of who gives it")
	}
	return o.write(ctx, "plan.reject", func(t *tx) error {
		p, err := o.planRecord(ctx, t, hash, t.s.dialect.forUpdate)
		if err != nil {
			return err
		}
		switch p.Status {
		case PlanApplied, PlanSuperseded, PlanRejected:
			return refuse(ErrPlanState, "plan %.12s is %s already", p.Hash, p.Status)
		}
		if err := o.decide(t, p.Hash, PlanRejected, Approval{By: by, Reason: reason, At: now}); err != nil {
			return err
		}
		return t.audit(o.id, entry(now, by, "plan.reject", p.Hash, map[string]any{"reason": reason, "counts": p.Counts}))
	})
}

func (o *Org) decide(t *tx, hash string, status PlanStatus, a Approval) error {
	_, err := t.exec(`UPDATE plan SET status = ?, approved_by = ?, reason = ?, approved_at = ?, until_at = ? WHERE org_id = ? AND hash = ?`,
		string(status), a.By, a.Reason, micros(a.At), micros(a.Until), o.id, hash)
	return err
}
