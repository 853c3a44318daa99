package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// withinDrain leaves out what was planned for a connector after it began to be
// drained; its arguments are org and connector.
const withinDrain = ` AND seq < COALESCE((SELECT NULLIF(drain_seq, 0) FROM connector_state WHERE org_id = ? AND connector = ?), 9223372036854775807)`

// lanesBefore lists the lanes that go before lane, for an IN.
func lanesBefore(lane plan.Lane) string {
	var out []string
	for _, l := range plan.Lanes {
		if l < lane {
			out = append(out, strconv.Itoa(int(l)))
		}
	}
	return strings.Join(out, ", ")
}

// ReadyBefore reports whether an operation of connector can be leased that goes
// before those of lane. It is cheap enough to be asked several times a second.
func (o *Org) ReadyBefore(ctx context.Context, connector string, lane plan.Lane, now time.Time) (bool, error) {
	if lane <= plan.LaneUrgent {
		return false, nil
	}
	var found bool
	before := lanesBefore(lane)
	err := o.get(ctx, &found, `SELECT CASE WHEN EXISTS (
			SELECT 1 FROM operation WHERE org_id = ? AND connector = ? AND state = 'ready' AND lane IN (`+before+`)`+withinDrain+`)
		OR EXISTS (
			SELECT 1 FROM operation WHERE org_id = ? AND connector = ? AND state = 'retry' AND lane IN (`+before+`) AND next_attempt_at <= ?`+withinDrain+`)
		THEN 1 ELSE 0 END`, o.id, connector, o.id, connector, o.id, connector, micros(now), o.id, connector)
	return found, o.s.fail("look for what is urgent", err)
}

// DueAt returns when the next operation of connector can be taken; a time in the past
// means now, the zero time that none can until a lease ends, a plan is applied or a
// person acts. It looks at a few rows, however long the queue is.
func (o *Org) DueAt(ctx context.Context, connector string) (at time.Time, err error) {
	parts, args := o.dueParts(connector)
	var due int64
	err = o.get(ctx, &due, `SELECT COALESCE(MIN(due), 0) FROM (`+strings.Join(parts, ` UNION ALL `)+`) d`, args...)
	return fromMicros(due), o.s.fail("read the queue", err)
}

// dueParts selects the first of each group of operations that stands in order in an
// index.
func (o *Org) dueParts(connector string) (parts []string, args []any) {
	add := func(due, where, order string, more ...any) {
		parts = append(parts, `SELECT due FROM (SELECT `+due+` AS due FROM operation WHERE org_id = ? AND connector = ? AND `+where+` ORDER BY `+order+` LIMIT 1) q`+
			strconv.Itoa(len(parts)))
		args = append(append(args, o.id, connector), more...)
	}
	const first = `CASE WHEN next_attempt_at = 0 THEN 1 ELSE next_attempt_at END`
	add(`1`, `state = 'ready'`+withinDrain, `lane, next_attempt_at, seq`, o.id, connector)
	for _, l := range plan.Lanes {
		add(first, `state = 'retry' AND lane = `+strconv.Itoa(int(l))+withinDrain, `next_attempt_at, seq`, o.id, connector)
	}
	for _, which := range []string{`COALESCE(length(continuation), 0) = 0`, `length(continuation) > 0`} {
		add(first, `state = 'unknown' AND `+which+` AND lease_until = 0`, `next_attempt_at`)
	}
	return parts, args
}
