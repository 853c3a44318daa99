package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

func oneBad(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	ref, err := e.missing(ctx, t)
	a, ok := e.updatable(t)
	if err != nil || !ok || !e.can(t.Name, connector.VerbUpdate) {
		return errors.Join(err, skip("nothing can be updated"))
	}
	ops, err := e.creations(ctx, t, 100)
	if err != nil {
		return err
	}
	bad := 50
	ops[bad] = connector.Update{Call: e.call(), Target: connector.Ref{Type: t.Name, ID: ref.ID}, Changes: []connector.Change{{Name: a.Name, Replace: connector.Values{e.value(t, a, 1)}}}}
	results, err := e.do(ctx, ops...)
	if err != nil {
		return err
	}
	for i, r := range results {
		if i == bad {
			err = failed(ops[i], r, connector.CodeNotFound)
		} else {
			err = done(ops[i], r)
		}
		if err != nil {
			return err
		}
	}
	if !e.Caps.Atomic {
		return nil
	}
	return e.wholeOrNot(ctx, t, a)
}

// wholeOrNot sends a group whose second step is bad.
func (e *Env) wholeOrNot(ctx context.Context, t connector.ObjectType, a connector.Attr) error {
	i := slices.IndexFunc(t.Attributes, func(a connector.Attr) bool { return a.Required && changeable(t, a) })
	if i < 0 {
		return nil // no step that is bad for sure
	}
	_, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	before, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	fresh, _, err := e.replacement(ctx, t, a, before.Attributes.Get(a.Name))
	if err != nil {
		return err
	}
	step := func(c connector.Change) connector.Update {
		u := connector.Update{Call: e.call(), Target: ref, Changes: []connector.Change{c}}
		u.Group, u.GroupSize = "group-"+ref.ID, 2
		return u
	}
	group := []connector.Operation{step(connector.Change{Name: a.Name, Replace: fresh}), step(connector.Change{Name: t.Attributes[i].Name})}
	results, err := e.do(ctx, group...)
	if err != nil {
		return err
	}
	for j, r := range results {
		if err := outcome(group[j], r, connector.OutcomeFailed, connector.OutcomeCancelled); err != nil {
			return fmt.Errorf("a group with a bad step: %w", err)
		}
	}
	return e.untouched(ctx, t, ref, before)
}
