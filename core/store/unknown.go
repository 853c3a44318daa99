package store

import (
	"context"
	"time"
)

// Unknown takes up to n operations of connector whose outcome is in doubt, to
// settle them by lookup: the most urgent first. They stay unknown, under a lease as
// in [Org.Lease].
func (o *Org) Unknown(ctx context.Context, connector, owner string, n int, now time.Time, ttl time.Duration) ([]OpRow, error) {
	return o.leaseUnknown(ctx, `COALESCE(length(continuation), 0) = 0`, `lane, next_attempt_at, seq`, connector, owner, n, now, now, ttl)
}

// Accepted takes up to n operations of connector that the target has accepted and
// not finished, to ask after them: those that were to be asked after by due, the
// longest overdue first. They stay unknown, under a lease.
func (o *Org) Accepted(ctx context.Context, connector, owner string, n int, due, now time.Time, ttl time.Duration) ([]OpRow, error) {
	return o.leaseUnknown(ctx, `length(continuation) > 0`, `next_attempt_at, lane, seq`, connector, owner, n, due, now, ttl)
}

func (o *Org) leaseUnknown(ctx context.Context, which, order, connector, owner string, n int, due, now time.Time, ttl time.Duration) ([]OpRow, error) {
	if n <= 0 {
		return nil, nil
	}
	where := `WHERE org_id = ? AND connector = ? AND state = 'unknown' AND ` + which + ` AND next_attempt_at <= ? AND lease_until <= ?`
	args := []any{o.id, connector, micros(due), micros(now)}
	var any bool
	err := o.get(ctx, &any, `SELECT CASE WHEN EXISTS (SELECT 1 FROM operation `+where+`) THEN 1 ELSE 0 END`, args...)
	if err != nil || !any {
		return nil, o.s.fail("lease unknown", err)
	}
	var leased []OpRow
	err = o.write(ctx, "unknown", func(t *tx) error {
		ops, err := o.operations(ctx, t, where+` ORDER BY `+order+` LIMIT ?`+t.s.dialect.skipLocked, append(args, n)...)
		if err != nil {
			return err
		}
		leased = ops
		return o.lease(t, leased, owner, now, ttl, OpUnknown)
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}
