package connectortest

import (
	"context"
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

var writeChecks = []Check{
	{ID: "E1", Title: "what was created is read back with equal values", Func: each(createThenRead, connector.VerbCreate)},
	{ID: "E2", Title: "required attributes suffice, and each is insisted on", Func: each(required, connector.VerbCreate)},
	{ID: "E3", Title: "creating what exists is ALREADY_EXISTS and touches nothing", Func: each(createTwice, connector.VerbCreate)},
	{ID: "E4", Title: "a create that may adopt takes over what exists", Func: each(adopt, connector.VerbCreate)},
	{ID: "E5", Title: "an update changes its attribute alone, and once", Func: each(replaceOne, connector.VerbCreate, connector.VerbUpdate)},
	{ID: "E6", Title: "values are added, removed, swapped and cleared", Func: each(modify, connector.VerbCreate, connector.VerbUpdate)},
	{ID: "E7", Title: "disable and enable keep everything else", Func: each(disable, connector.VerbCreate, connector.VerbDisable, connector.VerbEnable)},
	{ID: "E8", Title: "what was deleted is gone, and stays so", Func: each(deleteTwice, connector.VerbCreate, connector.VerbDelete)},
	{ID: "E9", Title: "changing what is not there is NOT_FOUND and makes nothing", Func: each(missingObject, connector.VerbCreate)},
	{ID: "E10", Title: "grants are given and taken once, to one account", Func: each(grants, connector.VerbCreate, connector.VerbGrant, connector.VerbRevoke)},
	{ID: "E11", Title: "a reference to what is missing is told apart from a defect", Func: each(missingReference, connector.VerbCreate)},
	{ID: "E12", Title: "a credential is set, a weak one refused by POLICY", Func: each(credential, connector.VerbCreate, connector.VerbSetCredential)},
	{ID: "E13", Title: "a rename tells the id that is valid from now on", Func: each(rename, connector.VerbCreate, connector.VerbRename)},
	{ID: "E14", Title: "a stale version is VERSION_CONFLICT and changes nothing", Func: each(staleVersion, connector.VerbCreate, connector.VerbUpdate)},
	{ID: "E15", Title: "hostile values come back as they were or are refused", Func: each(hostile, connector.VerbCreate)},
}

// each runs a check for every object type with which verbs can be done. It is
// skipped when it is for all of them.
func each(check func(context.Context, *Env, connector.ObjectType) error, verbs ...connector.Verb) func(context.Context, *Env) error {
	return func(ctx context.Context, e *Env) error {
		types, err := e.types(verbs...)
		if err != nil {
			return err
		}
		var skips []error
		for _, t := range types {
			if err := check(ctx, e, t); err != nil {
				if _, ok := skipReason(err); !ok {
					return fmt.Errorf("%s: %w", t.Name, err)
				}
				skips = append(skips, err)
			}
		}
		if len(skips) == len(types) {
			return skips[0]
		}
		return nil
	}
}

func createThenRead(ctx context.Context, e *Env, t connector.ObjectType) error {
	c, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	obj, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	if obj.Ref.ID != ref.ID {
		return fmt.Errorf("read by id %q, got the object with id %q", ref.ID, obj.Ref.ID)
	}
	if t.Kind == connector.KindAccount && obj.Enabled == connector.IsDisabled {
		return fmt.Errorf("%s was created enabled and is disabled", ref)
	}
	if err := holds(t, c.Attributes, obj); err != nil {
		return err
	}
	found, err := e.read(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
	if err != nil {
		return fmt.Errorf("look up by %s: %w", c.Correlate.Attribute, err)
	}
	if found.Ref.ID != ref.ID {
		return fmt.Errorf("look up by %s found the object with id %q, want %q", c.Correlate.Attribute, found.Ref.ID, ref.ID)
	}
	return nil
}

func required(ctx context.Context, e *Env, t connector.ObjectType) error {
	if _, _, err := e.create(ctx, t, false); err != nil {
		return fmt.Errorf("with the required attributes only: %w", err)
	}
	for _, a := range t.Attributes {
		if !a.Required || !settable(a) {
			continue
		}
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return err
		}
		c.Attributes = slices.DeleteFunc(c.Attributes, func(x connector.Attribute) bool { return x.Name == a.Name })
		r, err := e.one(ctx, c)
		if err != nil {
			return err
		}
		if err := failed(c, r, connector.CodeInvalidValue); err != nil {
			return fmt.Errorf("without %s: %w", a.Name, err)
		}
		if !slices.Contains(r.Err.Attributes, a.Name) {
			return fmt.Errorf("without %s: the error does not name the attribute but %v", a.Name, r.Err.Attributes)
		}
		if c.Correlate.Attribute != a.Name && !c.Correlate.IsZero() {
			if err := e.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate}); err != nil {
				return fmt.Errorf("without %s: %w", a.Name, err)
			}
		}
	}
	return nil
}

