package store

import (
	"context"
	"errors"
	"time"
)

// Stop is the switch for everything: nothing is sent to any target of the org.
type Stop struct {
	Why string // who stopped it, and the reason; "": it is not stopped
	At  time.Time
}

// Stopped returns how the switch for everything stands.
func (o *Org) Stopped(ctx context.Context) (Stop, error) {
	var row struct {
		Stopped   string
		StoppedAt int64 `db:"stopped_at"`
	}
	err := o.get(ctx, &row, `SELECT stopped, stopped_at FROM org_state WHERE org_id = ?`, o.id)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return Stop{Why: row.Stopped, At: fromMicros(row.StoppedAt)}, o.s.fail("read whether everything is stopped", err)
}

// SetStopped turns the switch for everything: why names who stops it, and the
// reason; "" lets everything go on. changed is false when it stood so already; a
// second stop does not take the first one's reason away. It is audited.
func (o *Org) SetStopped(ctx context.Context, why, actor string, now time.Time) (changed bool, err error) {
	err = o.write(ctx, "stop", func(t *tx) error {
		if _, err := t.exec(`INSERT INTO org_state (org_id, generation, next_seq) VALUES (?, 0, 1) ON CONFLICT (org_id) DO NOTHING`, o.id); err != nil {
			return err
		}
		at, action := micros(now), "stop"
		if why == "" {
			at, action = 0, "go"
		}
		n, err := t.exec(`UPDATE org_state SET stopped = ?, stopped_at = ? WHERE org_id = ? AND CASE WHEN stopped = '' THEN 0 ELSE 1 END <> ?`,
			why, at, o.id, flag(why != ""))
		if changed = n > 0; err != nil || !changed {
			return err
		}
		return t.audit(o.id, entry(now, actor, action, "everything", map[string]any{"why": why}))
	})
	return changed, err
}
