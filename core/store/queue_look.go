package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// QueueLook is how long the open operations of one connector have been waiting.
type QueueLook struct {
	// Open counts the open operations by state.
	Open map[OpState]Count
	// Oldest is when the oldest operation of each lane was planned that waits for its turn;
	// lanes without any are left out.
	Oldest map[plan.Lane]time.Time
	// Failing is when the oldest operation was planned that is to be tried again because the
	// target refused it or was not there; zero: there is none.
	Failing time.Time
	// Leavers are open operations of the lanes of leavers, ParkedLeavers those of them that
	// wait for a person. The oldest of each was planned at LeaverSince, ParkedSince.
	Leavers, ParkedLeavers   Count
	LeaverSince, ParkedSince time.Time
}

const (
	// openMost bounds the operations of a connector in one state that are counted.
	openMost = 1_000_000
	// leaversMost does so for leavers, and eldestAmong those that the oldest is looked for among.
	leaversMost, eldestAmong = 1000, 20
)

// QueueLooks looks at the queue of each connector that has open operations. Where more
// than twenty leavers are on their way, or operations fail, the oldest is one of the
// oldest.
func (o *Org) QueueLooks(ctx context.Context) (map[string]*QueueLook, error) {
	counts, err := o.OpenCounts(ctx, openMost)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*QueueLook, len(counts))
	for name, open := range counts {
		q := &QueueLook{Open: open, Oldest: map[plan.Lane]time.Time{}}
		if err := o.lookAt(ctx, name, q); err != nil {
			return nil, o.s.fail("look at the queue of "+name, err)
		}
		out[name] = q
	}
	return out, nil
}

// lookAt finds the oldest operations of one connector.
func (o *Org) lookAt(ctx context.Context, name string, q *QueueLook) error {
	var rows []struct {
		State  OpState
		Lane   plan.Lane
		Oldest int64
		N      int
	}
	err := o.all(ctx, &rows, `SELECT state, lane, oldest, n FROM (SELECT s.state, s.lane,
			(SELECT COALESCE(MIN(created_at), 0) FROM (SELECT created_at FROM operation o WHERE o.org_id = ? AND o.connector = ? AND o.state = s.state AND o.lane = s.lane
				ORDER BY next_attempt_at, seq LIMIT ?) x) AS oldest,
			(SELECT COUNT(*) FROM (SELECT 1 FROM operation o WHERE o.org_id = ? AND o.connector = ? AND o.state = s.state AND o.lane = s.lane LIMIT ?) y) AS n
		FROM (`+looked()+`) s) q WHERE n > 0`,
		o.id, name, eldestAmong, o.id, name, leaversMost+1)
	if err != nil {
		return err
	}
	for _, r := range rows {
		at, n := fromMicros(r.Oldest), Count{min(r.N, leaversMost), r.N > leaversMost}
		if r.State == OpReady {
			q.Oldest[r.Lane] = at
		}
		switch {
		case !r.Lane.Leaver():
		case r.State == OpParked:
			q.ParkedLeavers, q.ParkedSince = q.ParkedLeavers.Add(n), earlier(q.ParkedSince, at)
		default:
			q.Leavers, q.LeaverSince = q.Leavers.Add(n), earlier(q.LeaverSince, at)
		}
	}
	var failing int64
	err = o.get(ctx, &failing, `SELECT COALESCE(MIN(created_at), 0) FROM (SELECT created_at FROM operation
		WHERE org_id = ? AND connector = ? AND state = 'retry' AND code NOT IN ('DEPENDENCY_MISSING', 'QUOTA', '') ORDER BY lane, next_attempt_at LIMIT ?) f`,
		o.id, name, eldestAmong)
	q.Failing = fromMicros(failing)
	return err
}

// looked are the states and lanes that are looked at: what waits for its turn, and
// leavers wherever they stand.
func looked() string {
	var pairs []string
	for _, lane := range plan.Lanes {
		for _, state := range OpenStates {
			if state == OpReady || lane.Leaver() {
				pairs = append(pairs, fmt.Sprintf("SELECT '%s' AS state, %d AS lane", state, lane))
			}
		}
	}
	return strings.Join(pairs, " UNION ALL ")
}

// earlier returns the earlier of two times; a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// LastDone returns when an operation of a connector was last recorded as done, among the
// thousand that were sent last; zero: none of them is.
func (o *Org) LastDone(ctx context.Context, connector string) (time.Time, error) {
	var at int64
	err := o.get(ctx, &at, `SELECT COALESCE(MAX(updated_at), 0) FROM (SELECT state, updated_at FROM operation
		WHERE org_id = ? AND connector = ? AND sent_at > 0 ORDER BY sent_at DESC LIMIT ?) r WHERE state = 'done'`, o.id, connector, oldestAmong)
	return fromMicros(at), o.s.fail("read when an operation of "+connector+" was last done", err)
}

// Size returns how many bytes the database takes, with all orgs that are in it.
func (o *Org) Size(ctx context.Context) (bytes int64, err error) {
	err = o.get(ctx, &bytes, o.s.dialect.size)
	return bytes, o.s.fail("read the size of the database", err)
}
