package pluginhost

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Invoke runs an action of the plugin to its end and returns its result, JSON or
// nil. progress, nil for nobody, is called meanwhile, by this goroutine. ctx
// bounds it. The error is a [*connector.Error]: UNSUPPORTED for an action that
// the connector does not have, TIMEOUT when ctx ended; whether a write of the
// action took effect, no error says.
func (in *Instance) Invoke(ctx context.Context, name string, args json.RawMessage, progress func(connector.Progress)) (json.RawMessage, error) {
	l, why := in.acquire(ctx)
	if l == nil {
		return nil, why
	}
	defer in.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := protocol.ToProtoInvoke(in.cfg.InstanceID, connector.Invocation{ID: rand.Text(), Name: name, Arguments: args})
	if err != nil {
		return nil, connector.Errorf(connector.CodeInvalidValue, "action: %w", err)
	}
	stream, err := l.proc.rpc.Invoke(ctx, request)
	if err != nil {
		return nil, in.rpcError(ctx, err)
	}
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			return nil, connector.Errorf(connector.CodeInternal, "the plugin ended the action without saying how")
		}
		if err != nil {
			return nil, in.rpcError(ctx, err)
		}
		switch k := m.GetMessage().(type) {
		case *pluginv1.InvokeResponse_Progress:
			if progress != nil {
				p := protocol.FromProtoProgress(k.Progress)
				p.Message = in.redact.Text(p.Message)
				progress(p)
			}
		case *pluginv1.InvokeResponse_Error:
			if e := in.targetError(k.Error); e != nil {
				return nil, e
			}
			return nil, connector.Errorf(connector.CodeInternal, "the plugin says that the action failed, and not why")
		case *pluginv1.InvokeResponse_ResultJson:
			finish(ctx, cancel, stream)
			return in.result(k.ResultJson)
		default:
			return nil, connector.Errorf(connector.CodeInternal, "the plugin answered the action with a message that this version does not know")
		}
	}
}

// result is what the plugin answered, without secrets.
func (in *Instance) result(raw []byte) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	clean := json.RawMessage(in.redact.Text(string(raw)))
	if !json.Valid(clean) {
		return nil, connector.Errorf(connector.CodeInternal, "the result of the action is not JSON, or not once secrets are taken out of it")
	}
	return clean, nil
}
