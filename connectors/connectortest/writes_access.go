package connectortest

import (
	"context"
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// entitlement returns something that accounts of type t can hold; ok is false
// when there is nothing.
func (e *Env) entitlement(ctx context.Context, t connector.ObjectType) (ref connector.Ref, ok bool, err error) {
	if !e.can(t.Name, connector.VerbGrant) {
		return ref, false, nil
	}
	for _, typ := range t.Grants {
		if ref, err = e.helper(ctx, typ); err != nil || ref.ID != "" {
			return ref, err == nil, err
		}
	}
	return ref, false, nil
}

// holdSomething gives an account an entitlement, if there is one to give.
func (e *Env) holdSomething(ctx context.Context, t connector.ObjectType, account connector.Ref) error {
	ent, ok, err := e.entitlement(ctx, t)
	if err != nil || !ok {
		return err
	}
	_, err = e.must(ctx, connector.Grant{Call: e.call(), Principal: account, Entitlement: ent})
	return err
}

func grants(ctx context.Context, e *Env, t connector.ObjectType) error {
	ent, ok, err := e.entitlement(ctx, t)
	if err != nil {
		return err
	}
	if !ok {
		return skip("accounts of type %s can hold nothing", t.Name)
	}
	_, account, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	_, other, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	if _, err := e.must(ctx, connector.Grant{Call: e.call(), Principal: other, Entitlement: ent}); err != nil {
		return err
	}
	bystander, err := e.read(ctx, other)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		op   connector.Operation
		want connector.Outcome
		has  bool
	}{
		{connector.Grant{Call: e.call(), Principal: account, Entitlement: ent}, connector.OutcomeApplied, true},
		{connector.Grant{Call: e.call(), Principal: account, Entitlement: ent}, connector.OutcomeUnchanged, true},
		{connector.Revoke{Call: e.call(), Principal: account, Entitlement: ent}, connector.OutcomeApplied, false},
		{connector.Revoke{Call: e.call(), Principal: account, Entitlement: ent}, connector.OutcomeUnchanged, false},
	} {
		r, err := e.one(ctx, s.op)
		if err != nil {
			return err
		}
		if err := outcome(s.op, r, s.want); err != nil {
			return err
		}
		if err := e.holdsGrant(ctx, account, ent, s.has); err != nil {
			return fmt.Errorf("after %s: %w", s.op.Verb(), err)
		}
	}
	return e.untouched(ctx, t, other, bystander)
}

// holdsGrant checks whether an account holds an entitlement, if the target tells.
func (e *Env) holdsGrant(ctx context.Context, account, ent connector.Ref, want bool) error {
	obj, err := e.read(ctx, account)
	if err != nil || obj.Grants == nil {
		return err
	}
	has := slices.ContainsFunc(obj.Grants, func(g connector.Ref) bool { return g.ID == ent.ID && (g.Type == "" || g.Type == ent.Type) })
	if has != want {
		return fmt.Errorf("%s holds %s: %v, want %v", account, ent, has, want)
	}
	return nil
}

func missingReference(ctx context.Context, e *Env, t connector.ObjectType) error {
	tried := 0
	for _, typ := range t.Grants {
		ent, ok := e.Schema.Type(typ)
		if !ok || !e.can(t.Name, connector.VerbGrant) || !e.can(typ, connector.VerbCreate) || !e.can(typ, connector.VerbDelete) {
			continue
		}
		gone, err := e.missing(ctx, ent)
		if err != nil {
			return err
		}
		_, account, err := e.create(ctx, t, true)
		if err != nil {
			return err
		}
		tried++
		op := connector.Grant{Call: e.call(), Principal: account, Entitlement: connector.Ref{Type: typ, ID: gone.ID}}
		r, err := e.one(ctx, op)
		if err != nil {
			return err
		}
		if err := failed(op, r, connector.CodeDependencyMissing, connector.CodeNotFound); err != nil {
			return err
		}
	}
	n, err := e.missingValues(ctx, t)
	if err != nil {
		return err
	}
	if tried+n == 0 {
		return skip("objects of type %s refer to nothing that can be deleted", t.Name)
	}
	return nil
}

