package dispatch

import (
	"context"
	"time"
)

// rest waits until there may be something to do again. more is false when the drain
// is over: that is not within its patience, or it is to end.
func (l *loop) rest(ctx context.Context, shut *shutError) (more bool, err error) {
	if closed(l.ending) {
		return false, nil
	}
	now := l.d.opts.Now()
	if shut == nil {
		if woken, err := l.wakeDependents(ctx); err != nil || woken {
			return woken, err
		}
		if ended, err := l.endDrain(ctx); err != nil || ended {
			return true, err // the gate says so
		}
	}
	if l.forever {
		l.report(now)
		return true, l.idle(ctx, shut)
	}
	var at time.Time
	if shut != nil {
		at = shut.until
	} else if at, err = l.d.opts.Queue.DueAt(ctx, l.d.opts.Connector); err != nil {
		return false, err
	}
	if at.IsZero() || at.After(now) && at.Sub(l.doneAt) > l.d.opts.Patience {
		return false, nil
	}
	if shut == nil && !at.After(l.askedAt) {
		return false, nil // it is due, and was not to be had: another worker has it
	}
	l.dry, l.askedAt = time.Time{}, time.Time{}
	pause(ctx, l.ending, at.Sub(now), l.d.wake)
	return true, nil
}

// idle waits until something is due, with one small query each time. While the gate
// is shut it looks at that again, since anybody may open it.
func (l *loop) idle(ctx context.Context, shut *shutError) error {
	o := l.d.opts
	l.dry = time.Time{}
	for wait := o.Idle; ; {
		if shut != nil && !shut.until.IsZero() {
			wait = min(wait, max(shut.until.Sub(o.Now()), 0))
		}
		pause(ctx, l.ending, wait, l.d.wake)
		if shut != nil || closed(l.ending) || ctx.Err() != nil {
			return nil
		}
		at, err := o.Queue.DueAt(ctx, o.Connector)
		now := o.Now()
		if err != nil || !at.IsZero() && !at.After(now) {
			return err
		}
		if wait = o.Idle; !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
	}
}

// endDrain pauses the connector when somebody drains it and that is through.
func (l *loop) endDrain(ctx context.Context) (ended bool, err error) {
	if !l.d.gate.drained() {
		return false, nil
	}
	ended, err = l.d.opts.Queue.EndDrain(ctx, l.d.opts.Connector, l.d.opts.Now())
	if err != nil || !ended {
		return false, err
	}
	return true, l.d.gate.look(ctx)
}
