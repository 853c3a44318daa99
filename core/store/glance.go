package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// Recently is how the operations went that a connector sent last.
type Recently struct {
	// Sent operations were looked at; Done of them took effect. Those that a newer plan
	// took the place of are not counted.
	Sent, Done int
	// LastAt is when the last one was sent for the first time; zero: never one.
	LastAt time.Time
}

// Recently returns how the last n operations of a connector went.
func (o *Org) Recently(ctx context.Context, connector string, n int) (Recently, error) {
	var row struct {
		Sent, Done int
		LastAt     int64 `db:"last_at"`
	}
	err := o.get(ctx, &row, `SELECT COUNT(*) AS sent, COALESCE(SUM(CASE WHEN state = 'done' THEN 1 ELSE 0 END), 0) AS done, COALESCE(MAX(sent_at), 0) AS last_at
		FROM (SELECT state, sent_at FROM operation WHERE org_id = ? AND connector = ? AND sent_at > 0
			ORDER BY sent_at DESC LIMIT ?) r WHERE state <> 'superseded'`, o.id, connector, n)
	return Recently{row.Sent, row.Done, fromMicros(row.LastAt)}, o.s.fail("read how operations of "+connector+" went", err)
}

// oldestAmong bounds the operations that are looked at for the oldest one where no
// index leads to it: those to be tried again stand in the order of their next try.
const oldestAmong = 1000

// OldestPending returns when the oldest operation of a connector was planned that is
// neither finished nor parked; zero when there is none. Among more than a thousand
// that are to be tried again or looked up it is one of the oldest.
func (o *Org) OldestPending(ctx context.Context, connector string) (time.Time, error) {
	var parts strings.Builder
	var args []any
	for _, lane := range plan.Lanes {
		fmt.Fprintf(&parts, `SELECT created_at FROM (SELECT created_at FROM operation WHERE org_id = ? AND connector = ? AND state = 'ready' AND lane = %d
			ORDER BY next_attempt_at, seq LIMIT 1) r%[1]d UNION ALL `, lane)
		args = append(args, o.id, connector)
	}
	var at int64
	err := o.get(ctx, &at, `SELECT COALESCE(MIN(created_at), 0) FROM (`+parts.String()+`
		SELECT created_at FROM (SELECT created_at FROM operation WHERE org_id = ? AND connector = ? AND state IN ('leased', 'sent', 'retry', 'unknown')
			ORDER BY state, lane, next_attempt_at LIMIT ?) d) q`, append(args, o.id, connector, oldestAmong)...)
	return fromMicros(at), o.s.fail("read the oldest operation of "+connector, err)
}

// AuditNewest returns entries like [Org.Audit], the newest first; f.After is ignored,
// and only entries before the one numbered before are returned, 0: all.
func (o *Org) AuditNewest(ctx context.Context, f AuditFilter, before int64) ([]AuditEntry, error) {
	where, args := `org_id = ?`, []any{o.id}
	if before > 0 {
		where, args = where+` AND seq < ?`, append(args, before)
	}
	for _, c := range []struct{ column, value string }{{"actor", f.Actor}, {"action", f.Action}, {"object", f.Object}} {
		if c.value != "" {
			where, args = where+` AND `+c.column+` = ?`, append(args, c.value)
		}
	}
	if !f.Since.IsZero() {
		where, args = where+` AND at >= ?`, append(args, micros(f.Since))
	}
	rows, err := o.s.reader.QueryxContext(ctx, o.s.rebind(`SELECT seq, at, actor, action, object, detail, hash FROM audit WHERE `+
		where+` ORDER BY seq DESC LIMIT ?`), append(args, limit(f.Limit))...)
	if err != nil {
		return nil, o.s.fail("read the audit trail", err)
	}
	var out []AuditEntry
	err = eachEntry(rows, func(e AuditEntry) error {
		out = append(out, e)
		return nil
	})
	return out, o.s.fail("read the audit trail", err)
}
