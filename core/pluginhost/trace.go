package pluginhost

import (
	"context"
	"path"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/redact"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// tracer takes part in traces for the calls to one process: it tells the plugin of the
// trace, and takes over the spans that come back. Where nothing is traced, calls go out
// as they are.
type tracer struct {
	process string // how the plugin is called in traces
	redact  *redact.Redactor
}

func newTracer(binary string, r *redact.Redactor) tracer { return tracer{filepath.Base(binary), r} }

func (t tracer) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(t.unary), grpc.WithChainStreamInterceptor(t.stream)}
}

func (t tracer) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, s := calling(ctx, method)
	if s == nil {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	var trailer metadata.MD
	err := invoke(ctx, method, req, reply, cc, append(opts, grpc.Trailer(&trailer))...)
	t.trailer(s, trailer)
	called(s, err)
	return err
}

func (t tracer) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, s := calling(ctx, method)
	if s == nil {
		return open(ctx, desc, cc, method, opts...)
	}
	cs, err := open(ctx, desc, cc, method, append(opts, grpc.OnFinish(func(err error) { called(s, err) }))...)
	if err != nil {
		called(s, err)
		return nil, err
	}
	return tracedStream{cs, t, s}, nil
}

// tracedStream takes over the plugin's spans when it has been read to its end.
type tracedStream struct {
	grpc.ClientStream
	tracer tracer
	span   *span.Span
}

// RecvMsg implements [grpc.ClientStream].
func (t tracedStream) RecvMsg(m any) error {
	err := t.ClientStream.RecvMsg(m)
	if err != nil {
		t.tracer.trailer(t.span, t.Trailer())
	}
	return err
}

// trailersWithin is how long a stream that has told all is read on for its trailer.
const trailersWithin = time.Second

// finish reads a stream that has told all to its end where it is traced, because the
// plugin's spans come with that.
func finish[M any](ctx context.Context, cancel context.CancelFunc, stream grpc.ServerStreamingClient[M]) {
	if !span.Recorded(ctx) {
		return
	}
	defer time.AfterFunc(trailersWithin, cancel).Stop()
	for err := error(nil); err == nil; {
		_, err = stream.Recv()
	}
}

// request begins the span of a call.
func request(ctx context.Context, method string) (context.Context, *span.Span) {
	ctx, s := span.Request(ctx, path.Base(method))
	return ctx, s.Text("rpc.system.name", "grpc").Text("rpc.method", strings.TrimPrefix(method, "/"))
}

// called ends the span of a call with its status.
func called(s *span.Span, err error) {
	if err == nil {
		s.End(nil)
		return
	}
	s.EndAs(status.Code(err).String())
}

// calling begins the span of a call and adds the header for the plugin.
func calling(ctx context.Context, method string) (context.Context, *span.Span) {
	ctx, s := request(ctx, method)
	if s != nil {
		ctx = metadata.AppendToOutgoingContext(ctx, protocol.TraceparentKey, span.Traceparent(ctx))
	}
	return ctx, s
}

func (t tracer) trailer(s *span.Span, md metadata.MD) {
	for _, value := range md.Get(protocol.SpansKey) {
		if ds, err := protocol.DecodeSpans(value); err == nil {
			t.adopt(s, ds)
		}
	}
}

// result takes over the spans of an operation.
func (t tracer) result(s *span.Span, p *pluginv1.Result) {
	if s != nil {
		t.adopt(s, protocol.FromProtoSpans(p.GetSpans()))
	}
}

// adopt hands a plugin's spans on, without secrets.
func (t tracer) adopt(s *span.Span, ds []span.Data) {
	for i := range ds {
		d := &ds[i]
		d.Name, d.Code = t.redact.Text(d.Name), t.redact.Text(d.Code)
		for k := range d.Attributes {
			d.Attributes[k].Key, d.Attributes[k].Text = t.redact.Text(d.Attributes[k].Key), t.redact.Text(d.Attributes[k].Text)
		}
	}
	s.Adopt(t.process, ds)
}

// failure is why an operation of c failed; nil: none did.
func (c *call) failure() error {
	for i := range c.results {
		if err := c.results[i].Err; err != nil {
			return err
		}
	}
	return nil
}

// traced tells the plugin that the operations of c belong to the trace of ctx.
func (c *call) traced(ctx context.Context, s *span.Span) {
	if s == nil {
		return
	}
	c.span = s
	parent := span.Traceparent(ctx)
	for _, u := range c.units {
		for _, op := range u.ops {
			op.Traceparent = parent
		}
	}
}
