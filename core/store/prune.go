package store

import (
	"context"
	"time"
)

// Retention says how long history is kept; zero: for ever. The audit trail always is.
type Retention struct {
	// Operations are finished ones with their attempts, and plans of which nothing is
	// left open.
	Operations time.Duration
	// Runs of schedules, and findings of reconciliations that are not so any more.
	Runs, Findings time.Duration
}

// Pruned counts what was taken out.
type Pruned struct {
	Operations int `json:"operations"`
	Plans      int `json:"plans"`
	Runs       int `json:"runs"`
	Findings   int `json:"findings"`
}

const (
	// pruneAtOnce bounds how many operations one transaction takes out, so that nobody
	// waits long for it.
	pruneAtOnce = 500
	// prunePlans is how many plans are looked through at a time.
	prunePlans = 50
)

// Prune takes out history that is older than r says. What is open stays, and so does
// all that tells what accounts and people are like now. It works in small
// transactions beside everything else, and goes on where it was when it is called
// again.
func (o *Org) Prune(ctx context.Context, r Retention, now time.Time) (Pruned, error) {
	var p Pruned
	var err error
	if r.Operations > 0 {
		if err = o.prunePlans(ctx, now.Add(-r.Operations), &p); err != nil {
			return p, err
		}
	}
	if r.Runs > 0 {
		// The last run of each thing tells when it was run.
		p.Runs, err = o.pruneRows(ctx, "run", `ended_at > 0 AND started_at < ? AND started_at < (SELECT MAX(l.started_at) FROM run l
			WHERE l.org_id = run.org_id AND l.kind = run.kind AND l.subject = run.subject)`, now.Add(-r.Runs))
		if err != nil {
			return p, err
		}
	}
	if r.Findings > 0 {
		p.Findings, err = o.pruneRows(ctx, "finding", `resolved_at > 0 AND resolved_at < ?`, now.Add(-r.Findings))
	}
	return p, err
}

func (o *Org) pruneRows(ctx context.Context, table, where string, before time.Time) (int, error) {
	var some bool
	err := o.get(ctx, &some, `SELECT EXISTS (SELECT 1 FROM `+table+` WHERE org_id = ? AND `+where+`)`, o.id, micros(before))
	if err != nil || !some {
		return 0, o.s.fail("prune "+table, err)
	}
	var n int64
	err = o.write(ctx, "prune", func(t *tx) (err error) {
		n, err = t.exec(`DELETE FROM `+table+` WHERE org_id = ? AND `+where, o.id, micros(before))
		return err
	})
	return int(n), err
}

// prunePlans walks through old plans, the oldest first.
func (o *Org) prunePlans(ctx context.Context, before time.Time, p *Pruned) error {
	var after struct {
		Hash      string
		CreatedAt int64 `db:"created_at"`
	}
	for {
		plans := []struct {
			Hash      string
			CreatedAt int64 `db:"created_at"`
		}{}
		err := o.all(ctx, &plans, `SELECT hash, created_at FROM plan WHERE org_id = ? AND created_at < ? AND (created_at, hash) > (?, ?)
			AND status IN ('applied', 'rejected', 'superseded') ORDER BY created_at, hash LIMIT ?`, o.id, micros(before), after.CreatedAt, after.Hash, prunePlans)
		if err != nil {
			return o.s.fail("prune plans", err)
		}
		for _, x := range plans {
			if err := o.prunePlan(ctx, x.Hash, before, p); err != nil {
				return err
			}
			after = x
		}
		if len(plans) < prunePlans {
			return nil
		}
	}
}

// prunePlan takes the old finished operations of one plan out, and then the plan
// unless something of it is left, or it is the last one applied of its source.
func (o *Org) prunePlan(ctx context.Context, hash string, before time.Time, p *Pruned) error {
	for {
		var ids []string
		err := o.all(ctx, &ids, `SELECT id FROM operation WHERE org_id = ? AND plan = ? AND state IN ('done', 'superseded', 'skipped', 'planned') AND updated_at < ? LIMIT ?`,
			o.id, hash, micros(before), pruneAtOnce)
		if err != nil {
			return o.s.fail("prune operations", err)
		}
		if len(ids) == 0 {
			break
		}
		if err := o.write(ctx, "prune", func(t *tx) error { return t.deleteOperations(o.id, ids) }); err != nil {
			return err
		}
		p.Operations += len(ids)
	}
	return o.write(ctx, "prune", func(t *tx) error {
		n, err := t.exec(`DELETE FROM plan WHERE org_id = ? AND hash = ? AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.org_id = plan.org_id AND o.plan = plan.hash)
			AND NOT EXISTS (SELECT 1 FROM source_state s WHERE s.org_id = plan.org_id AND s.applied_plan = plan.hash)`, o.id, hash)
		p.Plans += int(n)
		return err
	})
}

func (t *tx) deleteOperations(org string, ids []string) error {
	return t.s.dialect.inChunks(ids, func(marks string, args []any) error {
		args = append([]any{org}, args...)
		if _, err := t.exec(`DELETE FROM attempt WHERE org_id = ? AND operation IN (`+marks+`)`, args...); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM operation WHERE org_id = ? AND id IN (`+marks+`)`, args...)
		return err
	})
}
