package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

var streamChecks = []Check{
	{ID: "F1", Title: "a thousand mixed operations are answered exactly once each", Func: everyAnswerOnce, Limit: heavyLimit},
	{ID: "F2", Title: "one ordering key is worked off in order, under load", Func: inOrder},
	{ID: "F3", Title: "different keys run in parallel, up to max_in_flight", Func: parallel},
	{ID: "F4", Title: "one bad operation spoils no other; a group goes whole or not at all", Func: oneBad},
	{ID: "F5", Title: "time limit and cancel are obeyed, and the stream stays usable", Func: timeLimit},
	{ID: "F6", Title: "after a half-close everything is answered, then the stream ends", Func: halfClosed},
	{ID: "F7", Title: "a dry run changes nothing", Func: dryRun},
}

// creatable returns the first object type that can be created, an account if
// there is one.
func (e *Env) creatable() (connector.ObjectType, error) {
	types, err := e.types(connector.VerbCreate)
	if err != nil {
		return connector.ObjectType{}, err
	}
	if i := slices.IndexFunc(types, func(t connector.ObjectType) bool { return t.Kind == connector.KindAccount }); i > 0 {
		return types[i], nil
	}
	return types[0], nil
}

// life makes the operations of one object's life, in order, with one ordering
// key. The object's id is not known yet: it is named by its unique attribute.
func (e *Env) life(ctx context.Context, t connector.ObjectType) ([]connector.Operation, error) {
	c, err := e.creation(ctx, t, false)
	if err != nil {
		return nil, err
	}
	if c.Correlate.IsZero() {
		return []connector.Operation{c}, nil
	}
	ref := connector.Ref{Type: t.Name, By: c.Correlate}
	next := func() connector.Call {
		call := e.call()
		call.OrderingKey = c.OrderingKey
		return call
	}
	ops := []connector.Operation{c}
	if a, ok := e.updatable(t); ok && e.can(t.Name, connector.VerbUpdate) {
		fresh, ok, err := e.replacement(ctx, t, a, c.Attributes.Get(a.Name))
		if err != nil {
			return nil, err
		}
		if ok {
			ops = append(ops, connector.Update{Call: next(), Target: ref, Changes: []connector.Change{{Name: a.Name, Replace: fresh}}})
		}
	}
	if e.can(t.Name, connector.VerbDisable) {
		ops = append(ops, connector.SetEnabled{Call: next(), Target: ref})
	}
	if e.can(t.Name, connector.VerbDelete) {
		ops = append(ops, connector.Delete{Call: next(), Target: ref})
	}
	return ops, nil
}

func everyAnswerOnce(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	var ops []connector.Operation
	for len(ops) < e.scaled(1000) {
		life, err := e.life(ctx, t)
		if err != nil {
			return err
		}
		ops = append(ops, life...)
	}
	results, err := e.do(ctx, ops...)
	if err != nil {
		return err
	}
	for i, r := range results {
		if err := done(ops[i], r); err != nil {
			return err
		}
	}
	if extra := e.stream.surplus(); len(extra) > 0 {
		return fmt.Errorf("%d answers that nobody waits for: the first is to %q", len(extra), extra[0])
	}
	return nil
}

func inOrder(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	var lives [][]connector.Operation
	longest := 0
	for range e.scaled(60) {
		life, err := e.life(ctx, t)
		if err != nil {
			return err
		}
		if len(life) < 2 {
			return skip("objects of type %s can only be created, or not be named before they exist", t.Name)
		}
		lives, longest = append(lives, life), max(longest, len(life))
	}
	var ops []connector.Operation
	for step := range longest {
		for _, life := range lives {
			if step < len(life) {
				ops = append(ops, life[step])
			}
		}
	}
	results, err := e.do(ctx, ops...)
	if err != nil {
		return err
	}
	for i, r := range results {
		if err := outcome(ops[i], r, connector.OutcomeApplied); err != nil {
			return fmt.Errorf("out of order? %w", err)
		}
	}
	for _, life := range lives {
		var ids []string
		for _, op := range life {
			ids = append(ids, op.Meta().ID)
		}
		if got := e.stream.answered(ids); !slices.Equal(got, ids) {
			return fmt.Errorf("one ordering key was answered in the order %v, sent in the order %v", got, ids)
		}
	}
	return nil
}

func halfClosed(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	s, err := openStream(ctx, e.run.rpc(), e.instance)
	if err != nil {
		return err
	}
	defer s.close()
	ops, err := e.creations(ctx, t, 50)
	if err != nil {
		return err
	}
	if err := s.send(ops...); err != nil {
		return err
	}
	if err := s.halfClose(time.Minute); err != nil {
		return err
	}
	return e.allDone(ctx, s, ops)
}

func dryRun(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	c, err := e.creation(ctx, t, true)
	if err != nil {
		return err
	}
	c.DryRun = true
	r, err := e.one(ctx, c)
	if err != nil {
		return err
	}
	if !e.Caps.DryRun {
		err = failed(c, r, connector.CodeUnsupported)
	} else if err = outcome(c, r, connector.OutcomeWouldApply); err == nil && r.Preview == "" {
		err = errors.New("the dry run does not say what would be done")
	}
	if err != nil || c.Correlate.IsZero() {
		return err
	}
	return e.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
}
