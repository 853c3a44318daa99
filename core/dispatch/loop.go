package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

// dryFor is how long an empty queue is not asked again while work is under way.
const dryFor = 200 * time.Millisecond

// loop is one drain: one goroutine that owns the queue's side, and one for each
// operation under way that talks to the target.
type loop struct {
	d      *Dispatcher
	health *health
	tally  tally

	taken   []Work        // committed as sent, or in doubt, and not begun
	pace    time.Duration // how long the last attempt took; 0: there was none
	running int           // attempts under way
	ended   chan ending   // of attempts
	pending []store.Finish
	flushAt time.Time
	dry     time.Time            // until then the queue is not asked
	askedAt time.Time            // when it was asked; zero: something was recorded since
	doneAt  time.Time            // when the last operation was done
	missing map[string]time.Time // since when an operation in doubt was not found
	made    References           // accounts that came into being lately
	brought map[Need]bool        // what came into being since those that wait for it were woken
	full    *connector.Error     // the target has no seat left
}

func newLoop(d *Dispatcher) *loop {
	return &loop{d: d, doneAt: d.opts.Now(), tally: tally{open: map[string]store.Finish{}}, missing: map[string]time.Time{}, made: References{},
		brought: map[Need]bool{}}
}

// run is the drain. Whatever ends it, it returns with nothing under way.
func (l *loop) run(ctx context.Context) (Summary, error) {
	why, err := l.drain(ctx)
	for l.running > 0 { // after an error of the queue
		<-l.ended
		l.running--
	}
	return l.tally.summary(l.d.opts.Connector, why), err
}

// drain returns why nothing more is sent: "" when nothing is waiting.
func (l *loop) drain(ctx context.Context) (why string, err error) {
	if err := l.wakeAll(ctx); err != nil {
		return "", err
	}
	opening := l.d.gate.open(ctx)
	l.health = newHealth(l.d.gate, l.d.opts.InFlight, l.d.opts.Random)
	l.ended = make(chan ending, l.d.opts.InFlight)
	for ; ; opening = l.d.gate.open(ctx) {
		var shut *shutError
		switch {
		case errors.As(opening, &shut):
			l.giveBack()
		case opening != nil:
			return "", opening
		default:
			if err := l.begin(ctx); err != nil {
				return "", err
			}
		}
		if l.running > 0 {
			if err := l.wait(ctx); err != nil {
				return "", err
			}
			continue
		}
		if err := l.flush(ctx); err != nil {
			return "", err
		}
		if more, err := l.rest(ctx, shut); err != nil || !more {
			return reason(ctx, shut), err
		}
	}
}

// reason says why a drain ended early; an interruption needs no explanation.
func reason(ctx context.Context, shut *shutError) string {
	if shut == nil || ctx.Err() != nil {
		return ""
	}
	return shut.why
}

// begin starts as many attempts as the window allows, taking more from the queue
// when few are left.
func (l *loop) begin(ctx context.Context) error {
	l.waitReady(ctx)
	if n := l.room(); n > 0 && !l.d.opts.Now().Before(l.dry) {
		if err := l.take(ctx, n); err != nil {
			return err
		}
	}
	for len(l.taken) > 0 && l.running < l.health.window {
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
	w.Refs = l.made.addTo(w, shape)
	l.health.begun++
	a := &attempt{d: l.d, number: l.health.begun, w: w, shape: shape,
		lagged: seen && l.d.opts.Now().Sub(since) >= l.d.opts.ReadLag}
	l.running++
	go func() { l.ended <- a.carry(ctx) }()
}

// wait takes the endings that are there, at least one unless the time for
// recording outcomes comes first.
func (l *loop) wait(ctx context.Context) error {
	patience := fresh
	if len(l.pending) > 0 {
		patience = l.flushAt.Sub(l.d.opts.Now())
	}
	t := time.NewTimer(max(patience, 0))
	defer t.Stop()
	select {
	case e := <-l.ended:
		if err := l.took(ctx, e); err != nil {
			return err
		}
	case <-t.C:
	}
	for more := true; more; {
		select {
		case e := <-l.ended:
			if err := l.took(ctx, e); err != nil {
				return err
			}
		default:
			more = false
		}
	}
	if len(l.pending) >= flushSize || len(l.pending) > 0 && !l.d.opts.Now().Before(l.flushAt) {
		return l.flush(ctx)
	}
	return nil
}

// took takes an ending over.
func (l *loop) took(ctx context.Context, e ending) error {
	l.running--
	l.pace = max(e.took, 1)
	if err := l.health.took(ctx, e); err != nil {
		return err
	}
	if at := l.d.gate.resumeAt(); e.finish.State == store.OpRetry && at.After(e.finish.NextAttemptAt) {
		// The next probe is another operation, so that one which always finds the
		// target down does not keep all others from finding it up.
		e.finish.NextAttemptAt = at.Add(probeGap)
	}
	l.record(e.finish)
	l.needs(e)
	l.brings(e)
	if a := e.finish.Account; a != nil && e.made {
		if len(l.made) > 8*batchMax { // the ledger has them
			clear(l.made)
		}
		l.made[refKey(a.AccountKey)] = a.Ref
	}
	if !e.missing {
		delete(l.missing, e.finish.ID)
	} else if _, seen := l.missing[e.finish.ID]; !seen {
		l.missing[e.finish.ID] = e.finish.Now
	}
	l.log(e.finish)
	return nil
}
