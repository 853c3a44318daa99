package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/store"
)

const (
	// flushAfter and flushSize bound how long outcomes wait to be recorded together.
	flushAfter = 4 * time.Millisecond
	flushSize  = 64
	// flushLate is the same for a slow target, of whose calls they wait flushShare at most.
	flushLate  = 50 * time.Millisecond
	flushShare = 16
)

// record has an outcome recorded with the next batch.
func (l *loop) record(f store.Finish) {
	if len(l.pending) == 0 {
		l.flushAt = l.d.opts.Now().Add(l.gathering())
	}
	l.pending = append(l.pending, f)
}

// gathering is how long outcomes wait for others. What a crash comes between is
// looked up, so those of a target that cannot be asked do not wait longer than needed.
func (l *loop) gathering() time.Duration {
	if l.blind() {
		return flushAfter
	}
	return min(max(l.pace/flushShare, flushAfter), flushLate)
}

// giveBack puts what was taken and not begun back into the queue.
func (l *loop) giveBack() {
	for _, w := range l.taken {
		l.record(untouched(w, l.d.opts.Now()))
	}
	l.taken = nil
}

// flush records the outcomes that have gathered, in one commit.
func (l *loop) flush(ctx context.Context) error {
	if len(l.pending) == 0 {
		return nil
	}
	writing, s := span.Start(ctx, "record")
	s.Text("provhub.connector", l.d.opts.Connector).Number("provhub.operations", len(l.pending))
	fenced, err := l.d.opts.Queue.Finish(writing, l.pending)
	s.End(err)
	if err != nil {
		return err
	}
	lost := map[string]bool{}
	for _, id := range fenced {
		lost[id] = true
		l.d.opts.Log.Warn("the lease was lost to another worker; what it records counts", "operation", id)
	}
	for i, f := range l.pending {
		if !lost[f.ID] {
			l.tally.record(f)
			if l.d.opts.Finished != nil {
				l.d.opts.Finished(&l.pending[i])
			}
			if f.State == store.OpDone || len(f.Continuation) > 0 && f.Attempt != nil {
				l.doneAt = f.Now
			}
		}
	}
	l.pending, l.askedAt = l.pending[:0], time.Time{}
	if l.d.opts.Progress != nil {
		l.d.opts.Progress(l.tally.summary(l.d.opts.Connector, ""))
	}
	if now := l.d.opts.Now(); l.forever && now.Sub(l.tally.since) >= reportEvery {
		l.report(now)
	}
	return nil
}

// reportEvery is how often a Run that has no rest says what it did.
const reportEvery = time.Minute

// report writes a line about what became of operations since the last one.
func (l *loop) report(now time.Time) {
	if s := l.tally.summary(l.d.opts.Connector, ""); s.Done+s.Replanned+s.Retrying+s.Pending+s.Unknown+s.ParkedTotal() > 0 {
		l.d.opts.Log.Info("operations carried out", "summary", s.String())
	}
	l.tally = newTally(now)
}

// log writes a line for what became of an attempt: at the level of debugging unless a
// person has to do something. What the target said is left out: it may name people.
func (l *loop) log(e ending) {
	f, level := e.finish, slog.LevelDebug
	if f.State == store.OpParked {
		level = slog.LevelWarn
	}
	if f.Attempt == nil || !l.d.opts.Log.Enabled(context.Background(), level) {
		return
	}
	about := []slog.Attr{
		slog.String("operation", f.ID), slog.String("plan", e.plan), slog.String("kind", string(f.Operation.Kind)), slog.String("state", string(f.State)),
		slog.Int("attempt", f.Attempt.N), slog.Duration("took", f.Attempt.Took),
	}
	text := "operation done"
	if f.State != store.OpDone {
		text = "operation not done"
	}
	if f.Err != nil {
		about = append(about, slog.String("code", f.Err.Code.String()))
	}
	if !f.NextAttemptAt.IsZero() {
		about = append(about, slog.Time("next", f.NextAttemptAt))
	}
	if e.trace != "" {
		about = append(about, slog.String("trace", e.trace))
	}
	l.d.opts.Log.LogAttrs(context.Background(), level, text, about...)
}
