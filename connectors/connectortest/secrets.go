package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/faultproxy"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

func rotateSecrets(ctx context.Context, e *Env) error {
	if e.Target.NewSecrets == nil {
		return skip("the target names no new secrets")
	}
	w, err := e.proxied(ctx, "rotated")
	if reason, ok := skipReason(err); ok {
		e.leftOut("looking for the old secret: %s", reason)
		w = e
	} else if err != nil {
		return err
	}
	return w.rotate(ctx)
}

// rotate rotates the secrets of an instance while it works.
func (e *Env) rotate(ctx context.Context) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	ops, err := e.creations(ctx, t, e.scaled(200))
	if err != nil {
		return err
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
	if err := e.allDone(ctx, s, ops); err != nil {
		return err
	}
	if err := e.oldSecretsUnused(ctx, t); err != nil || e.Target.WrongSecrets == nil {
		return err
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

// oldSecretsUnused has the instance log in again, and looks whether it uses the
// secrets from before the rotation.
func (e *Env) oldSecretsUnused(ctx context.Context, t connector.ObjectType) error {
	if e.proxy == nil {
		return nil
	}
	e.watchSecrets(e.Target.Secrets, e.Target.NewSecrets)
	e.tell("fault: connections break")
	e.proxy.Break()
	time.Sleep(noticed)
	if err := e.recovers(ctx, t); err != nil {
		return err
	}
	if e.Caps.List {
		if _, _, err := e.list(ctx, connector.ListQuery{Type: t.Name}); err != nil {
			return err
		}
	}
	if e.proxy.Stats().Sighted > 0 {
		return errors.New("an old secret is still used after new ones were rotated in")
	}
	return nil
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
	_, c, err := e.newcomer(ctx, e)
	if err != nil {
		return err
	}
	config := e.Target.Config
	p, through, err := e.front(ctx)
	if reason, ok := skipReason(err); ok {
		e.leftOut("counting logins: %s", reason)
	} else if err != nil {
		return err
	} else {
		config = through
	}
	k, refused, err := e.unchecked(ctx, "wrong", config, e.Target.WrongSecrets)
	k.proxy = p
	if err != nil {
		return err
	}
	if refused != nil {
		return authentication("opening the target", refused)
	}
	if err := authentication("Check", k.firstBadStep(ctx)); err != nil {
		return err
	}
	before := k.watchSecrets(e.Target.WrongSecrets, nil)
	r, err := k.one(ctx, c)
	if err != nil {
		return err
	}
	if r.Outcome.Done() {
		return errors.New("a create succeeds with a wrong secret")
	}
	if err := authentication("create", r.Err); err != nil {
		return err
	}
	return k.oneLogin(before)
}

// watchSecrets has the proxy look for secrets that go by in clear, those of not
// excepted, and returns what it has counted so far.
func (e *Env) watchSecrets(secrets, not map[string]connector.Secret) faultproxy.Stats {
	if e.proxy == nil {
		return faultproxy.Stats{}
	}
	var texts []string
	for _, s := range secrets {
		within := false
		for _, n := range not {
			within = within || strings.Contains(n.Reveal(), s.Reveal())
		}
		if !within && len(s.Reveal()) >= 6 {
			texts = append(texts, s.Reveal())
		}
	}
	e.proxy.Watch(texts...)
	return e.proxy.Stats()
}

// oneLogin checks that one attempt was one login: more would lock the account.
// Where secrets do not go by in clear, connections are counted; one may have gone
// stale.
func (e *Env) oneLogin(before faultproxy.Stats) error {
	if e.proxy == nil {
		return nil
	}
	now := e.proxy.Stats()
	if now.Sighted > 1 {
		return fmt.Errorf("one create sends the wrong secret %d times: that locks accounts", now.Sighted)
	}
	if n := now.Connections - before.Connections; now.Sighted == 0 && n > 2 {
		return fmt.Errorf("one create with a wrong secret makes %d connections: that locks accounts", n)
	}
	return nil
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
