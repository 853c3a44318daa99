package store

import (
	"context"
	"time"
)

// WakeDependents makes the operations of connector due that wait for another
// account, such as the manager's, and returns how many there are. Call it when an
// account was made there. An operation that the target refused for want of
// something has cost an attempt; it is left to its own time.
func (o *Org) WakeDependents(ctx context.Context, connector string, now time.Time) (n int, err error) {
	const waiting = ` WHERE org_id = ? AND connector = ? AND state = 'retry' AND code = 'DEPENDENCY_MISSING' AND attempts = 0 AND next_attempt_at > ?`
	args := []any{o.id, connector, micros(now)}
	if err := o.get(ctx, &n, `SELECT COUNT(*) FROM operation`+waiting, args...); err != nil || n == 0 {
		return 0, o.s.fail("wake operations", err)
	}
	err = o.write(ctx, "wake", func(t *tx) error {
		woken, err := t.exec(`UPDATE operation SET next_attempt_at = ?`+waiting, append([]any{micros(now)}, args...)...)
		n = int(woken)
		return err
	})
	return n, err
}
