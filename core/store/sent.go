package store

import (
	"context"
	"fmt"
	"time"
)

// MarkSent commits that ops are about to go out and returns those whose lease
// still holds, in order; the others must not be sent. Send nothing before it
// returns.
func (o *Org) MarkSent(ctx context.Context, ops []OpRow, now time.Time) (kept []OpRow, err error) {
	if len(ops) == 0 {
		return nil, nil
	}
	err = o.write(ctx, "sent", func(t *tx) error {
		held := map[string]bool{}
		err := t.s.dialect.eachChunk(len(ops), 2, func(from, to int) error {
			var args []any
			for _, op := range ops[from:to] {
				args = append(args, op.ID, op.Fence)
			}
			var ids []string
			err := t.all(&ids, `WITH v(id, fence) AS (`+values(to-from, "TEXT", "BIGINT")+`)
				UPDATE operation SET state = 'sent', updated_at = ?, sent_at = CASE WHEN sent_at = 0 THEN ? ELSE sent_at END FROM v
				WHERE operation.org_id = ? AND operation.id = v.id AND operation.fence = v.fence AND operation.state = 'leased'
				RETURNING operation.id`, append(args, micros(now), micros(now), o.id)...)
			for _, id := range ids {
				held[id] = true
			}
			return err
		})
		if err != nil {
			return err
		}
		kept = make([]OpRow, 0, len(held))
		for _, op := range ops {
			if held[op.ID] {
				op.State, op.UpdatedAt = OpSent, now
				kept = append(kept, op)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("nothing was sent: %w", err)
	}
	return kept, nil
}
