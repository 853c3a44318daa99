package pluginhost

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Get reads one object. The error is a [*connector.Error]: NOT_FOUND when
// there is none, UNAVAILABLE with scope instance when there is no plugin.
func (in *Instance) Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error) {
	l, why := in.acquire(ctx)
	if l == nil {
		return connector.Object{}, why
	}
	defer in.release()
	pref, err := protocol.ToProtoRef(ref)
	if err != nil {
		return connector.Object{}, connector.Errorf(connector.CodeInvalidValue, "get: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Times.Call)
	defer cancel()
	r, err := l.proc.rpc.Get(ctx, &pluginv1.GetRequest{InstanceId: in.cfg.InstanceID, Ref: pref, Attributes: attributes})
	if err != nil {
		return connector.Object{}, in.rpcError(ctx, err)
	}
	if e := in.targetError(r.GetError()); e != nil {
		return connector.Object{}, e
	}
	if r.GetObject() == nil {
		return connector.Object{}, connector.Errorf(connector.CodeInternal, "the plugin answered neither an object nor an error")
	}
	obj, err := protocol.FromProtoObject(r.GetObject())
	if err != nil {
		return connector.Object{}, connector.Errorf(connector.CodeInternal, "the plugin's answer cannot be read: %w", err)
	}
	return obj, nil
}

// Check proves step by step that the target can be used; it changes nothing.
// product is the target's name and version as it tells them. The error says
// that the plugin could not be asked; a failed step is no error.
func (in *Instance) Check(ctx context.Context) (steps []connector.CheckStep, product string, err error) {
	l, why := in.acquire(ctx)
	if l == nil {
		return nil, "", why
	}
	defer in.release()
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Times.Configure)
	defer cancel()
	return in.checkBy(ctx, l.proc)
}

// CheckOnce is [Instance.Check] with a plugin of its own, which is stopped
// afterwards: for a target that cannot be used now, and whose plugin therefore
// does not come up. The error is that of [Start].
func CheckOnce(ctx context.Context, cfg Config) (steps []connector.CheckStep, product string, err error) {
	if err := cfg.check(); err != nil {
		return nil, "", err
	}
	in := newInstance(cfg)
	defer in.cancel()
	p, err := launch(ctx, in.cfg.spec(in.book))
	if err != nil {
		return nil, "", err
	}
	defer p.stop(killGrace)
	desc, err := p.describe(ctx, in.cfg.Times.Start)
	if err == nil {
		err = in.expect(desc)
	}
	if err == nil {
		_, err = in.configure(ctx, p, desc)
	}
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Times.Configure)
	defer cancel()
	return in.checkBy(ctx, p)
}

func (in *Instance) checkBy(ctx context.Context, p *process) (steps []connector.CheckStep, product string, err error) {
	r, err := p.rpc.Check(ctx, &pluginv1.CheckRequest{InstanceId: in.cfg.InstanceID})
	if err != nil {
		return nil, "", in.rpcError(ctx, err)
	}
	steps, product = protocol.FromProtoCheck(r)
	for i := range steps {
		steps[i].Message = in.redact.Text(steps[i].Message)
		steps[i].Err = in.redact.Error(steps[i].Err)
	}
	return steps, in.redact.Text(product), nil
}

// SchemaRefresh reads the schema anew and keeps it.
func (in *Instance) SchemaRefresh(ctx context.Context) (connector.Schema, error) {
	l, why := in.acquire(ctx)
	if l == nil {
		return nil, why
	}
	defer in.release()
	schema, err := in.discover(ctx, l.proc)
	if err != nil {
		return nil, err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.schema = schema
	return schema, nil
}

// RotateSecrets gives the plugin new values for the named secrets. They are
// kept for the next start even when the plugin cannot take them now.
func (in *Instance) RotateSecrets(ctx context.Context, secrets map[string]connector.Secret) error {
	in.redact.Know(secrets)
	all := in.keepSecrets(secrets)
	l, why := in.acquire(ctx)
	if l == nil {
		return why
	}
	defer in.release()
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Times.Configure)
	defer cancel()
	r, err := l.proc.rpc.RotateSecrets(ctx, &pluginv1.RotateSecretsRequest{InstanceId: in.cfg.InstanceID, Secrets: protocol.ToProtoSecrets(all)})
	if err != nil {
		return in.rpcError(ctx, err)
	}
	if e := in.targetError(r.GetError()); e != nil {
		return e
	}
	return nil
}

func (in *Instance) targetError(p *pluginv1.Error) *connector.Error {
	e := protocol.FromProtoError(p)
	e = in.redact.Error(e)
	return e
}

// rpcError classes what gRPC says of a call under ctx; it is about the plugin, never about the
// target, whose errors are in the messages.
func (in *Instance) rpcError(ctx context.Context, err error) *connector.Error {
	e := rpcError(ctx, err)
	e = in.redact.Error(e)
	return e
}

func rpcError(ctx context.Context, err error) *connector.Error {
	st := status.Convert(err)
	code := st.Code()
	if code == codes.Canceled && ctx.Err() == nil {
		code = codes.Unavailable // nobody cancelled: the host closed the connection, as the process had ended
	}
	e := &connector.Error{Code: connector.CodeInternal, Message: "the plugin answered: " + st.Message(), NativeCode: "gRPC " + st.Code().String(), Cause: err}
	switch code {
	case codes.Unavailable:
		e.Code, e.Scope, e.Message = connector.CodeUnavailable, connector.ScopeInstance, "the plugin stopped before it answered"
	case codes.DeadlineExceeded:
		e.Code, e.Message = connector.CodeTimeout, "the plugin did not answer in time"
	case codes.Canceled:
		e.Code, e.Message = connector.CodeUnavailable, "the call was cancelled"
	case codes.Unimplemented:
		e.Code, e.Message = connector.CodeUnsupported, "the plugin cannot do this"
	case codes.ResourceExhausted:
		e.Code = connector.CodeTooLarge
	}
	return e
}
