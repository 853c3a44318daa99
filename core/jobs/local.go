package jobs

import (
	"context"
	"sync"
	"time"
)

// local is the queue of the one node that works on a SQLite file. What is in it
// needs no keeping: slots are in the state, and what was asked for goes over to the next
// runner; when the node ends it is asked for again by whoever saw the reason, or done by
// the next slot.
type local struct {
	p    *performer
	wake chan struct{}
	stop context.CancelFunc // begins nothing more
	kill context.CancelFunc // cancels what runs
	done chan struct{}

	mu      sync.Mutex
	waiting map[key]waiting
	running map[key]bool
	// rests are jobs that the state did not take, and until when nothing is tried: the slot
	// is still due, and would be tried again at once, for ever.
	rests  map[key]time.Time
	closed bool // what was left is with the next runner
}

// restFor is how long.
const restFor = 10 * time.Second

// waiting is a job that did not begin yet.
type waiting struct {
	job    Job
	begins time.Time
}

func startLocal(ctx context.Context, p *performer) *local {
	loop, stop := context.WithCancel(ctx)
	work, kill := context.WithCancel(context.WithoutCancel(ctx))
	l := &local{p: p, wake: make(chan struct{}, 1), stop: stop, kill: kill, done: make(chan struct{}),
		waiting: map[key]waiting{}, running: map[key]bool{}, rests: map[key]time.Time{}}
	go l.loop(loop, work)
	return l
}

// Ask implements [Runner].
func (l *local) Ask(_ context.Context, kind, subject, why string) error {
	now := l.p.o.Now()
	if !l.put(Job{Kind: kind, Subject: subject, Why: why, At: now}, now) {
		return ErrStopped
	}
	return nil
}

// Left implements [Runner]. Slots are due until they were run.
func (l *local) Left() (out []Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, w := range l.waiting {
		if w.job.Slot.IsZero() {
			out = append(out, w.job)
		}
	}
	return out
}

// put queues a job. One at a time of a thing: the earlier one does for both. It is false
// when nothing is taken any more.
func (l *local) put(j Job, begins time.Time) bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	w, queued := l.waiting[j.key()]
	sooner := !queued || begins.Before(w.begins)
	if sooner {
		l.waiting[j.key()] = waiting{j, begins}
	}
	l.mu.Unlock()
	if sooner { // else the loop, which queues what is due at every turn, would wake itself
		l.ring()
	}
	return true
}

func (l *local) ring() {
	select {
	case l.wake <- struct{}{}:
	default: // it rings already
	}
}

// Stop implements [Runner].
func (l *local) Stop(ctx context.Context) error {
	l.stop()
	select {
	case <-l.done:
	case <-ctx.Done():
	}
	l.kill()
	<-l.done
	return ctx.Err()
}

// loop queues what falls due and begins what may begin.
func (l *local) loop(ctx, work context.Context) {
	defer close(l.done)
	var runs sync.WaitGroup
	defer runs.Wait()
	var resumed time.Time
	for ctx.Err() == nil {
		now := l.p.o.Now()
		if now.Sub(resumed) >= resumeEvery {
			resumed = now
			l.resume(ctx)
		}
		next := l.queueDue(ctx, now.Add(resumeEvery))
		for _, j := range l.ready(now) {
			runs.Go(func() { l.run(work, j) })
		}
		l.sleep(ctx, l.earliest(next).Sub(l.p.o.Now()))
	}
}

// queueDue queues the slots that are due, and returns when the next one is, no
// later than latest.
func (l *local) queueDue(ctx context.Context, latest time.Time) time.Time {
	for k, e := range l.p.entries {
		l.mu.Lock()
		busy := l.running[k]
		l.mu.Unlock()
		if busy {
			continue // its slot is being run
		}
		j, begin, due, err := l.p.due(ctx, e)
		if err != nil {
			l.p.o.Log.Error("the schedule could not be read", "kind", e.Kind, "subject", e.Subject, "error", err)
			continue
		}
		if due {
			l.put(j, begin)
		} else if next := e.Schedule.Next(l.p.o.Now()); next.Before(latest) {
			latest = next
		}
	}
	return latest
}

// ready takes the jobs that begin now from those that wait.
func (l *local) ready(now time.Time) (out []Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, w := range l.waiting {
		if l.beginsAt(k, w).After(now) || l.running[k] || len(l.running) >= l.p.o.AtOnce {
			continue
		}
		delete(l.waiting, k)
		l.running[k] = true
		out = append(out, w.job)
	}
	return out
}

// earliest returns when there may be something to do: next, or when something that
// waits begins.
func (l *local) earliest(next time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, w := range l.waiting {
		if !l.running[k] && len(l.running) < l.p.o.AtOnce && l.beginsAt(k, w).Before(next) {
			next = l.beginsAt(k, w)
		}
	}
	return next
}

// beginsAt is when a job that waits may begin.
func (l *local) beginsAt(k key, w waiting) time.Time {
	if rests := l.rests[k]; rests.After(w.begins) {
		return rests
	}
	return w.begins
}

func (l *local) run(ctx context.Context, j Job) {
	again, err := l.p.perform(ctx, j)
	if err != nil {
		l.p.o.Log.Error("a run could not be recorded", "kind", j.Kind, "subject", j.Subject, "error", err)
	}
	if again > 0 {
		l.put(j, l.p.o.Now().Add(again))
	}
	l.mu.Lock()
	delete(l.rests, j.key())
	if err != nil {
		l.rests[j.key()] = l.p.o.Now().Add(restFor)
	}
	delete(l.running, j.key())
	l.mu.Unlock()
	l.ring()
}

// resume asks for the runs once more that a node before us left.
func (l *local) resume(ctx context.Context) {
	orphans, err := l.p.orphans(ctx)
	if err != nil {
		l.p.o.Log.Error("interrupted runs could not be looked for", "error", err)
	}
	for _, r := range orphans {
		_ = l.Ask(ctx, r.Kind, r.Subject, interrupted)
	}
}

func (l *local) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(max(d, time.Millisecond))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-l.wake:
	case <-t.C:
	}
}
