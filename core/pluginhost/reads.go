package pluginhost

import (
	"context"
	"io"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

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
		return connector.ListEnd{}, in.rpcError(ctx, err)
	}
	for {
		page, err := pages.Recv()
		if err == io.EOF {
			return connector.ListEnd{}, connector.Errorf(connector.CodeInternal, "the plugin ended a listing without saying so")
		}
		if err != nil {
			return connector.ListEnd{}, in.rpcError(ctx, err)
		}
		if e := in.targetError(page.GetError()); e != nil {
			return connector.ListEnd{}, e
		}
		if err := yieldAll(page.GetObjects(), yield); err != nil {
			return connector.ListEnd{}, err
		}
		if page.GetLast() {
			finish(ctx, cancel, pages)
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
	return token, false, in.rpcError(ctx, err)
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
