package dispatch

import (
	"context"
	"time"
)

// rest waits until there may be something to do again. more is false when that
// is not within the drain's patience.
func (l *loop) rest(ctx context.Context, shut *shutError) (more bool, err error) {
	now := l.d.opts.Now()
	if shut == nil {
		if woken, err := l.wakeDependents(ctx); err != nil || woken {
			return woken, err
		}
	}
	var at time.Time
	if shut != nil {
		at = shut.until
	} else if at, _, err = l.d.opts.Queue.NextDue(context.WithoutCancel(ctx), l.d.opts.Connector); err != nil {
		return false, err
	}
	if at.IsZero() || ctx.Err() != nil || at.After(now) && at.Sub(l.doneAt) > l.d.opts.Patience {
		return false, nil
	}
	if shut == nil && !at.After(l.askedAt) {
		return false, nil // it is due, and was not to be had: another worker has it
	}
	l.dry, l.askedAt = time.Time{}, time.Time{}
	sleep(ctx, at.Sub(now), nil)
	return true, nil
}
