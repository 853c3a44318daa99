package store

import (
	"context"
	"time"
)

// WakeDependents makes operations of connector due that wait for something which
// was not in the target, such as the manager's account, a group or a free seat, and
// returns how many there are. ids limits it to these operations; nil means all that wait so.
func (o *Org) WakeDependents(ctx context.Context, connector string, ids []string, now time.Time) (n int, err error) {
	const waiting = `org_id = ? AND connector = ? AND state = 'retry' AND code IN ('DEPENDENCY_MISSING', 'QUOTA') AND next_attempt_at > ?`
	args := []any{o.id, connector, micros(now)}
	if err := o.get(ctx, &n, `SELECT COUNT(*) FROM operation WHERE `+waiting, args...); err != nil || n == 0 {
		return 0, o.s.fail("wake operations", err)
	}
	err = o.write(ctx, "wake", func(t *tx) error {
		n = 0
		set := func(more string, moreArgs []any) error {
			woken, err := t.exec(`UPDATE operation SET next_attempt_at = ? WHERE `+waiting+more,
				append(append([]any{micros(now)}, args...), moreArgs...)...)
			n += int(woken)
			return err
		}
		if ids == nil {
			return set("", nil)
		}
		return t.s.dialect.inChunks(ids, func(marks string, in []any) error { return set(` AND id IN (`+marks+`)`, in) })
	})
	return n, err
}
