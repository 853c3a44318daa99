package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

func rotate(ctx context.Context, e *Env) error {
	if e.Target.NewSecrets == nil {
		return skip("the target names no new secrets")
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	var ops []connector.Operation
	for range e.scaled(200) {
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return err
		}
		ops = append(ops, c)
	}
	s, err := e.apply(ctx)
	if err != nil {
		return err
	}
	half := len(ops) / 2
	if err := s.send(ops[:half]...); err != nil {
		return err
	}
	r, err := e.run.rpc().RotateSecrets(ctx, &pluginv1.RotateSecretsRequest{InstanceId: e.instance, Secrets: protocol.ToProtoSecrets(e.Target.NewSecrets)})
	if err != nil {
		return fmt.Errorf("RotateSecrets: %w", err)
	}
	if e := protocol.FromProtoError(r.GetError()); e != nil {
		return fmt.Errorf("RotateSecrets: %w", e)
	}
	if err := s.send(ops[half:]...); err != nil {
		return err
	}
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
	if e.Target.WrongSecrets == nil {
		return nil
	}
	// Were the old secrets still in use, wrong new ones would not be noticed.
	r, err = e.run.rpc().RotateSecrets(ctx, &pluginv1.RotateSecretsRequest{InstanceId: e.instance, Secrets: protocol.ToProtoSecrets(e.Target.WrongSecrets)})
	if err != nil {
		return fmt.Errorf("RotateSecrets: %w", err)
	}
	refused := protocol.FromProtoError(r.GetError())
	if refused == nil {
		if refused, err = e.firstFailure(ctx, t); err != nil {
			return err
		}
	}
	if refused == nil || refused.Code != connector.CodeAuthentication {
		return fmt.Errorf("with wrong secrets rotated in, work goes on (%v): the new ones are not used", refused)
	}
	_, err = e.run.rpc().RotateSecrets(ctx, &pluginv1.RotateSecretsRequest{InstanceId: e.instance, Secrets: protocol.ToProtoSecrets(e.Target.Secrets)})
	return err
}

// firstFailure returns why a create fails; nil when it does not.
func (e *Env) firstFailure(ctx context.Context, t connector.ObjectType) (*connector.Error, error) {
	c, err := e.creation(ctx, t, false)
	if err != nil {
		return nil, err
	}
	r, err := e.one(ctx, c)
	return r.Err, err
}

func wrongSecret(ctx context.Context, e *Env) error {
	if e.Target.WrongSecrets == nil {
		return skip("the target names no secrets that it refuses")
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	c, err := e.creation(ctx, t, false)
	if err != nil {
		return err
	}
	k, refused, err := e.unchecked(ctx, "wrong", e.Target.Config, e.Target.WrongSecrets)
	if err != nil {
		return err
	}
	if refused != nil {
		return authentication("opening the target", refused)
	}
	if err := authentication("Check", k.firstBadStep(ctx)); err != nil {
		return err
	}
	r, err := k.one(ctx, c)
	if err != nil {
		return err
	}
	if r.Outcome.Done() {
		return errors.New("a create succeeds with a wrong secret")
	}
	return authentication("create", r.Err)
}

// unchecked opens a second instance whose target may not work. refused is what
// the plugin says when it does not even open it.
func (e *Env) unchecked(ctx context.Context, name string, config json.RawMessage, secrets map[string]connector.Secret) (k *Env, refused *connector.Error, err error) {
	k = e.kid(name)
	k.Caps, k.Schema = e.Caps, e.Schema
	r, err := k.configure(ctx, k.instance, config, secrets)
	if err != nil {
		return k, nil, fmt.Errorf("Configure: %w", err)
	}
	for _, f := range protocol.FromProtoFindings(r.GetDiagnostics()) {
		if !f.Warning {
			return k, nil, fmt.Errorf("Configure: the config is refused: %s: %s", f.Path, f.Summary)
		}
	}
	return k, protocol.FromProtoError(r.GetError()), nil
}

func authentication(what string, err *connector.Error) error {
	if err == nil || err.Code != connector.CodeAuthentication || err.Class() != connector.ClassInstance {
		return fmt.Errorf("%s with a wrong secret: want AUTHENTICATION for the instance, got %v", what, err)
	}
	return nil
}

// firstBadStep runs Check and returns the error of the first step that failed.
func (e *Env) firstBadStep(ctx context.Context) *connector.Error {
	r, err := e.run.rpc().Check(ctx, &pluginv1.CheckRequest{InstanceId: e.instance})
	if err != nil {
		return connector.AsError(err)
	}
	steps, _ := protocol.FromProtoCheck(r)
	for _, s := range steps {
		if s.Status != connector.CheckFail {
			continue
		}
		if s.Name == "" || s.Err == nil {
			return connector.Errorf(connector.CodeInternal, "a step failed and says neither its name nor why")
		}
		return s.Err
	}
	return nil
}
