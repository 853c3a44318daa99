package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// call makes what every operation carries.
func (e *Env) call() connector.Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq++
	id := fmt.Sprintf("%s-%06d", e.prefix, e.seq)
	return connector.Call{ID: id, Key: id, Attempt: 1, Timeout: 20 * time.Second}
}

// apply opens the stream of the check's instance unless it is open.
func (e *Env) apply(ctx context.Context) (*stream, error) {
	if e.stream != nil {
		return e.stream, nil
	}
	s, err := openStream(context.WithoutCancel(ctx), e.run.rpc(), e.instance)
	e.stream = s
	return s, err
}

// do sends operations and waits for all answers, which it returns in the order
// of ops.
func (e *Env) do(ctx context.Context, ops ...connector.Operation) ([]connector.Result, error) {
	if len(ops) == 0 {
		return nil, nil
	}
	s, err := e.apply(ctx)
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(ops, 64) {
		if err := s.send(chunk...); err != nil {
			return nil, errors.Join(err, s.cause())
		}
	}
	results := make([]connector.Result, len(ops))
	for i, op := range ops {
		if results[i], err = s.wait(ctx, op.Meta().ID); err != nil {
			e.note(op, connector.Result{})
			return results, err
		}
		e.note(op, results[i])
		e.remember(op, results[i])
	}
	return results, nil
}

// one carries out one operation.
func (e *Env) one(ctx context.Context, op connector.Operation) (connector.Result, error) {
	rs, err := e.do(ctx, op)
	if err != nil {
		return connector.Result{}, err
	}
	return rs[0], nil
}

// must carries out one operation that has to succeed.
func (e *Env) must(ctx context.Context, op connector.Operation) (connector.Result, error) {
	r, err := e.one(ctx, op)
	if err != nil {
		return r, err
	}
	return r, done(op, r)
}

// allDone waits for the answers to ops, which were sent on s, and notes what there
// is to remove. All have to succeed.
func (e *Env) allDone(ctx context.Context, s *stream, ops []connector.Operation) error {
	for _, op := range ops {
		r, err := s.wait(ctx, op.Meta().ID)
		if err != nil {
			return err
		}
		e.remember(op, r)
		if err := done(op, r); err != nil {
			return err
		}
	}
	return nil
}

// remember notes what there is to remove.
func (e *Env) remember(op connector.Operation, r connector.Result) {
	if r.Object == nil || r.Object.Ref.ID == "" || !r.Outcome.Done() {
		return
	}
	ref := r.Object.Ref
	switch o := op.(type) {
	case connector.Create:
		ref.Type = o.Type
	case connector.Rename:
		ref.Type = o.Target.Type
	default:
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made = append(e.made, connector.Ref{Type: ref.Type, ID: ref.ID})
}

func describe(op connector.Operation) string {
	switch o := op.(type) {
	case connector.Create:
		return fmt.Sprintf("%s %s", o.Type, o.Correlate.Value)
	case connector.Update:
		return o.Target.String()
	case connector.SetEnabled:
		return o.Target.String()
	case connector.Delete:
		return o.Target.String()
	case connector.Grant:
		return fmt.Sprintf("%s to %s", o.Entitlement, o.Principal)
	case connector.Revoke:
		return fmt.Sprintf("%s from %s", o.Entitlement, o.Principal)
	case connector.SetCredential:
		return o.Target.String()
	case connector.Rename:
		return fmt.Sprintf("%s to %s", o.Target, o.NewName)
	}
	return ""
}
