package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

var instanceChecks = []Check{
	{ID: "C1", Title: "two instances do not see each other's objects", Func: apart},
	{ID: "C2", Title: "Configure replaces, Release is final and harmless twice", Func: configureAndRelease},
	{ID: "C3", Title: "secrets are rotated under load without a failure", Func: rotateSecrets},
	{ID: "C4", Title: "a wrong secret is AUTHENTICATION for the whole instance", Func: wrongSecret},
	{ID: "C5", Title: "a target that is down is told as such, step by step, in time", Func: down},
	{ID: "C6", Title: "Check passes and changes nothing", Func: checkHarmless},
}

func apart(ctx context.Context, e *Env) error {
	if e.Target.Other == nil {
		return skip("the target names no second target that shares nothing with it")
	}
	other, err := e.second(ctx, "other", e.Target.Other, e.Target.Secrets)
	if err != nil {
		return err
	}
	other.oracle = nil // which looks into the first target
	t, err := e.creatable()
	if err != nil {
		return err
	}
	c, ref, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	if err := other.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate}); err != nil {
		return fmt.Errorf("in the other instance: %w", err)
	}
	again := c
	again.Call = other.call()
	for i, a := range again.Attributes {
		if attr, _ := t.Attr(a.Name); attr.Type == connector.TypeReference {
			again.Attributes = slices.Delete(slices.Clone(again.Attributes), i, i+1)
			break
		}
	}
	if _, err := other.must(ctx, again); err != nil {
		return fmt.Errorf("the same object in the other instance: %w", err)
	}
	_, err = e.read(ctx, ref)
	return err
}

func configureAndRelease(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	if err := e.open(ctx); err != nil {
		return fmt.Errorf("the second time: %w", err)
	}
	if _, _, err := e.create(ctx, t, false); err != nil {
		return fmt.Errorf("after a second Configure: %w", err)
	}
	const id = "kit-c2-released"
	if _, err := e.configure(ctx, id, e.Target.Config, e.Target.Secrets); err != nil {
		return fmt.Errorf("Configure: %w", err)
	}
	for range 2 {
		if _, err := e.run.rpc().Release(ctx, &pluginv1.ReleaseRequest{InstanceId: id}); err != nil {
			return fmt.Errorf("Release: %w", err)
		}
	}
	rpc := e.run.rpc()
	_, check := rpc.Check(ctx, &pluginv1.CheckRequest{InstanceId: id})
	_, schema := rpc.DiscoverSchema(ctx, &pluginv1.DiscoverSchemaRequest{InstanceId: id})
	_, get := rpc.Get(ctx, &pluginv1.GetRequest{InstanceId: id, Ref: &pluginv1.ObjectRef{ObjectType: t.Name, Id: "1"}})
	for call, err := range map[string]error{"Check": check, "DiscoverSchema": schema, "Get": get, "Apply": e.applyTo(ctx, id)} {
		if status.Code(err) != codes.FailedPrecondition {
			return fmt.Errorf("%s on a released instance: want FAILED_PRECONDITION, got %v", call, err)
		}
	}
	_, err = e.describe(ctx)
	return err
}

// applyTo opens a stream to an instance and returns how it ends.
func (e *Env) applyTo(ctx context.Context, id string) error {
	s, err := openStream(ctx, e.run.rpc(), id)
	if err != nil {
		return err
	}
	defer s.close()
	select {
	case <-s.ended:
		return s.cause()
	case <-time.After(patience):
		return errors.New("the stream stays open")
	}
}

func checkHarmless(ctx context.Context, e *Env) error {
	before, err := e.everything(ctx)
	if err != nil {
		return err
	}
	if bad := e.firstBadStep(ctx); bad != nil {
		return fmt.Errorf("Check fails on a good target: %w", bad)
	}
	after, err := e.everything(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		return fmt.Errorf("there are other objects after Check: %v, before %v", after, before)
	}
	return nil
}

// everything names all objects with their versions.
func (e *Env) everything(ctx context.Context) ([]string, error) {
	if !e.Caps.List {
		return nil, nil
	}
	var out []string
	for _, t := range e.Schema {
		all, _, err := e.list(ctx, connector.ListQuery{Type: t.Name})
		if connector.IsCode(err, connector.CodeUnsupported) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		for _, o := range all {
			out = append(out, t.Name+"/"+o.Ref.ID+"@"+o.Ref.Version)
		}
	}
	slices.Sort(out)
	return out, nil
}
