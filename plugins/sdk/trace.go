package sdk

import (
	"context"
	"path"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// What a plugin does for a call that the hub traces goes back with the answer: the spans
// of an operation in its result, those of other calls in a trailer. So a plugin needs no
// collector, and no credentials for one.

// traced is an operation that the hub traces; nil: it does not.
type traced struct {
	span *span.Span
	kept *span.Collector
}

// trace begins the span of an operation that came in.
func trace(op connector.Operation) *traced {
	c := op.Meta()
	if c.Trace == "" {
		return nil
	}
	_, s, kept := span.Collect(context.Background(), c.Trace, string(op.Verb()))
	if s == nil {
		return nil
	}
	s.Text("provhub.operation", c.ID).Number("provhub.attempt", c.Attempt)
	return &traced{s, kept}
}

// in returns ctx for the call that carries the operation out.
func (t *traced) in(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return t.span.In(ctx)
}

// end puts the spans into the answer.
func (t *traced) end(p *pb.Result, r connector.Result) {
	if t == nil {
		return
	}
	t.span.Text("provhub.outcome", string(r.Outcome))
	t.span.End(r.Err)
	p.Spans = protocol.ToProtoSpans(t.kept.Take())
}

// trace returns the trace of operation i.
func (u *unit) trace(i int) *traced {
	if i < len(u.traces) {
		return u.traces[i]
	}
	return nil
}

// trace returns that of the first operation of a call which is traced: what is done for
// several at once is told with that one.
func (c *call) trace() *traced {
	for _, u := range c.units {
		for _, t := range u.traces {
			if t != nil {
				return t
			}
		}
	}
	return nil
}

// keepTrace remembers the trace of the operation that was added last.
func (u *unit) keepTrace(t *traced) {
	if t == nil {
		return
	}
	for len(u.traces) < len(u.ops)-1 {
		u.traces = append(u.traces, nil)
	}
	u.traces = append(u.traces, t)
}

// traceUnary has the spans of a call go back in its trailer.
func traceUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, s, kept := called(ctx, info.FullMethod)
	resp, err := handle(ctx, req)
	if s != nil {
		s.End(err)
		_ = grpc.SetTrailer(ctx, spansOf(kept)) // the answer counts
	}
	return resp, err
}

// traceStream is traceUnary for a call with several answers. Those of Apply have spans of
// their own.
func traceStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, s, kept := called(stream.Context(), info.FullMethod)
	if s == nil {
		return handle(srv, stream)
	}
	err := handle(srv, tracedStream{stream, ctx})
	s.End(err)
	stream.SetTrailer(spansOf(kept))
	return err
}

type tracedStream struct {
	grpc.ServerStream
	ctx context.Context
}

// Context implements [grpc.ServerStream].
func (t tracedStream) Context() context.Context { return t.ctx }

func called(ctx context.Context, method string) (context.Context, *span.Span, *span.Collector) {
	parent := metadata.ValueFromIncomingContext(ctx, protocol.TraceparentKey)
	if len(parent) != 1 {
		return ctx, nil, nil
	}
	return span.Collect(ctx, parent[0], path.Base(method))
}

func spansOf(kept *span.Collector) metadata.MD {
	value, err := protocol.EncodeSpans(kept.Take())
	if err != nil {
		return nil
	}
	return metadata.Pairs(protocol.SpansKey, value)
}
