package store

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Finish records what became of operations: each one's new state, the attempt,
// the account with its grants, and the audit entry, all in one transaction. It
// returns the ids of those whose lease was lost; nothing was written for them.
func (o *Org) Finish(ctx context.Context, fs []Finish) (fenced []string, err error) {
	if len(fs) == 0 {
		return nil, nil
	}
	for i := range fs {
		if err := fs[i].check(); err != nil {
			return nil, err
		}
	}
	accounts := 0
	err = o.write(ctx, "finish", func(t *tx) error {
		b, err := o.finishing(t, fs)
		if err != nil {
			return err
		}
		fenced = b.fenced
		for _, step := range []func() error{b.refuseOwned, b.writeOperations, b.writeAttempts, b.writeAccounts, b.writeRelinks, b.writeNames, b.writeReplans, b.writeAudit} {
			if err := step(); err != nil {
				return err
			}
		}
		accounts = len(b.accounts)
		return nil
	})
	if err != nil {
		return nil, err
	}
	o.s.grew(ctx, accounts)
	return fenced, nil
}

// check refuses what can only be a mistake of the caller.
func (f *Finish) check() error {
	switch f.State {
	case OpDone, OpRetry, OpUnknown, OpParked, OpReady:
	case OpSuperseded:
		if !f.Replan {
			return fmt.Errorf("operation %s: superseded by whom? a worker may only ask for a new plan", f.ID)
		}
	default:
		return fmt.Errorf("operation %s: a worker cannot make it %s", f.ID, f.State)
	}
	if f.State == OpRetry && f.NextAttemptAt.IsZero() {
		return fmt.Errorf("operation %s: a retry needs the time of the next attempt", f.ID)
	}
	return nil
}

// finishedOp is what the queue knows of an operation that is being finished.
type finishedOp struct {
	ID, Source, Connector, Kind, Anchor, Op, Plan string
	Attempts, Tries                               int
	Cause                                         string
	FailingSince                                  int64 `db:"failing_since"`
}

// batch is the finishing of several operations.
type batch struct {
	t      *tx
	org    string
	fs     []Finish
	ops    map[string]finishedOp
	fenced []string
	// accounts are those of fs that have one.
	accounts []finishedAccount
}

// finishing locks the operations and leaves out those whose lease was lost. Twice
// the same one in a batch is the second time a lost lease.
func (o *Org) finishing(t *tx, fs []Finish) (*batch, error) {
	b := &batch{t: t, org: o.id, ops: map[string]finishedOp{}}
	err := t.s.dialect.eachChunk(len(fs), 2, func(from, to int) error {
		var args []any
		for _, f := range fs[from:to] {
			args = append(args, f.ID, f.Fence)
		}
		var ops []finishedOp
		err := t.all(&ops, `WITH v(id, fence) AS (`+values(to-from, "TEXT", "BIGINT")+`)
			SELECT o.id, o.source, o.connector, o.kind, o.anchor, o.op, o.plan, o.attempts, o.tries, o.cause, o.failing_since FROM v CROSS JOIN operation o
			WHERE o.org_id = ? AND o.id = v.id AND o.fence = v.fence AND o.lease_until > 0 AND o.state IN ('leased', 'sent', 'unknown')`+t.s.dialect.lock("o"), append(args, o.id)...)
		for _, op := range ops {
			b.ops[op.ID] = op
		}
		return err
	})
	taken := map[string]bool{}
	for _, f := range fs {
		if _, ok := b.ops[f.ID]; ok && !taken[f.ID] {
			taken[f.ID] = true
			b.fs = append(b.fs, f)
		} else {
			b.fenced = append(b.fenced, f.ID)
		}
	}
	if err != nil {
		return nil, err
	}
	return b, b.readOperations()
}

// readOperations sets Operation where the worker did not give it.
func (b *batch) readOperations() error {
	var missing []string
	for _, f := range b.fs {
		if f.Operation == nil {
			missing = append(missing, f.ID)
		}
	}
	bodies := map[string]*plan.Operation{}
	err := b.t.s.dialect.inChunks(missing, func(marks string, args []any) error {
		var rows []struct{ ID, Body string }
		if err := b.t.all(&rows, `SELECT id, body FROM operation WHERE org_id = ? AND id IN (`+marks+`)`, append([]any{b.org}, args...)...); err != nil {
			return err
		}
		for _, r := range rows {
			bodies[r.ID] = &plan.Operation{}
			if err := decode(r.Body, bodies[r.ID]); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range b.fs {
		if b.fs[i].Operation == nil {
			b.fs[i].Operation = bodies[b.fs[i].ID]
		}
	}
	return err
}

func (b *batch) writeOperations() error {
	const columns = `id, state, attempts, tries, steps_done, maybe_applied, next_attempt_at, updated_at, code, last_error, continuation, cause, failing_since`
	rows := make([][]any, len(b.fs))
	for i, f := range b.fs {
		op := b.ops[f.ID]
		if f.CountAttempt {
			op.Attempts++
		}
		if f.Attempt != nil {
			op.Tries++
		}
		var next int64
		if f.State == OpRetry || f.State == OpUnknown {
			next = micros(f.NextAttemptAt)
		}
		b.ops[f.ID] = op
		var code, lastError, cause string
		var since int64
		if f.Err != nil && f.State != OpDone {
			var err error
			if lastError, err = encode(f.Err); err != nil {
				return err
			}
			code, cause, since = f.Err.Code.String(), causeKey(f.Operation, f.Err), micros(f.Now)
			if cause == op.Cause && op.FailingSince > 0 {
				since = op.FailingSince // it fails for the same thing as before
			}
		}
		rows[i] = []any{f.ID, string(f.State), op.Attempts, op.Tries, f.StepsDone, flag(f.MaybeApplied), next,
			micros(f.Now), code, lastError, f.Continuation, cause, since}
	}
	return b.t.update(`operation`, columns, []string{"TEXT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "TEXT", b.t.s.dialect.bytes, "TEXT", "BIGINT"},
		rows, `, lease_owner = '', lease_until = 0`, `operation.org_id = ? AND operation.id = v.id`, b.org)
}

func (b *batch) writeReplans() error {
	var rows [][]any
	for _, f := range b.fs {
		if op := b.ops[f.ID]; f.Replan {
			rows = append(rows, []any{b.org, op.Source, op.Connector, op.Kind, op.Anchor})
		}
	}
	return b.t.markReplan(b.org, rows)
}

// accountKey is the key of the account an operation is about.
func (op finishedOp) accountKey() identity.AccountKey {
	return identity.AccountKey{Source: op.Source, Connector: op.Connector, Kind: identity.Kind(op.Kind), Anchor: op.Anchor}
}