// missingValues creates objects with a reference to what was deleted.
func (e *Env) missingValues(ctx context.Context, t connector.ObjectType) (tried int, err error) {
	for _, a := range t.Attributes {
		to, ok := e.Schema.Type(a.RefersTo)
		if a.Type != connector.TypeReference || !settable(a) || !ok || !e.can(to.Name, connector.VerbCreate) || !e.can(to.Name, connector.VerbDelete) {
			continue
		}
		gone, err := e.missing(ctx, to)
		if err != nil {
			return tried, err
		}
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return tried, err
		}
		tried++
		c.Attributes = append(slices.DeleteFunc(c.Attributes, func(x connector.Attribute) bool { return x.Name == a.Name }),
			connector.Attribute{Name: a.Name, Values: connector.Values{connector.Ref{Type: to.Name, ID: gone.ID}}})
		r, err := e.one(ctx, c)
		if err != nil {
			return tried, err
		}
		if err := failed(c, r, connector.CodeDependencyMissing, connector.CodeNotFound); err != nil {
			return tried, fmt.Errorf("with %s: %w", a.Name, err)
		}
	}
	return tried, nil
}

// goodPassword satisfies every usual policy.
const goodPassword = "kT9!vq-Zr4#mWx7_conformance"

func credential(ctx context.Context, e *Env, t connector.ObjectType) error {
	_, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	if _, err := e.must(ctx, connector.SetCredential{Call: e.call(), Target: ref, Credential: connector.NewSecret(goodPassword)}); err != nil {
		return err
	}
	if err := e.signsIn(ctx, ref, goodPassword); err != nil {
		return err
	}
	if e.Target.WeakPassword == "" {
		return nil
	}
	op := connector.SetCredential{Call: e.call(), Target: ref, Credential: connector.NewSecret(e.Target.WeakPassword)}
	r, err := e.one(ctx, op)
	if err != nil {
		return err
	}
	if err := failed(op, r, connector.CodePolicy); err != nil {
		return fmt.Errorf("a weak password: %w", err)
	}
	return e.signsIn(ctx, ref, goodPassword)
}

func (e *Env) signsIn(ctx context.Context, ref connector.Ref, password string) error {
	if e.Target.Login == nil {
		return nil
	}
	obj, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	ok, err := e.Target.Login(ctx, obj, password)
	if err == nil && !ok {
		err = fmt.Errorf("%s cannot sign in with the password that was set", ref)
	}
	return err
}

func rename(ctx context.Context, e *Env, t connector.ObjectType) error {
	_, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	before, err := e.read(ctx, ref)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(t.Attributes, func(a connector.Attr) bool { return a.Naming && settable(a) })
	if i < 0 {
		return skip("no attribute of %s is part of its name", t.Name)
	}
	a := t.Attributes[i]
	name := connector.Text(e.value(t, a, e.nextNumber()))
	r, err := e.must(ctx, connector.Rename{Call: e.call(), Target: ref, NewName: name})
	if err != nil {
		return err
	}
	if r.Object == nil || r.Object.Ref.ID == "" {
		return fmt.Errorf("rename of %s: the result does not tell the id that is valid now", ref)
	}
	now := connector.Ref{Type: t.Name, ID: r.Object.Ref.ID}
	obj, err := e.read(ctx, now)
	if err != nil {
		return fmt.Errorf("under the id that the rename told: %w", err)
	}
	if err := holds(t, connector.Attributes{{Name: a.Name, Values: connector.Values{name}}}, obj); err != nil {
		return err
	}
	if err := sameObject(t, before, obj, a.Name); err != nil {
		return err
	}
	if now.ID != ref.ID {
		return e.gone(ctx, ref)
	}
	return nil
}
