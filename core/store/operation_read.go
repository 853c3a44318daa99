package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

// operationColumns are what scanOperation reads.
const operationColumns = `body, plan, seq, state, attempts, steps_done, maybe_applied, edited, next_attempt_at, fence, lane,
	created_at, updated_at, last_error, continuation, cause, failing_since, handed_at, handed_by, handed_note, trace, told_at`

func scanOperation(rows *sql.Rows) (OpRow, error) {
	var op OpRow
	var body, lastError string
	var lane plan.Lane
	var next, created, updated, failing, handedAt, told int64
	var handed Handed
	err := rows.Scan(&body, &op.Plan, &op.Seq, &op.State, &op.Attempts, &op.StepsDone, &op.MaybeApplied, &op.Edited, &next, &op.Fence, &lane,
		&created, &updated, &lastError, &op.Continuation, &op.FailsFor, &failing, &handedAt, &handed.By, &handed.Note, &op.Trace, &told)
	if err != nil {
		return op, err
	}
	op.Pending = op.State == OpUnknown && len(op.Continuation) > 0
	op.NextAttemptAt, op.CreatedAt, op.UpdatedAt = fromMicros(next), fromMicros(created), fromMicros(updated)
	op.FailingSince, op.ToldAt = fromMicros(failing), fromMicros(told)
	if handedAt > 0 {
		handed.At = fromMicros(handedAt)
		op.Handed = &handed
	}
	if lastError != "" {
		op.LastError = &connector.Error{}
		if err := decode(lastError, op.LastError); err != nil {
			return op, err
		}
	}
	err = decode(body, &op.Operation)
	op.Lane = lane
	return op, err
}

// operations runs a query for operationColumns; where is all that follows FROM.
func (o *Org) operations(ctx context.Context, db queryer, where string, args ...any) ([]OpRow, error) {
	rows, err := db.QueryContext(ctx, o.s.rebind(`SELECT `+operationColumns+` FROM operation `+where), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []OpRow
	for rows.Next() {
		op, err := scanOperation(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, op)
	}
	return out, rows.Err()
}

// Operation returns the operation whose id begins with idPrefix, with all its
// attempts, oldest first: [ErrNotFound], [ErrAmbiguous].
func (o *Org) Operation(ctx context.Context, idPrefix string) (OpRow, []Attempt, error) {
	op, err := o.operation(ctx, o.s.reader, idPrefix, "")
	if err != nil {
		return op, nil, o.s.fail("read operation", err)
	}
	attempts, err := o.attempts(ctx, op.ID)
	return op, attempts, o.s.fail("read attempts", err)
}

func (o *Org) operation(ctx context.Context, db queryer, prefix, lock string) (OpRow, error) {
	prefix = strings.ToLower(prefix)
	if prefix == "" {
		return OpRow{}, refuse(ErrNotFound, "no operation id given")
	}
	ops, err := o.operations(ctx, db, `WHERE org_id = ? AND id >= ? AND id < ? ORDER BY id LIMIT 2`+lock, o.id, prefix, after(prefix))
	switch {
	case err != nil:
		return OpRow{}, err
	case len(ops) == 0:
		return OpRow{}, refuse(ErrNotFound, "there is no operation %s; `provhub ops list --all` shows them", prefix)
	case len(ops) > 1 && ops[0].ID != prefix:
		return OpRow{}, refuse(ErrAmbiguous, "%s fits several operations; give more characters", prefix)
	}
	return ops[0], nil
}

func (o *Org) attempts(ctx context.Context, id string) ([]Attempt, error) {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT n, started_at, took, outcome, class, code, answer
		FROM attempt WHERE org_id = ? AND operation = ? ORDER BY n`), o.id, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Attempt
	for rows.Next() {
		var a Attempt
		var started, took int64
		if err := rows.Scan(&a.N, &started, &took, &a.Outcome, &a.Class, &a.Code, &a.Answer); err != nil {
			return nil, err
		}
		a.StartedAt, a.Took = fromMicros(started), time.Duration(took)*time.Microsecond
		out = append(out, a)
	}
	return out, rows.Err()
}

// OperationCounts counts the operations of applied plans by connector and state.
func (o *Org) OperationCounts(ctx context.Context) (map[string]map[OpState]int, error) {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT connector, state, COUNT(*) FROM operation
		WHERE org_id = ? AND state <> 'planned' GROUP BY connector, state`), o.id)
	if err != nil {
		return nil, o.s.fail("count operations", err)
	}
	defer rows.Close()
	counts := map[string]map[OpState]int{}
	for rows.Next() {
		var name string
		var state OpState
		var n int
		if err := rows.Scan(&name, &state, &n); err != nil {
			return nil, o.s.fail("count operations", err)
		}
		if counts[name] == nil {
			counts[name] = map[OpState]int{}
		}
		counts[name][state] = n
	}
	return counts, o.s.fail("count operations", rows.Err())
}

// NextDue returns when the next operation of connector can be leased, and how
// many are open. A time in the past means now; the zero time that none will be
// until a lease ends or a person acts.
func (o *Org) NextDue(ctx context.Context, name string) (at time.Time, open int, err error) {
	var rows []struct {
		State OpState
		Open  int
		Due   int64
		Free  int
	}
	err = o.all(ctx, &rows, `SELECT state, COUNT(*) AS open, MIN(next_attempt_at) AS due, SUM(CASE WHEN lease_until = 0 THEN 1 ELSE 0 END) AS free
		FROM operation WHERE org_id = ? AND connector = ? AND state IN `+openStates+` GROUP BY state`, o.id, name)
	if err != nil {
		return time.Time{}, 0, o.s.fail("read the queue", err)
	}
	for _, r := range rows {
		open += r.Open
		due := fromMicros(max(r.Due, 1))
		if r.State == OpReady || r.State == OpRetry || r.State == OpUnknown && r.Free > 0 {
			if at.IsZero() || due.Before(at) {
				at = due
			}
		}
	}
	return at, open, nil
}

// ConnectorsOf returns the connectors of these operations, sorted.
func (o *Org) ConnectorsOf(ctx context.Context, ids []string) ([]string, error) {
	var out []string
	err := o.s.dialect.inChunks(ids, func(marks string, args []any) error {
		var names []string
		err := o.all(ctx, &names, `SELECT DISTINCT connector FROM operation WHERE org_id = ? AND id IN (`+marks+`)`, append([]any{o.id}, args...)...)
		out = append(out, names...)
		return err
	})
	slices.Sort(out)
	return slices.Compact(out), o.s.fail("read operations", err)
}
