package jobs

import (
	"context"
	"log/slog"
)

// quieter takes what is logged as information for debugging: River tells of its own
// upkeep every few minutes, which means nothing to whoever runs the hub.
type quieter struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (q quieter) Enabled(ctx context.Context, l slog.Level) bool {
	return q.Handler.Enabled(ctx, lowered(l))
}

// Handle implements [slog.Handler].
func (q quieter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	return q.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (q quieter) WithAttrs(as []slog.Attr) slog.Handler { return quieter{q.Handler.WithAttrs(as)} }

// WithGroup implements [slog.Handler].
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }

func lowered(l slog.Level) slog.Level {
	if l == slog.LevelInfo {
		return slog.LevelDebug
	}
	return l
}
