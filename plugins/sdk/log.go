package sdk

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/redact"
)

// newLogger returns the logger of one instance: a JSON object a line in
// hclog's keys, without the secrets that red knows. A line logged with the
// context of an operation names that operation.
func newLogger(w io.Writer, red *redact.Redactor, instance string) *slog.Logger {
	h := slog.NewJSONHandler(red.Writer(w), &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: hclogKeys})
	return slog.New(operationHandler{h}).With("instance", instance)
}

func hclogKeys(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		a.Key = "@timestamp"
	case slog.MessageKey:
		a.Key = "@message"
	case slog.LevelKey:
		if l, ok := a.Value.Any().(slog.Level); ok {
			return slog.String("@level", strings.ToLower(l.String()))
		}
	}
	return a
}

// operationHandler adds what the context knows of the operation under way.
type operationHandler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h operationHandler) Handle(ctx context.Context, r slog.Record) error {
	if c, ok := connector.CallOf(ctx); ok {
		r.AddAttrs(slog.String("operation_id", c.ID), slog.Int("attempt", c.Attempt))
		if c.Trace != "" {
			r.AddAttrs(slog.String("traceparent", c.Trace))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h operationHandler) WithAttrs(as []slog.Attr) slog.Handler {
	return operationHandler{h.Handler.WithAttrs(as)}
}

// WithGroup implements [slog.Handler].
func (h operationHandler) WithGroup(name string) slog.Handler {
	return operationHandler{h.Handler.WithGroup(name)}
}

// lockedWriter keeps the lines of several instances apart.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements [io.Writer].
func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
