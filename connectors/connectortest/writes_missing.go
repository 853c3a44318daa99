package connectortest

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
)

func disable(ctx context.Context, e *Env, t connector.ObjectType) error {
	_, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	if err := e.holdSomething(ctx, t, ref); err != nil {
		return err
	}
	before, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	for _, on := range []bool{false, true} {
		for _, want := range []connector.Outcome{connector.OutcomeApplied, connector.OutcomeUnchanged} {
			op := connector.SetEnabled{Call: e.call(), Target: ref, Enabled: on, Reason: "conformance"}
			r, err := e.one(ctx, op)
			if err != nil {
				return err
			}
			if err := outcome(op, r, want); err != nil {
				return err
			}
		}
		before.Enabled = connector.EnabledIf(on)
		if err := e.untouched(ctx, t, ref, before); err != nil {
			return fmt.Errorf("after %s: %w", before.Enabled, err)
		}
	}
	return nil
}

func deleteTwice(ctx context.Context, e *Env, t connector.ObjectType) error {
	c, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	_, bystander, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	before, err := e.read(ctx, bystander)
	if err != nil {
		return err
	}
	for _, want := range []connector.Outcome{connector.OutcomeApplied, connector.OutcomeUnchanged} {
		op := connector.Delete{Call: e.call(), Target: ref}
		r, err := e.one(ctx, op)
		if err != nil {
			return err
		}
		if err := outcome(op, r, want); err != nil {
			return err
		}
		if err := e.gone(ctx, ref); err != nil {
			return err
		}
	}
	if !c.Correlate.IsZero() {
		if err := e.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate}); err != nil {
			return err
		}
	}
	return e.untouched(ctx, t, bystander, before)
}

// missing returns a reference to an object that has been deleted, or one that
// never was.
func (e *Env) missing(ctx context.Context, t connector.ObjectType) (connector.Ref, error) {
	c, ref, err := e.create(ctx, t, true)
	if err != nil {
		return ref, err
	}
	if !e.can(t.Name, connector.VerbDelete) {
		return connector.Ref{}, skip("nothing of type %s can be deleted, so nothing can be missing", t.Name)
	}
	_, err = e.must(ctx, connector.Delete{Call: e.call(), Target: ref})
	ref.By = c.Correlate
	return ref, err
}

func missingObject(ctx context.Context, e *Env, t connector.ObjectType) error {
	ref, err := e.missing(ctx, t)
	if err != nil {
		return err
	}
	byID := connector.Ref{Type: ref.Type, ID: ref.ID}
	var ops []connector.Operation
	if a, ok := e.updatable(t); ok && e.can(t.Name, connector.VerbUpdate) {
		ops = append(ops, connector.Update{Call: e.call(), Target: byID, Changes: []connector.Change{{Name: a.Name, Replace: connector.Values{e.value(t, a, 1)}}}})
	}
	if e.can(t.Name, connector.VerbDisable) {
		ops = append(ops, connector.SetEnabled{Call: e.call(), Target: byID}, connector.SetEnabled{Call: e.call(), Target: byID, Enabled: true})
	}
	if ent, ok, err := e.entitlement(ctx, t); err != nil {
		return err
	} else if ok {
		ops = append(ops, connector.Grant{Call: e.call(), Principal: byID, Entitlement: ent})
	}
	if len(ops) == 0 {
		return skip("nothing can be done with objects of type %s but create and delete", t.Name)
	}
	for _, op := range ops {
		r, err := e.one(ctx, op)
		if err != nil {
			return err
		}
		if err := failed(op, r, connector.CodeNotFound); err != nil {
			return err
		}
		if err := e.gone(ctx, byID); err != nil {
			return fmt.Errorf("after %s: %w", op.Verb(), err)
		}
	}
	return nil
}
