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
	ended, args := " AND lease_until > 0", []any{o.id}
	if _, all := o.s.working.Load(o.id); !all {
		ended, args = ended+" AND lease_until < ?", append(args, micros(now))
	}
	var n int
	err = o.get(ctx, &n, `SELECT COUNT(*) FROM operation WHERE org_id = ?`+ended, args...)
	if err != nil || n == 0 {
		return 0, 0, o.s.fail("recover", err)
	}
	err = o.write(ctx, "recover", func(t *tx) error {
		for _, step := range []struct {
			set  string
			from string
			n    *int
		}{
			{`state = 'ready'`, `state = 'leased'`, &ready},
			{`state = 'unknown', maybe_applied = 1, next_attempt_at = 0`, `state = 'sent'`, &unknown},
			{`state = 'unknown'`, `state = 'unknown'`, new(int)},
		} {
			n, err := t.exec(`UPDATE operation SET `+step.set+`, fence = fence + 1, lease_owner = '', lease_until = 0, updated_at = ?
				WHERE org_id = ? AND `+step.from+ended, append([]any{micros(now)}, args...)...)
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
