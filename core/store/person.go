package store

import (
	"context"
	"slices"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// RetryOperation is [Org.RetryOperations] of one operation, by the beginning of its
// id. [ErrState] when it cannot be tried again.
func (o *Org) RetryOperation(ctx context.Context, id, by string, now time.Time) error {
	return o.mendOne(ctx, id, Press{By: by, Now: now}, o.RetryOperations)
}

// SkipOperation is [Org.SkipOperations] of one operation, by the beginning of its id.
// [ErrState] when it may have reached the target or is finished.
func (o *Org) SkipOperation(ctx context.Context, id, by, reason string, now time.Time) error {
	return o.mendOne(ctx, id, Press{By: by, Why: reason, Now: now}, o.SkipOperations)
}

func (o *Org) mendOne(ctx context.Context, id string, p Press, mend func(context.Context, []string, Press) (Mended, error)) error {
	op, err := o.operation(ctx, o.s.reader, id, "")
	if err != nil {
		return o.s.fail("read operation", err)
	}
	m, err := mend(ctx, []string{op.ID}, p)
	if err == nil && len(m.Refused) > 0 {
		err = refuse(ErrState, "%s", m.Refused[0].Why)
	}
	return err
}

// EditOperation replaces the changes of a parked operation and makes it ready, in
// a person's name. [ErrState] when it is not parked.
func (o *Org) EditOperation(ctx context.Context, id, by string, changes []plan.Change, now time.Time) error {
	return o.byPerson(ctx, "operation.edit", id, by, "", now, []OpState{OpParked}, func(t *tx, op OpRow) error {
		op.Changes = changes
		body, err := encode(op.Operation)
		if err != nil {
			return err
		}
		return o.setOpen(t, op.ID, `state = 'ready', attempts = 0, next_attempt_at = 0, steps_done = 0, edited = edited + 1, body = ?`, now, body)
	})
}

// Postpone keeps operations that were not sent from going out before until: a plan
// that a guard holds has another end for their accounts. Whoever retries one sends
// it at once.
func (o *Org) Postpone(ctx context.Context, ids []string, until, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return o.write(ctx, "postpone", func(t *tx) error {
		return o.s.dialect.inChunks(ids, func(marks string, args []any) error {
			_, err := t.exec(`UPDATE operation SET state = 'retry', next_attempt_at = ?, updated_at = ?
				WHERE org_id = ? AND state IN ('ready', 'retry') AND continuation IS NULL AND next_attempt_at < ? AND id IN (`+marks+`)`,
				append([]any{micros(until), micros(now), o.id, micros(until)}, args...)...)
			return err
		})
	})
}

// byPerson changes one operation that is in one of the given states, and writes
// who did it.
func (o *Org) byPerson(ctx context.Context, action, id, by, reason string, now time.Time, from []OpState, change func(*tx, OpRow) error) error {
	if by == "" {
		return refuse(ErrState, "%s needs the name of who does it", action)
	}
	return o.write(ctx, action, func(t *tx) error {
		op, err := o.operation(ctx, t, id, t.s.dialect.forUpdate)
		if err != nil {
			return err
		}
		if !slices.Contains(from, op.State) {
			return refuse(ErrState, "operation %.8s is %s; only one that is %s can be changed like that", op.ID, op.State, oneOf(from))
		}
		if op.Continuation != nil {
			return refuse(ErrState, "operation %.8s waits for work the target has accepted; nothing else may go out before it answers", op.ID)
		}
		if err := change(t, op); err != nil {
			return err
		}
		detail := operationDetail(op.Operation)
		if reason != "" {
			detail["why"] = reason
		}
		return t.audit(o.id, entry(now, by, action, objectOf(op.AccountKey), detail))
	})
}

func oneOf(states []OpState) string {
	text := string(states[0])
	for i, s := range states[1:] {
		if i == len(states)-2 {
			text += " or " + string(s)
		} else {
			text += ", " + string(s)
		}
	}
	return text
}

func (o *Org) setOpen(t *tx, id, set string, now time.Time, args ...any) error {
	_, err := t.exec(`UPDATE operation SET `+set+`, updated_at = ? WHERE org_id = ? AND id = ?`, append(args, micros(now), o.id, id)...)
	return err
}
