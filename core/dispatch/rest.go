package dispatch

import (
	"context"
	"maps"
	"slices"
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

// wakeDependents has the operations tried again that wait for an account, when
// some were made.
func (l *loop) wakeDependents(ctx context.Context) (woken bool, err error) {
	d := l.d
	if !l.wake || len(d.waiting) == 0 {
		return false, nil
	}
	l.wake, l.dry, l.askedAt = false, time.Time{}, time.Time{}
	ids := slices.Sorted(maps.Keys(d.waiting))
	n, err := d.opts.Queue.WakeDependents(context.WithoutCancel(ctx), d.opts.Connector, ids, d.opts.Now())
	return n > 0, err
}

// wakeAll does so for all of them before the first drain: what was made before
// this process began may have woken nobody.
func (l *loop) wakeAll(ctx context.Context) error {
	if l.d.begun {
		return nil
	}
	l.d.begun = true
	_, err := l.d.opts.Queue.WakeDependents(context.WithoutCancel(ctx), l.d.opts.Connector, nil, l.d.opts.Now())
	return err
}
