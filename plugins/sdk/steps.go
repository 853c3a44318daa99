package sdk

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// runSteps carries out the operations of u one after the other. When the object
// they are about could not be made or renamed, the rest is not attempted: it
// might find another person's object under the same name.
func (e *engine) runSteps(ctx context.Context, c *call, u *unit, o *opened) {
	var found located
	for i, op := range u.ops {
		if !e.step(c, u, i) {
			return
		}
		if ctx.Err() != nil {
			e.answer(u, i, notAttempted(op, errCancelledBefore))
			continue
		}
		if found.lost {
			e.answer(u, i, notAttempted(op, errStepFailed))
			continue
		}
		op = found.in(op)
		r := e.attempt(u.trace(i).in(ctx), c, i, o, op)
		found.learn(op, r)
		e.answer(u, i, r)
	}
}

// step notes that operation i of u is next; false when the call is overdue and
// everything is answered already.
func (e *engine) step(c *call, u *unit, i int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !c.over {
		u.step = i
	}
	return !c.over
}

func (e *engine) answer(u *unit, i int, r connector.Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.close(u, i, r)
}

// attempt makes one call for one operation, within its time limit.
func (e *engine) attempt(ctx context.Context, c *call, step int, o *opened, op connector.Operation) connector.Result {
	limit := e.timeoutOf(op)
	ctx, cancel := context.WithTimeout(connector.WithCall(ctx, op.Meta()), limit)
	defer cancel()
	late := time.AfterFunc(limit+answerGrace, func() { e.overrun(c, step, errTimeout) })
	defer late.Stop()
	secrets := secretsOf(op)
	e.in.red.Hold(secrets...)
	defer e.in.red.Release(secrets...)

	started := time.Now()
	var r connector.Result
	err := guard(ctx, e.in.log, string(op.Verb()), func() error {
		if op.Meta().DryRun {
			r = preview(ctx, o.target, op)
		} else {
			r = perform(ctx, o.target, op)
		}
		return nil
	})
	if err != nil {
		r = connector.ResultOf(op.Meta().ID, connector.Ref{}, err)
	}
	return e.checked(ctx, op, r, started)
}

// checked holds a connector's answer against the contract.
func (e *engine) checked(ctx context.Context, op connector.Operation, r connector.Result, started time.Time) connector.Result {
	_, isDelete := op.(connector.Delete)
	_, isCreate := op.(connector.Create)
	switch {
	case isDelete && r.Outcome == connector.OutcomeFailed && r.Err != nil && r.Err.Code == connector.CodeNotFound:
		r = connector.Result{ID: r.ID, Outcome: connector.OutcomeUnchanged}
	case isCreate && (r.Outcome == connector.OutcomeApplied || r.Outcome == connector.OutcomeAdopted) && (r.Object == nil || r.Object.Ref.ID == ""):
		r = connector.Result{ID: r.ID, Outcome: connector.OutcomeUnknown,
			Err: connector.Errorf(connector.CodeInternal, "the connector made the object and did not say its id")}
	case r.Outcome == connector.OutcomeUnknown && r.Err != nil && r.Err.Code == connector.CodeInternal && errors.Is(ctx.Err(), context.DeadlineExceeded):
		// The library under the connector hid the time-out behind an error of its own.
		late := *errTimeout
		late.Detail = r.Err.Message
		r.Err = &late
	}
	if r.Took == 0 {
		r.Took = time.Since(started)
	}
	r.Err, r.Preview = e.in.red.Error(r.Err), e.in.red.Text(r.Preview)
	return r
}

// preview asks what op would do.
func preview(ctx context.Context, t connector.Target, op connector.Operation) connector.Result {
	id := op.Meta().ID
	p, ok := t.(connector.Planner)
	if !ok {
		return unsupported(id, "this connector cannot say beforehand what it would do")
	}
	text, err := p.Preview(ctx, op)
	if err != nil {
		// Nothing was sent, whatever went wrong.
		return connector.Result{ID: id, Outcome: connector.OutcomeFailed, Err: connector.AsError(err)}
	}
	return connector.Result{ID: id, Outcome: connector.OutcomeWouldApply, Preview: text}
}

func unsupported(id, message string) connector.Result {
	return connector.Result{ID: id, Outcome: connector.OutcomeFailed, Err: connector.Errorf(connector.CodeUnsupported, "%s", message)}
}

// secretsOf returns the secrets that travel in op.
func secretsOf(op connector.Operation) (ss []connector.Secret) {
	add := func(vs connector.Values) {
		for _, v := range vs {
			if s, ok := v.(connector.Secret); ok {
				ss = append(ss, s)
			}
		}
	}
	switch o := op.(type) {
	case connector.Create:
		if !o.Credential.IsZero() {
			ss = append(ss, o.Credential)
		}
		for _, a := range o.Attributes {
			add(a.Values)
		}
	case connector.Update:
		for _, c := range o.Changes {
			add(c.Replace)
			add(c.Add)
			add(c.Remove)
		}
	case connector.SetCredential:
		ss = append(ss, o.Credential)
	case connector.Grant:
		for _, a := range o.Attributes {
			add(a.Values)
		}
	}
	return ss
}
