package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
)

// loop is one drain: one goroutine that owns the queue's side, and one for each
// operation under way that talks to the target. Nothing in it grows with what it
// has done, because it may last for months.
type loop struct {
	d       *Dispatcher
	health  *health
	tally   tally
	forever bool            // it goes on when nothing is due
	ending  <-chan struct{} // when it is closed, nothing more is begun

	taken   []Work          // committed as sent, or in doubt, and not begun
	pace    time.Duration   // how long the last attempt took; 0: there was none
	flying  map[string]bool // operations under way
	ended   chan ending     // of attempts
	pending []store.Finish
	flushAt time.Time
	dry     time.Time               // until then the queue is not asked
	askedAt time.Time               // when it was asked; zero: something was recorded since
	peekAt  time.Time               // when it is asked next for what is more urgent
	wakeAt  time.Time               // when those that wait are woken next while others go on
	doneAt  time.Time               // when the last operation was done, or accepted
	missing map[string]time.Time    // since when an operation in doubt was not found
	made    map[identity.Key]landed // accounts that came into being, or moved, lately
	brought map[Need]bool           // what came into being since those that wait for it were woken
	full    *connector.Error        // the target has no seat left

	prepared bool        // the state has been read
	astray   []time.Time // ends of leases of which it is not known whether they were taken
	troubled int         // how often in a row the queue was not to be had
	sinceBad time.Time   // since when
}

func newLoop(d *Dispatcher) *loop {
	now := d.opts.Now()
	return &loop{d: d, doneAt: now, wakeAt: now.Add(wakeEvery), tally: newTally(now), flying: map[string]bool{}, missing: map[string]time.Time{},
		made: map[identity.Key]landed{}, brought: map[Need]bool{}, ended: make(chan ending, d.opts.InFlight),
		health: newHealth(d.gate, d.opts)}
}

// run is the drain. Whatever ends it, it returns with nothing under way.
func (l *loop) run(ctx context.Context) (Summary, error) {
	why, err := l.drain(ctx)
	if len(l.flying)+len(l.taken)+len(l.pending) > 0 {
		l.lastWords(ctx)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return l.tally.summary(l.d.opts.Connector, why), err
}

// drain returns why nothing more is sent: "" when nothing is waiting.
func (l *loop) drain(ctx context.Context) (why string, err error) {
	for more := true; more; {
		if more, why, err = l.round(ctx); err == nil {
			l.recovered()
			continue
		}
		if !l.forever || !l.outlast(ctx, err) {
			return "", err
		}
		more = true
	}
	return why, nil
}

// round begins what may begin and waits for what is under way. more is false when
// the drain is over.
func (l *loop) round(ctx context.Context) (more bool, why string, err error) {
	if ctx.Err() != nil {
		return false, "", nil
	}
	if err := l.prepare(ctx); err != nil {
		return true, "", err
	}
	var shut *shutError
	switch opening := l.d.gate.open(ctx); {
	case errors.As(opening, &shut):
		l.giveBack()
	case opening != nil:
		return true, "", opening
	default:
		if err := l.begin(ctx); err != nil {
			return true, "", err
		}
	}
	if len(l.flying) > 0 {
		return true, "", l.wait(ctx)
	}
	if err := l.flush(ctx); err != nil {
		return true, "", err
	}
	if more, err = l.rest(ctx, shut); shut != nil && !closed(l.ending) {
		why = shut.why // an interruption needs no explanation
	}
	return more, why, err
}

// prepare finds out how things stand, at first and after trouble.
func (l *loop) prepare(ctx context.Context) error {
	if l.troubled > 0 {
		// Outcomes first: what was recorded without our knowing may be taken again.
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	if err := l.bringBack(ctx); err != nil {
		return err
	}
	if l.prepared {
		return nil
	}
	if err := l.wakeAll(ctx); err != nil {
		return err
	}
	if err := l.d.gate.look(ctx); err != nil {
		return err
	}
	l.health.failures = l.d.gate.failures()
	l.prepared = true
	return nil
}

// begin starts as many attempts as the window allows, taking more from the queue
// when few are left.
func (l *loop) begin(ctx context.Context) error {
	l.waitReady(ctx)
	if err := l.wakeMeanwhile(ctx); err != nil {
		return err
	}
	if err := l.peek(ctx); err != nil {
		return err
	}
	if n := l.room(); n > 0 && !l.d.opts.Now().Before(l.dry) {
		if err := l.take(ctx, n); err != nil {
			return err
		}
	}
	for len(l.taken) > 0 && len(l.flying) < l.health.window {
		w := l.taken[0]
		l.taken = l.taken[1:]
		if !w.leased(l.d.opts) {
			l.record(untouched(w, l.d.opts.Now()))
			continue
		}
		if f, ok := l.unseated(w); ok {
			l.record(f)
			continue
		}
		l.start(ctx, w)
	}
	return nil
}

// waitReady gives a plugin that has died a moment to come back, so that its
// death alone does not look like an outage of the target.
func (l *loop) waitReady(ctx context.Context) {
	w, ok := l.d.opts.Target.(Waiter)
	if !ok || l.health.failures == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, breakerFirst)
	defer cancel()
	_ = w.WaitReady(ctx) // when it is not, the next call says why
}

func (l *loop) start(ctx context.Context, w Work) {
	shape := Shape{l.d.opts.Target.Capabilities(), l.d.opts.Target.Schema()}
	since, seen := l.missing[w.ID]
	w.renew(shape, l.madeSince(w.Taken))
	l.health.begun++
	a := &attempt{d: l.d, number: l.health.begun, w: w, shape: shape,
		lagged: seen && l.d.opts.Now().Sub(since) >= l.d.opts.ReadLag}
	l.flying[w.ID] = true
	go func() {
		ctx, s := l.traceAttempt(ctx, w)
		e := a.carry(ctx)
		traceEnd(ctx, s, &e)
		l.ended <- e
	}()
}
