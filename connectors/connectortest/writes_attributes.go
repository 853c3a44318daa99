package connectortest

import (
	"context"
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// changeable reports whether an attribute can be changed by an update.
func changeable(t connector.ObjectType, a connector.Attr) bool {
	return !a.ReadOnly && !a.CreateOnly && !a.Naming && a.Type != connector.TypeReference && readable(a) && !slices.Contains(t.Correlation, a.Name)
}

// updatable returns an attribute that can be changed, a plain text if there is one.
func (e *Env) updatable(t connector.ObjectType) (found connector.Attr, ok bool) {
	for _, a := range t.Attributes {
		if !changeable(t, a) {
			continue
		}
		if (a.Type == "" || a.Type == connector.TypeString) && !a.Multi && len(a.Canonical) == 0 && !a.Unique {
			return a, true
		}
		found, ok = a, true
	}
	return found, ok
}

// replacement makes a content for an attribute that differs from vs.
func (e *Env) replacement(ctx context.Context, t connector.ObjectType, a connector.Attr, vs connector.Values) (connector.Values, bool, error) {
	for range 8 {
		fresh, err := e.values(ctx, t, a, e.nextNumber())
		if err != nil || !same(a, fresh, vs) {
			return fresh, fresh != nil, err
		}
	}
	return nil, false, nil
}

func replaceOne(ctx context.Context, e *Env, t connector.ObjectType) error {
	_, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	tried := 0
	for _, a := range t.Attributes {
		if !changeable(t, a) {
			continue
		}
		before, err := e.read(ctx, ref)
		if err != nil {
			return err
		}
		fresh, ok, err := e.replacement(ctx, t, a, before.Attributes.Get(a.Name))
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		tried++
		if err := e.replaceTwice(ctx, t, a, ref, before, fresh); err != nil {
			return fmt.Errorf("replace %s: %w", a.Name, err)
		}
	}
	if tried == 0 {
		return skip("no attribute of %s can be updated", t.Name)
	}
	return nil
}

func (e *Env) replaceTwice(ctx context.Context, t connector.ObjectType, a connector.Attr, ref connector.Ref, before connector.Object, fresh connector.Values) error {
	for _, want := range []connector.Outcome{connector.OutcomeApplied, connector.OutcomeUnchanged} {
		op := connector.Update{Call: e.call(), Target: ref, Changes: []connector.Change{{Name: a.Name, Replace: fresh}}}
		r, err := e.one(ctx, op)
		if err != nil {
			return err
		}
		if err := outcome(op, r, want); err != nil {
			return err
		}
		after, err := e.read(ctx, ref)
		if err != nil {
			return err
		}
		if err := holds(t, connector.Attributes{{Name: a.Name, Values: fresh}}, after); err != nil {
			return err
		}
		if err := sameObject(t, before, after, a.Name); err != nil {
			return err
		}
	}
	return nil
}

func modify(ctx context.Context, e *Env, t connector.ObjectType) error {
	c, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	tried := 0
	for _, a := range t.Attributes {
		if !changeable(t, a) || c.Attributes.Get(a.Name) == nil {
			continue
		}
		if a.Multi && len(a.Canonical) == 0 && a.Type != connector.TypeBool {
			tried++
			if err := e.modifyList(ctx, t, a, ref); err != nil {
				return fmt.Errorf("modify %s: %w", a.Name, err)
			}
		}
		if !a.Required {
			tried++
			if err := e.expect(ctx, t, ref, connector.Change{Name: a.Name}, nil); err != nil {
				return fmt.Errorf("clear %s: %w", a.Name, err)
			}
		}
	}
	if tried == 0 {
		return skip("no attribute of %s has several values or can be cleared", t.Name)
	}
	return nil
}

// modifyList goes from [x] by deltas to other contents.
func (e *Env) modifyList(ctx context.Context, t connector.ObjectType, a connector.Attr, ref connector.Ref) error {
	x, y, z := e.value(t, a, e.nextNumber()), e.value(t, a, e.nextNumber()), e.value(t, a, e.nextNumber())
	steps := []struct {
		what        string
		change      connector.Change
		afterwards  connector.Values
		isUnchanged bool
	}{
		{what: "replace", change: connector.Change{Replace: connector.Values{x}}, afterwards: connector.Values{x}},
		{what: "add", change: connector.Change{Delta: true, Add: connector.Values{y}}, afterwards: connector.Values{x, y}},
		{what: "add and remove", change: connector.Change{Delta: true, Add: connector.Values{z}, Remove: connector.Values{x}}, afterwards: connector.Values{y, z}},
		{what: "remove an absent value", change: connector.Change{Delta: true, Remove: connector.Values{x}}, afterwards: connector.Values{y, z}},
		{what: "remove", change: connector.Change{Delta: true, Remove: connector.Values{z}}, afterwards: connector.Values{y}},
		{what: "swap the only value", change: connector.Change{Delta: true, Add: connector.Values{x}, Remove: connector.Values{y}}, afterwards: connector.Values{x}},
	}
	for _, s := range steps {
		s.change.Name = a.Name
		if err := e.expect(ctx, t, ref, s.change, s.afterwards); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

// expect makes one change and checks the content of its attribute afterwards.
func (e *Env) expect(ctx context.Context, t connector.ObjectType, ref connector.Ref, change connector.Change, want connector.Values) error {
	before, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	op := connector.Update{Call: e.call(), Target: ref, Changes: []connector.Change{change}}
	if _, err := e.must(ctx, op); err != nil {
		return err
	}
	after, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	if err := holds(t, connector.Attributes{{Name: change.Name, Values: want}}, after); err != nil {
		return err
	}
	return sameObject(t, before, after, change.Name)
}

func staleVersion(ctx context.Context, e *Env, t connector.ObjectType) error {
	_, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	first, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	a, ok := e.updatable(t)
	if first.Ref.Version == "" || !ok {
		return skip("objects of type %s have no version", t.Name)
	}
	change := func(version string) connector.Update {
		op := connector.Update{Call: e.call(), Target: ref, Changes: []connector.Change{{Name: a.Name, Replace: connector.Values{e.value(t, a, e.nextNumber())}}}}
		op.IfVersion = version
		return op
	}
	if _, err := e.must(ctx, change(first.Ref.Version)); err != nil {
		return fmt.Errorf("with the current version: %w", err)
	}
	before, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	if before.Ref.Version == first.Ref.Version {
		return fmt.Errorf("the version is %q before and after a change", first.Ref.Version)
	}
	op := change(first.Ref.Version)
	r, err := e.one(ctx, op)
	if err != nil {
		return err
	}
	if err := failed(op, r, connector.CodeVersionConflict); err != nil {
		return fmt.Errorf("with a stale version: %w", err)
	}
	return e.untouched(ctx, t, ref, before)
}
