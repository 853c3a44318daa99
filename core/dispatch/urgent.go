package dispatch

import (
	"context"
	"slices"
	"time"
)

// peekEvery is how often the queue is asked whether something has become ready that
// goes before what was taken ahead of need.
const peekEvery = 100 * time.Millisecond

// peek takes what is more urgent than the operation that is to begin next, so that a
// leaver who becomes ready goes before the rest of a batch that was taken already.
func (l *loop) peek(ctx context.Context) error {
	o := l.d.opts
	now := o.Now()
	if len(l.taken) == 0 || len(l.flying) >= l.health.window || now.Before(l.peekAt) {
		return nil
	}
	l.peekAt = now.Add(peekEvery)
	found, err := o.Queue.ReadyBefore(ctx, o.Connector, l.taken[0].turn(), now)
	if err != nil || !found {
		return err
	}
	if err := l.take(ctx, l.health.window-len(l.flying)); err != nil {
		return err
	}
	slices.SortStableFunc(l.taken, byTurn)
	return nil
}
