package store

import (
	"context"
	"time"
)

// Waits counts the open operations of one connector that wait for something else
// than their turn. The times say when the first of each is looked at again.
type Waits struct {
	// Pending were accepted by the target and are not finished: it is asked again at
	// PendingAt.
	Pending   int
	PendingAt time.Time
	// Missing wait for something that is not in the target yet: an account, a group.
	// Seats wait for a seat or licence.
	Missing, Seats int
	// RetryAt is when the first retry is due, whatever it waits for.
	RetryAt time.Time
}

// Waits returns what the open operations wait for, by connector.
func (o *Org) Waits(ctx context.Context) (map[string]Waits, error) {
	var rows []struct {
		Connector string
		State     OpState
		Why       string
		N         int
		Due       int64
	}
	err := o.all(ctx, &rows, `SELECT connector, state, why, COUNT(*) AS n, MIN(next_attempt_at) AS due FROM (
			SELECT connector, state, next_attempt_at, CASE WHEN state = 'retry' THEN code WHEN length(continuation) > 0 THEN 'pending' ELSE '' END AS why
			FROM operation`+o.s.by("operation_list")+` WHERE org_id = ? AND state IN ('retry', 'unknown')) w
		GROUP BY connector, state, why`, o.id)
	if err != nil {
		return nil, o.s.fail("count what operations wait for", err)
	}
	out := map[string]Waits{}
	for _, r := range rows {
		w := out[r.Connector]
		due := fromMicros(max(r.Due, 1))
		switch {
		case r.Why == "pending":
			w.Pending, w.PendingAt = r.N, due
		case r.Why == "DEPENDENCY_MISSING":
			w.Missing = r.N
		case r.Why == "QUOTA":
			w.Seats = r.N
		}
		if r.State == OpRetry && (w.RetryAt.IsZero() || due.Before(w.RetryAt)) {
			w.RetryAt = due
		}
		out[r.Connector] = w
	}
	return out, nil
}
