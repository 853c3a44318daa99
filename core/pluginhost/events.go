package pluginhost

import (
	"context"
	"maps"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// listen takes the plugin's notices until ctx ends or the process does. A
// plugin without notices is as good as another.
func (in *Instance) listen(ctx context.Context, rpc pluginv1.ConnectorServiceClient) {
	notices, err := rpc.Events(ctx, &pluginv1.EventsRequest{})
	for err == nil {
		var e *pluginv1.EventsResponse
		if e, err = notices.Recv(); err == nil {
			in.notice(e)
		}
	}
	switch status.Code(err) {
	case codes.Unimplemented, codes.Unavailable, codes.Canceled: // has none, is gone, is being stopped
		return
	}
	if ctx.Err() == nil {
		in.log.Warn("the plugin's notices ended", "error", in.rpcError(ctx, err))
	}
}

// notice never logs a whole message: one kind of them holds a secret.
func (in *Instance) notice(m *pluginv1.EventsResponse) {
	if id := m.GetInstanceId(); id != "" && id != in.cfg.InstanceID {
		in.log.Error("the plugin breaks the protocol: a notice of another instance", "instance", clip(id, 64))
		return
	}
	switch e := m.GetEvent().(type) {
	case *pluginv1.EventsResponse_SecretReplaced:
		in.replaced(e.SecretReplaced)
	case *pluginv1.EventsResponse_Degraded:
		why := in.redact.Error(protocol.FromProtoError(e.Degraded))
		in.log.Warn("the target works only in part", "error", why)
	case *pluginv1.EventsResponse_Recovered:
		in.log.Info("the target works again")
	case *pluginv1.EventsResponse_SchemaChanged:
		in.log.Info("the target's schema changed", "etag", clip(e.SchemaChanged.GetEtag(), 64))
	}
}

// replaced keeps a secret that the target replaced by itself, for the next
// start too.
func (in *Instance) replaced(p *pluginv1.Secret) {
	got := protocol.FromProtoSecrets([]*pluginv1.Secret{p})
	in.redact.Know(got)
	in.keepSecrets(got)
	name := p.GetName()
	in.log.Info("the target replaced a secret", "secret", name)
	if in.cfg.OnSecret != nil {
		in.cfg.OnSecret(name, got[name])
	}
}

// keepSecrets stores new values and returns all secrets.
func (in *Instance) keepSecrets(secrets map[string]connector.Secret) map[string]connector.Secret {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := maps.Clone(in.cfg.Secrets)
	if all == nil {
		all = map[string]connector.Secret{}
	}
	maps.Copy(all, secrets)
	in.cfg.Secrets = all
	return all
}
