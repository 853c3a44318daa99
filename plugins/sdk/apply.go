package sdk

import (
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

type applyStream = grpc.BidiStreamingServer[pb.ApplyRequest, pb.ApplyResponse]

// errReleased ends a stream whose instance is gone.
var errReleased = status.Error(codes.FailedPrecondition, "the instance was released")

// Apply serves the write path of one instance. The hub may half-close: then
// what is outstanding is answered and the stream ends. When it breaks, what
// waits is dropped and what runs is cancelled; the hub takes both for unknown.
func (s *server) Apply(stream applyStream) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if first.GetOpen() == nil {
		return status.Error(codes.InvalidArgument, "the first message of an Apply stream must be open")
	}
	in, err := s.instance(first.GetOpen().GetInstanceId())
	if err != nil {
		return err
	}
	out := newOutbox()
	received := make(chan error, 1)
	go func() { received <- in.engine.receive(stream, out) }()
	defer in.engine.leave(out)
	return out.run(stream, received)
}

// receive feeds the engine until the hub half-closes (nil) or the stream breaks.
func (e *engine) receive(stream applyStream, out *outbox) error {
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			e.halfClose(out)
			return nil
		}
		if err != nil {
			return err
		}
		for _, p := range m.GetBatch().GetOperations() {
			if err := e.accept(p, out); err != nil {
				return err
			}
		}
		if c := m.GetCancel(); c != nil {
			e.cancel(out, c.GetOperationId())
		}
	}
}

// accept takes one operation off the wire. One that cannot be read is answered
// at once; nothing of it is carried out.
func (e *engine) accept(p *pb.Operation, out *outbox) error {
	op, err := protocol.FromProtoOperation(p)
	if err != nil {
		out.expect()
		out.put(protocol.ToProtoResult(connector.Result{
			ID: p.GetOperationId(), Outcome: connector.OutcomeFailed, Err: connector.AsError(err)}))
		return nil
	}
	return e.submit(op, out)
}