func createTwice(ctx context.Context, e *Env, t connector.ObjectType) error {
	c, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	before, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	again := e.again(ctx, t, c)
	r, err := e.one(ctx, again)
	if err != nil {
		return err
	}
	if err := failed(again, r, connector.CodeAlreadyExists); err != nil {
		return err
	}
	if r.Err.Conflicting == nil || r.Err.Conflicting.ID != ref.ID {
		return fmt.Errorf("the error does not say what is in the way (conflicting is %v, want id %q)", r.Err.Conflicting, ref.ID)
	}
	return e.untouched(ctx, t, ref, before)
}

// again makes a create of the same object with other values where these need
// not be unique, under another key.
func (e *Env) again(ctx context.Context, t connector.ObjectType, c connector.Create) connector.Create {
	again := c
	again.Call = e.call()
	again.Attributes = slices.Clone(c.Attributes)
	n := e.nextNumber()
	for i, a := range again.Attributes {
		if attr, _ := t.Attr(a.Name); attr.Type != connector.TypeReference && !attr.Unique && !attr.Naming && !slices.Contains(t.Correlation, a.Name) {
			again.Attributes[i].Values = connector.Values{e.value(t, attr, n)}
		}
	}
	return again
}

// untouched checks that an object is as before.
func (e *Env) untouched(ctx context.Context, t connector.ObjectType, ref connector.Ref, before connector.Object) error {
	after, err := e.read(ctx, ref)
	if err != nil {
		return fmt.Errorf("the object that was there before: %w", err)
	}
	return sameObject(t, before, after)
}

func adopt(ctx context.Context, e *Env, t connector.ObjectType) error {
	c, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	if c.Correlate.IsZero() {
		return skip("objects of type %s cannot be found again: no correlation attribute", t.Name)
	}
	want := connector.EnabledUnknown
	if t.Kind == connector.KindAccount && e.can(t.Name, connector.VerbDisable) {
		if _, err := e.must(ctx, connector.SetEnabled{Call: e.call(), Target: ref}); err != nil {
			return err
		}
		want = connector.IsDisabled
	}
	again := e.again(ctx, t, c)
	again.Adopt = true
	r, err := e.one(ctx, again)
	if err != nil {
		return err
	}
	if err := outcome(again, r, connector.OutcomeAdopted); err != nil {
		return err
	}
	if r.Object == nil || r.Object.Ref.ID != ref.ID {
		return fmt.Errorf("adopted: the result is not the object that was there (%s)", ref.ID)
	}
	if want != connector.EnabledUnknown && r.Object.Enabled != want {
		return fmt.Errorf("adopted: the result says the account is %s, and it is %s", orUnknown(r.Object.Enabled), want)
	}
	n, err := e.count(ctx, t.Name, c.Correlate)
	if err == nil && n != 1 {
		err = fmt.Errorf("adopted: there are %d objects with %s %q now", n, c.Correlate.Attribute, c.Correlate.Value)
	}
	return err
}
