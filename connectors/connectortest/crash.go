package connectortest

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
)

func lostReply(ctx context.Context, e *Env) error {
	if e.Target.Faults[LostReply] == nil {
		return e.everyReplyLost(ctx)
	}
	lossy, err := e.withFault(ctx, LostReply)
	if err != nil {
		return err
	}
	t, c, err := e.newcomer(ctx, lossy)
	if err != nil {
		return err
	}
	r, err := lossy.one(ctx, c)
	if err != nil {
		return err
	}
	if err := outcome(c, r, connector.OutcomeUnknown); err != nil {
		return fmt.Errorf("with the reply lost: %w", err)
	}
	if _, err := e.read(ctx, connector.Ref{Type: t.Name, By: c.Correlate}); err != nil {
		return fmt.Errorf("the fault %s is meant to let the create take effect: %w", LostReply, err)
	}
	if err := e.resend(ctx, c); err != nil {
		return err
	}
	return e.justOne(ctx, t, c)
}

// resend sends a create again that may have taken effect.
func (e *Env) resend(ctx context.Context, c connector.Create) error {
	c.MaybeApplied = true
	c.Attempt++
	r, err := e.one(ctx, c)
	if err != nil {
		return err
	}
	if err := outcome(c, r, connector.OutcomeAdopted, connector.OutcomeUnchanged, connector.OutcomeApplied); err != nil {
		return fmt.Errorf("sent again with maybe_applied: %w", err)
	}
	if r.Object == nil || r.Object.Ref.ID == "" {
		return fmt.Errorf("sent again with maybe_applied: the result has no id")
	}
	return nil
}

func (e *Env) justOne(ctx context.Context, t connector.ObjectType, c connector.Create) error {
	if c.Correlate.IsZero() {
		return nil
	}
	n, err := e.count(ctx, t.Name, c.Correlate)
	if err == nil && n != 1 {
		err = fmt.Errorf("there are %d objects with %s %q, want one", n, c.Correlate.Attribute, c.Correlate.Value)
	}
	return err
}

func killed(ctx context.Context, e *Env) error {
	if !e.Target.Durable {
		return skip("the objects do not outlive the plugin's process")
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	for n := e.scaled(300); ; n *= 2 {
		// On a busy machine all answers may come before the kill.
		unanswered, err := e.killAmid(ctx, t, n)
		if err != nil || unanswered > 0 {
			return err
		}
		if n > 1000 {
			return skip("the plugin answered everything before it was killed; give a config with the fault %s", Slow)
		}
	}
}

// killAmid kills the plugin while it works on n creates, and sends another process
// those that were not answered.
func (e *Env) killAmid(ctx context.Context, t connector.ObjectType, n int) (unanswered int, err error) {
	var creates []connector.Create
	var ops []connector.Operation
	for range n {
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return 0, err
		}
		if c.Correlate.IsZero() {
			return 0, skip("objects of type %s cannot be found again: no correlation attribute", t.Name)
		}
		creates, ops = append(creates, c), append(ops, c)
	}
	worker, err := e.slowed(ctx)
	if err != nil {
		return 0, err
	}
	s, err := worker.apply(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.send(ops...); err != nil {
		return 0, err
	}
	if _, err := s.wait(ctx, ops[len(ops)/4].Meta().ID); err != nil {
		return 0, err
	}
	if err := e.restart(ctx); err != nil {
		return 0, err
	}
	<-s.ended
	for _, c := range creates {
		if len(s.answered([]string{c.ID})) > 0 {
			continue
		}
		unanswered++
		if err := e.resend(ctx, c); err != nil {
			return 0, err
		}
	}
	return unanswered, e.allOnce(ctx, t, creates)
}

// allOnce checks that each create made exactly one object.
func (e *Env) allOnce(ctx context.Context, t connector.ObjectType, creates []connector.Create) error {
	for _, c := range creates {
		obj, err := e.read(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
		if err != nil {
			return fmt.Errorf("%s: %w", c.Correlate.Value, err)
		}
		e.made = append(e.made, connector.Ref{Type: t.Name, ID: obj.Ref.ID})
	}
	if !e.Caps.List {
		return nil
	}
	all, _, err := e.list(ctx, connector.ListQuery{Type: t.Name})
	if err != nil {
		return err
	}
	a, _ := t.Attr(creates[0].Correlate.Attribute)
	for _, c := range creates {
		n := 0
		for _, o := range all {
			if same(a, connector.Values{c.Correlate.Value}, o.Attributes.Get(a.Name)) {
				n++
			}
		}
		if n != 1 {
			return fmt.Errorf("%d objects with %s %q, want one", n, a.Name, c.Correlate.Value)
		}
	}
	return nil
}
