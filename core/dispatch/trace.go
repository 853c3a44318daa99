package dispatch

import (
	"context"

	"github.com/provhub/provhub/connectors/connector/span"
)

// traceBatch begins the span of taking operations. One that takes none is not ended.
func (l *loop) traceBatch(ctx context.Context) (context.Context, *span.Span) {
	ctx, s := l.d.opts.Traces.Start(ctx, "take")
	s.Text("provhub.connector", l.d.opts.Connector)
	return ctx, s
}

// traceAttempt begins the span of an attempt: in the trace of the run that put the
// operation into the queue, which may have been long ago and on another node, else in
// that of the batch it was taken with.
func (l *loop) traceAttempt(ctx context.Context, w Work) (context.Context, *span.Span) {
	ctx = w.batch.In(ctx)
	if w.Trace != "" {
		ctx = span.Remote(ctx, w.Trace)
	}
	ctx, s := l.d.opts.Traces.Start(ctx, "operation")
	if s == nil {
		return ctx, nil
	}
	s.Text("provhub.connector", l.d.opts.Connector).Text("provhub.operation", w.ID).Text("provhub.plan", w.Plan).
		Text("provhub.kind", string(w.Operation.Kind)).Number("provhub.attempt", w.Attempts+1)
	s.LinkTo(w.batch)
	return ctx, s
}

// traceEnd ends the span of an attempt with what came of it.
func traceEnd(ctx context.Context, s *span.Span, e *ending) {
	if s == nil {
		return
	}
	e.trace = span.Trace(ctx)
	s.Text("provhub.state", string(e.finish.State))
	s.End(e.finish.Err)
}
