package store

import (
	"context"
	"time"
)

// Recover takes back what a worker that is gone had taken: an operation that was
// leased is ready again, one that was sent is unknown. With the working role
// held by this process (see [Org.Work]) those are all leases, so call it before
// the first [Org.Lease]; without it, those that ended before now. The old
// worker's fences no longer hold.
func (o *Org) Recover(ctx context.Context, owner string, now time.Time) (unknown, ready int, err error) {
	ended, args := "lease_until > 0", []any{}
	if _, all := o.s.working.Load(o.id); !all {
		ended, args = ended+" AND lease_until < ?", append(args, micros(now))
	}
	return o.takeBack(ctx, owner, ended, args, time.Time{}, now)
}

// RecoverConnector takes back what workers before us had taken of one connector, for
// who holds its lock (see [Role.Lock]). What others than owner had sent is not looked
// up before settleAt: who was cut off may still be ending its calls.
func (o *Org) RecoverConnector(ctx context.Context, connector, owner string, settleAt, now time.Time) (unknown, ready int, err error) {
	return o.takeBack(ctx, owner, "lease_until > 0 AND connector = ?", []any{connector}, settleAt, now)
}

func (o *Org) takeBack(ctx context.Context, owner, which string, args []any, settleAt, now time.Time) (unknown, ready int, err error) {
	which, args = " AND "+which, append([]any{o.id}, args...)
	var n int
	err = o.get(ctx, &n, `SELECT COUNT(*) FROM operation WHERE org_id = ?`+which, args...)
	if err != nil || n == 0 {
		return 0, 0, o.s.fail("recover", err)
	}
	err = o.write(ctx, "recover", func(t *tx) error {
		for _, step := range []struct {
			set  string
			args []any
			from string
			n    *int
		}{
			{`state = 'ready'`, nil, `state = 'leased'`, &ready},
			{`state = 'unknown', maybe_applied = 1, next_attempt_at = CASE WHEN lease_owner = ? THEN 0 ELSE CAST(? AS BIGINT) END`,
				[]any{owner, micros(settleAt)}, `state = 'sent'`, &unknown},
			{`state = 'unknown', next_attempt_at = CASE WHEN lease_owner = ? OR next_attempt_at > ? THEN next_attempt_at ELSE CAST(? AS BIGINT) END`,
				[]any{owner, micros(settleAt), micros(settleAt)}, `state = 'unknown'`, new(int)},
		} {
			n, err := t.exec(`UPDATE operation SET `+step.set+`, fence = fence + 1, lease_owner = '', lease_until = 0, updated_at = ?
				WHERE org_id = ? AND `+step.from+which, append(append(step.args, micros(now)), args...)...)
			if err != nil {
				return err
			}
			*step.n = int(n)
		}
		if ready+unknown == 0 {
			return nil
		}
		return t.audit(o.id, entry(now, Hub, "queue.recover", owner, map[string]any{"unknown": unknown, "ready": ready}))
	})
	return unknown, ready, err
}
