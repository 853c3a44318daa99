package store

import (
	"context"
	"time"
)

// GiveBack gives back what owner has taken of connector until the time until, besides
// the operations in keep, and returns how many there were. It is for a worker that
// does not know whether taking operations was committed, because the database went
// away: what it does not know of, it has not sent. They are ready again, and those
// in doubt stay in doubt.
func (o *Org) GiveBack(ctx context.Context, connector, owner string, until time.Time, keep []string, now time.Time) (n int, err error) {
	err = o.write(ctx, "give back", func(t *tx) error {
		var ids []string
		err := t.all(&ids, `SELECT id FROM operation WHERE org_id = ? AND lease_until > 0 AND lease_until = ? AND connector = ? AND lease_owner = ?`+t.s.dialect.forUpdate,
			o.id, micros(until), connector, owner)
		if err != nil {
			return err
		}
		kept := map[string]bool{}
		for _, id := range keep {
			kept[id] = true
		}
		var back []string
		for _, id := range ids {
			if !kept[id] {
				back = append(back, id)
			}
		}
		n = len(back)
		return t.s.dialect.inChunks(back, func(marks string, args []any) error {
			_, err := t.exec(`UPDATE operation SET state = CASE WHEN state = 'unknown' THEN 'unknown' ELSE 'ready' END, fence = fence + 1,
				lease_owner = '', lease_until = 0, updated_at = ? WHERE org_id = ? AND id IN (`+marks+`)`, append([]any{micros(now), o.id}, args...)...)
			return err
		})
	})
	return n, err
}
