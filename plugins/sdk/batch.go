package sdk

import (
	"context"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// runBatch hands the units of a call to a [connector.Batcher], whole groups
// each, and holds it to answering every operation exactly once.
func (e *engine) runBatch(ctx context.Context, c *call, o *opened, b connector.Batcher) {
	ops := e.batchOf(c, o)
	if len(ops) == 0 {
		return
	}
	limit := time.Duration(0)
	for _, op := range ops {
		limit = max(limit, e.timeoutOf(op))
	}
	if len(c.units) == 1 && len(ops) == 1 {
		ctx = connector.WithCall(ctx, ops[0].Meta())
	}
	ctx, cancel := context.WithTimeout(c.trace().in(ctx), limit)
	defer cancel()
	late := time.AfterFunc(limit+answerGrace, func() { e.overrun(c, anyStep, errTimeout) })
	defer late.Stop()
	for _, op := range ops {
		secrets := secretsOf(op)
		e.in.red.Hold(secrets...)
		defer e.in.red.Release(secrets...)
	}

	started := time.Now()
	var results []connector.Result
	err := guard(ctx, e.in.log, "ApplyBatch", func() error {
		results = b.ApplyBatch(ctx, ops)
		return nil
	})
	answers := e.verified(ops, results, err)
	for _, op := range ops {
		id := op.Meta().ID
		answers[id] = e.checked(ctx, op, answers[id], started)
	}
	e.closeBatch(c, answers)
}

// closeBatch answers what was in the batch; the rest is answered already.
func (e *engine) closeBatch(c *call, answers map[string]connector.Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, u := range c.units {
		for i, op := range u.ops {
			if r, ok := answers[op.Meta().ID]; ok {
				e.close(u, i, r)
			}
		}
	}
}

// batchOf returns the operations of a call. A group with an operation that the
// connector does not do is answered here: it takes effect whole or not at all.
func (e *engine) batchOf(c *call, o *opened) (ops []connector.Operation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.batch = true
	for _, u := range c.units {
		if can(o.caps, u) {
			ops = append(ops, u.ops...)
			continue
		}
		for i, op := range u.ops {
			r := notAttempted(op, errStepFailed)
			if !o.caps.Can(op.Verb()) {
				r = unsupported(op.Meta().ID, "this connector does not do "+string(op.Verb()))
			}
			e.close(u, i, r)
		}
	}
	return ops
}

func can(caps connector.Capabilities, u *unit) bool {
	for _, op := range u.ops {
		if !caps.Can(op.Verb()) {
			return false
		}
	}
	return true
}

// verified returns the answer to each operation by id. Who was not answered, or
// more than once, has an unknown outcome.
func (e *engine) verified(ops []connector.Operation, results []connector.Result, err error) map[string]connector.Result {
	answers := make(map[string]connector.Result, len(ops))
	for _, op := range ops {
		unanswered := err
		if unanswered == nil {
			unanswered = errNoAnswer
		}
		answers[op.Meta().ID] = connector.ResultOf(op.Meta().ID, connector.Ref{}, unanswered)
	}
	if err != nil {
		return answers
	}
	seen := make(map[string]bool, len(results))
	for _, r := range results {
		switch _, asked := answers[r.ID]; {
		case !asked:
			e.in.log.Error("the connector answered an operation that was not in its batch", "operation_id", r.ID)
		case seen[r.ID]:
			answers[r.ID] = connector.ResultOf(r.ID, connector.Ref{}, errManyAnswers)
		default:
			seen[r.ID], answers[r.ID] = true, r
		}
	}
	return answers
}

// What a connector did wrong; the outcome is unknown.
var (
	errNoAnswer    = connector.Unknown(connector.Errorf(connector.CodeInternal, "the connector gave no answer to this operation of its batch"))
	errManyAnswers = connector.Unknown(connector.Errorf(connector.CodeInternal, "the connector answered this operation of its batch more than once"))
)
