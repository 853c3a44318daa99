package store

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// DueConnectors returns those of the named connectors that have an operation to send
// or to look up now, and are neither stopped nor paused nor to be left alone.
func (o *Org) DueConnectors(ctx context.Context, names []string, now time.Time) ([]string, error) {
	var due []string
	err := o.s.dialect.eachChunk(len(names), 1, func(from, to int) error {
		var args []any
		for _, n := range names[from:to] {
			args = append(args, n)
		}
		at := micros(now)
		var found []string
		err := o.all(ctx, &found, `WITH v(connector) AS (`+values(to-from, "TEXT")+`)
			SELECT v.connector FROM v LEFT JOIN connector_state s ON s.org_id = ? AND s.connector = v.connector
			WHERE COALESCE(s.stopped, '') = '' AND COALESCE(s.paused_by, '') = '' AND COALESCE(s.other_target, '') = '' AND COALESCE(s.resume_at, 0) <= ?
				AND (COALESCE(s.quarantined, '') = '' OR s.probe_at <= ?) AND NOT EXISTS (SELECT 1 FROM org_state e WHERE e.org_id = ? AND e.stopped <> '') AND (
				EXISTS (SELECT 1 FROM operation o WHERE o.org_id = ? AND o.connector = v.connector AND o.state = 'ready')
				OR EXISTS (SELECT 1 FROM operation o WHERE o.org_id = ? AND o.connector = v.connector AND o.state = 'retry' AND o.lane IN (`+lanesBefore(plan.LaneNormal+1)+`) AND o.next_attempt_at <= ?)
				OR EXISTS (SELECT 1 FROM operation o WHERE o.org_id = ? AND o.connector = v.connector AND o.state = 'unknown' AND o.lane IN (`+lanesBefore(plan.LaneNormal+1)+`) AND o.next_attempt_at <= ? AND o.lease_until <= ?))`,
			append(args, o.id, at, at, o.id, o.id, o.id, at, o.id, at, at)...)
		due = append(due, found...)
		return err
	})
	return due, o.s.fail("look for work", err)
}

// Outstanding reports whether the next plan of source has something to look at which no
// reading brings: an account that was not as we thought and has nothing in doubt, or
// a person whose date has come.
func (o *Org) Outstanding(ctx context.Context, source string, now time.Time) (bool, error) {
	var n int
	err := o.get(ctx, &n, `SELECT CASE WHEN
			EXISTS (SELECT 1 FROM identity WHERE org_id = ? AND source = ? AND due_at > 0 AND due_at <= ?)
			OR EXISTS (SELECT 1 FROM replan r JOIN identity i ON i.org_id = r.org_id AND i.source = ? AND i.kind = r.kind AND i.anchor = r.anchor
				WHERE r.org_id = ? AND r.generation > (SELECT COALESCE(MAX(applied_generation), 0) FROM source_state WHERE org_id = ? AND source = ?)
				AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.org_id = r.org_id AND o.kind = r.kind AND o.anchor = r.anchor
					AND o.connector = r.connector AND o.state IN `+openStates+` AND `+inDoubt+`))
		THEN 1 ELSE 0 END`, o.id, source, micros(now), source, o.id, o.id, source)
	return n > 0, o.s.fail("look for what is to be planned", err)
}

// HeldPlan returns the hash of the newest plan of source that is held; "": there is none.
func (o *Org) HeldPlan(ctx context.Context, source string) (hash string, err error) {
	err = o.get(ctx, &hash, `SELECT hash FROM plan WHERE org_id = ? AND source = ? AND status = 'held' ORDER BY created_at DESC LIMIT 1`, o.id, source)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return hash, o.s.fail("look for a held plan", err)
}

// ApprovedPlans returns the plans that were approved and are not applied.
func (o *Org) ApprovedPlans(ctx context.Context) ([]PlanRow, error) {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT `+planColumns+` FROM plan WHERE org_id = ? AND status = 'approved'`), o.id)
	if err != nil {
		return nil, o.s.fail("read plans", err)
	}
	return o.planRows(rows)
}
