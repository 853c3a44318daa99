package hub

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/secret"
	"github.com/provhub/provhub/core/tracing"
)

// traces begins the traces of a hub, and of those that take its place.
type traces struct {
	span.Tracer
	exporter *tracing.Exporter // nil: there are none
}

// use has what is begun from now on recorded as h's config says. What keeps it from that
// is no fault of the work: it is said, and the work goes on without traces.
func (t *traces) use(h *Hub) {
	e, err := openTraces(h.cfg, tracing.About{Version: h.opt.Version, Node: h.Node()}, h.log)
	if err != nil {
		h.log.Warn("there are no traces", "error", err)
	}
	t.close()
	if t.exporter = e; e != nil {
		t.Use(e, h.cfg.Tracing.Sample)
	}
}

// close ends recording and brings the last spans to the collector.
func (t *traces) close() {
	t.Use(nil, 0)
	if t.exporter != nil {
		t.exporter.Close()
	}
}

func openTraces(cfg *config.Config, a tracing.About, log *slog.Logger) (*tracing.Exporter, error) {
	headers, err := secret.ForTracing(cfg)
	if err != nil {
		return nil, fmt.Errorf("tracing.headers: %w", err)
	}
	return tracing.Open(cfg.Tracing, headers, a, log)
}

// CheckTraces says why there could be no traces though the config wants them, such as a
// secret that is not there. It does not ask the collector.
func CheckTraces(cfg *config.Config) error {
	e, err := openTraces(cfg, tracing.About{}, nil)
	if e != nil {
		e.Close()
	}
	return err
}

// What runs are about.
const (
	aboutSource    = "provhub.source"
	aboutConnector = "provhub.connector"
	aboutPlan      = "provhub.plan"
)

// Traces begins the traces of what asks the hub for something, such as a request.
func (h *Hub) Traces() *span.Tracer { return &h.traces.Tracer }

// Command begins the trace of what a command asked this node for, and returns its id, ""
// for none, and what ends it.
func (h *Hub) Command(ctx context.Context, kind string) (_ context.Context, trace string, end func(error)) {
	ctx, s := h.run(ctx, "command", "provhub.kind", kind)
	return ctx, span.Trace(ctx), s.End
}

// run begins the trace of a run, or a part of the one that ctx belongs to; "" is about
// nothing in particular.
func (h *Hub) run(ctx context.Context, name, about, subject string) (context.Context, *span.Span) {
	ctx, s := h.traces.Start(ctx, name)
	return ctx, s.Text(about, subject)
}
