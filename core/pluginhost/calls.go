package pluginhost

import (
	"context"
	"io"

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
		return connector.Object{}, in.rpcError(err)
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

// List calls yield for each object and stops at yield's first error, which it
// returns. A listing that ends early is never complete: it is an error.
func (in *Instance) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	l, why := in.acquire(ctx)
	if l == nil {
		return connector.ListEnd{}, why
	}
	defer in.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages, err := l.proc.rpc.List(ctx, protocol.ToProtoListRequest(in.cfg.InstanceID, q))
	if err != nil {
		return connector.ListEnd{}, in.rpcError(err)
	}
	for {
		page, err := pages.Recv()
		if err == io.EOF {
			return connector.ListEnd{}, connector.Errorf(connector.CodeInternal, "the plugin ended a listing without saying so")
		}
		if err != nil {
			return connector.ListEnd{}, in.rpcError(err)
		}
		if e := in.targetError(page.GetError()); e != nil {
			return connector.ListEnd{}, e
		}
		if err := yieldAll(page.GetObjects(), yield); err != nil {
			return connector.ListEnd{}, err
		}
		if page.GetLast() {
			return connector.ListEnd{Complete: page.GetComplete(), SyncToken: page.GetSyncToken()}, nil
		}
	}
}

func yieldAll(ps []*pluginv1.Object, yield func(connector.Object) error) error {
	for _, p := range ps {
		obj, err := protocol.FromProtoObject(p)
		if err != nil {
			return connector.Errorf(connector.CodeInternal, "an object of the listing cannot be read: %w", err)
		}
		if err := yield(obj); err != nil {
			return err
		}
	}
	return nil
}

// Changes calls yield for each change since q.SyncToken and returns the last
// token. expired tells that a full list is needed. With q.Follow it goes on
// until ctx ends.
func (in *Instance) Changes(ctx context.Context, q connector.ChangesQuery, yield func(connector.TargetChange) error) (token []byte, expired bool, err error) {
	l, why := in.acquire(ctx)
	if l == nil {
		return q.SyncToken, false, why
	}
	defer in.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	token = q.SyncToken
	stream, err := l.proc.rpc.Changes(ctx, protocol.ToProtoChangesRequest(in.cfg.InstanceID, q))
	for err == nil {
		var m *pluginv1.ChangesResponse
		if m, err = stream.Recv(); err != nil {
			break
		}
		if e := in.targetError(m.GetError()); e != nil {
			return token, false, e
		}
		if m.GetTokenExpired() {
			return token, true, nil
		}
		if err := yieldChanges(m, yield); err != nil {
			return token, false, err
		}
		if m.GetSyncToken() != nil {
			token = m.GetSyncToken()
		}
	}
	if err == io.EOF {
		return token, false, nil
	}
	return token, false, in.rpcError(err)
}

func yieldChanges(m *pluginv1.ChangesResponse, yield func(connector.TargetChange) error) error {
	for i, p := range m.GetChanges() {
		c, err := protocol.FromProtoTargetChange(p)
		if err != nil {
			return err
		}
		if i == len(m.GetChanges())-1 {
			c.SyncToken = m.GetSyncToken()
		}
		if err := yield(c); err != nil {
			return err
		}
	}
	return nil
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
	r, err := l.proc.rpc.Check(ctx, &pluginv1.CheckRequest{InstanceId: in.cfg.InstanceID})
	if err != nil {
		return nil, "", in.rpcError(err)
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
		return in.rpcError(err)
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

// rpcError classes what gRPC says; it is about the plugin, never about the
// target, whose errors are in the messages.
func (in *Instance) rpcError(err error) *connector.Error {
	e := rpcError(err)
	e = in.redact.Error(e)
	return e
}

func rpcError(err error) *connector.Error {
	st := status.Convert(err)
	e := &connector.Error{Code: connector.CodeInternal, Message: "the plugin answered: " + st.Message(), NativeCode: "gRPC " + st.Code().String(), Cause: err}
	switch st.Code() {
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
