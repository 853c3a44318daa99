package store

import (
	"context"
	"time"
)

// Drain lets what is planned for connector until now go out and nothing that is
// planned later; when it is through, the connector is paused ([Org.EndDrain]). why says
// who drains it and for what, and becomes the words of the pause. It is audited.
func (o *Org) Drain(ctx context.Context, connector, why, actor string, now time.Time) error {
	return o.write(ctx, "drain", func(t *tx) error {
		if _, err := t.exec(insertConnectorState, o.id, connector); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE connector_state SET drained_by = ?, drain_seq = (SELECT COALESCE(MAX(next_seq), 1) FROM org_state WHERE org_id = ?)
			WHERE org_id = ? AND connector = ?`, why, o.id, o.id, connector)
		if err != nil {
			return err
		}
		return t.audit(o.id, entry(now, actor, "connector.drain", connector, map[string]any{"by": why}))
	})
}

// EndDrain pauses a connector whose drain is through: of what stood in its queue
// nothing is ready, under way, in doubt or to be tried again. What is parked, or
// waits for something that is not in the target, does not hold it up. done is false
// when something is left, or nobody drains it.
func (o *Org) EndDrain(ctx context.Context, connector string, now time.Time) (done bool, err error) {
	const through = `drain_seq > 0 AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.org_id = connector_state.org_id AND o.connector = connector_state.connector
		AND o.seq < connector_state.drain_seq AND (o.state IN ('ready', 'leased', 'sent', 'unknown')
			OR o.state = 'retry' AND o.code NOT IN ('DEPENDENCY_MISSING', 'QUOTA')))`
	var n int
	if err := o.get(ctx, &n, `SELECT COUNT(*) FROM connector_state WHERE org_id = ? AND connector = ? AND `+through, o.id, connector); err != nil || n == 0 {
		return false, o.s.fail("look whether the queue is drained", err)
	}
	err = o.write(ctx, "drained", func(t *tx) error {
		var by []string
		err := t.all(&by, `UPDATE connector_state SET paused_by = CASE WHEN paused_by = '' THEN drained_by ELSE paused_by END, drained_by = '', drain_seq = 0
			WHERE org_id = ? AND connector = ? AND `+through+` RETURNING paused_by`, o.id, connector)
		if done = len(by) > 0; err != nil || !done {
			return err
		}
		return t.audit(o.id, entry(now, Hub, "connector.pause", connector, map[string]any{"by": by[0], "drained": true}))
	})
	return done, err
}
