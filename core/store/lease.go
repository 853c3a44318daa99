package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// Lease takes up to n operations of connector that are ready, or whose retry is
// due, for owner until now+ttl: urgent lanes first, then in the order of the
// queue. Each comes with a Fence that [Org.MarkSent] and [Org.Finish] ask for.
// There is at most one open operation per account, so none is in flight twice.
// On PostgreSQL, rows that another node is taking are passed over.
func (o *Org) Lease(ctx context.Context, connector, owner string, n int, now time.Time, ttl time.Duration) ([]OpRow, error) {
	return o.leaseAs(ctx, "lease", OpLeased, connector, owner, n, now, ttl)
}

// Take is [Org.Lease] and [Org.MarkSent] in one transaction, for a worker that
// sends at once what it takes: half the commits, and every row is written once.
// Send nothing before it returns.
func (o *Org) Take(ctx context.Context, connector, owner string, n int, now time.Time, ttl time.Duration) ([]OpRow, error) {
	return o.leaseAs(ctx, "take", OpSent, connector, owner, n, now, ttl)
}

func (o *Org) leaseAs(ctx context.Context, name string, state OpState, connector, owner string, n int, now time.Time, ttl time.Duration) ([]OpRow, error) {
	if n <= 0 {
		return nil, nil
	}
	ready, due, err := o.leasableNow(ctx, connector, now)
	if err != nil || !ready && !due {
		return nil, o.s.fail(name, err)
	}
	var leased []OpRow
	err = o.write(ctx, name, func(t *tx) error {
		ops, err := o.leasable(t, connector, n, now, due)
		if err != nil {
			return err
		}
		leased = ops
		return o.lease(t, leased, owner, now, ttl, state)
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// leasableNow looks without a transaction, so that an idle worker never writes:
// whether anything is ready, and whether any retry is due.
func (o *Org) leasableNow(ctx context.Context, connector string, now time.Time) (ready, due bool, err error) {
	var row struct{ Ready, Due bool }
	err = o.get(ctx, &row, `SELECT
		CASE WHEN EXISTS (SELECT 1 FROM operation WHERE org_id = ? AND connector = ? AND state = 'ready') THEN 1 ELSE 0 END AS ready,
		CASE WHEN EXISTS (SELECT 1 FROM operation WHERE org_id = ? AND connector = ? AND state = 'retry' AND lane IN (`+lanesBefore(plan.LaneNormal+1)+`)
			AND next_attempt_at <= ?) THEN 1 ELSE 0 END AS due`, o.id, connector, o.id, connector, micros(now))
	return row.Ready, row.Due, err
}

// leasable locks and reads up to n operations that can be leased, in order.
func (o *Org) leasable(t *tx, connector string, n int, now time.Time, due bool) ([]OpRow, error) {
	ops, err := o.operations(t.ctx, t, `WHERE org_id = ? AND connector = ? AND state = 'ready'`+withinDrain+`
		ORDER BY lane, next_attempt_at, seq LIMIT ?`+t.s.dialect.skipLocked, o.id, connector, o.id, connector, n)
	if err != nil || !due {
		return ops, err
	}
	// Lane by lane: however many retries are due, a leaver's goes first.
	for _, lane := range plan.Lanes {
		retries, err := o.operations(t.ctx, t, `WHERE org_id = ? AND connector = ? AND state = 'retry' AND lane = ? AND next_attempt_at <= ?`+withinDrain+`
			ORDER BY next_attempt_at LIMIT ?`+t.s.dialect.skipLocked, o.id, connector, int(lane), micros(now), o.id, connector, n)
		if err != nil {
			return nil, err
		}
		ops = append(ops, retries...)
	}
	slices.SortFunc(ops, func(a, b OpRow) int { return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Seq, b.Seq)) })
	return ops[:min(len(ops), n)], nil
}

// lease gives locked rows a new fence, a lease and a state.
func (o *Org) lease(t *tx, ops []OpRow, owner string, now time.Time, ttl time.Duration, state OpState) error {
	var sentAt int64 // stays 0 until it is sent
	if state == OpSent {
		sentAt = micros(now)
	}
	ids := make([]string, len(ops))
	for i := range ops {
		ops[i].Fence++
		ops[i].State, ops[i].UpdatedAt, ops[i].NextAttemptAt = state, now, time.Time{}
		ids[i] = ops[i].ID
	}
	return t.s.dialect.inChunks(ids, func(marks string, args []any) error {
		_, err := t.exec(`UPDATE operation SET state = ?, fence = fence + 1, lease_owner = ?, lease_until = ?, updated_at = ?, next_attempt_at = 0,
			sent_at = CASE WHEN sent_at = 0 THEN ? ELSE sent_at END WHERE org_id = ? AND id IN (`+marks+`)`,
			append([]any{string(state), owner, micros(now.Add(ttl)), micros(now), sentAt, o.id}, args...)...)
		return err
	})
}
