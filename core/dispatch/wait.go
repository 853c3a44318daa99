package dispatch

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/store"
)

// wait takes the endings that are there, at least one unless the time for
// recording outcomes comes first, or somebody knows of something new to do.
func (l *loop) wait(ctx context.Context) error {
	patience := fresh
	if len(l.pending) > 0 {
		patience = l.flushAt.Sub(l.d.opts.Now())
	}
	t := time.NewTimer(max(patience, 0))
	defer t.Stop()
	var err error
	select {
	case e := <-l.ended:
		err = l.took(ctx, e)
	case <-t.C:
	case <-l.d.wake:
		l.dry, l.peekAt = time.Time{}, time.Time{}
	}
	for more := true; more && err == nil; {
		select {
		case e := <-l.ended:
			err = l.took(ctx, e)
		default:
			more = false
		}
	}
	if err != nil {
		return err
	}
	if len(l.pending) >= flushSize || len(l.pending) > 0 && !l.d.opts.Now().Before(l.flushAt) {
		return l.flush(ctx)
	}
	return nil
}

// took takes an ending over. The error is that what follows for the connector could
// not be written; the ending is recorded all the same.
func (l *loop) took(ctx context.Context, e ending) error {
	l.pace = max(e.took, 1)
	err := l.health.took(ctx, e)
	l.land(e)
	return err
}

// land has an ending recorded, and remembers what it means for others.
func (l *loop) land(e ending) {
	delete(l.flying, e.finish.ID)
	if at := l.d.gate.resumeAt(); e.finish.State == store.OpRetry && at.After(e.finish.NextAttemptAt) {
		// The next probe is another operation, so that one which always finds the
		// target down does not keep all others from finding it up.
		e.finish.NextAttemptAt = at.Add(probeGap)
	}
	l.record(e.finish)
	l.needs(e)
	l.brings(e)
	if a := e.finish.Account; a != nil && e.made {
		l.moved(a, e.finish.Now)
	}
	if !e.missing {
		delete(l.missing, e.finish.ID)
	} else if _, seen := l.missing[e.finish.ID]; !seen {
		if len(l.missing) > memory { // they are looked up once more than needed
			clear(l.missing)
		}
		l.missing[e.finish.ID] = e.finish.Now
	}
	l.log(e)
}

// memory bounds what is remembered of single operations for the next ones.
const memory = 8 * batchMax
