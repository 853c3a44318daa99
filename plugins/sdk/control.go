package sdk

import (
	"context"
	"time"
)

// halfClose says that nothing more comes on out.
func (e *engine) halfClose(out *outbox) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out.close()
	e.giveUpGroups(out)
	e.pump()
}

// giveUpGroups answers the groups of out that cannot become complete; all of
// them when out is nil.
func (e *engine) giveUpGroups(out *outbox) {
	for id, u := range e.groups {
		if out == nil || id.out == out {
			e.refuse(u, errIncomplete(u))
		}
	}
}

// leave forgets a stream that broke.
func (e *engine) leave(out *outbox) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out.leave()
	for id, u := range e.open {
		if id.out != out {
			continue
		}
		delete(e.open, id)
		if u.state == running || u.state == overdue {
			u.call.abandon()
		} else {
			e.drop(u)
		}
	}
	e.wakeSettled()
	e.room.Broadcast()
	e.pump()
}

// cancel takes an operation back, if it can. One that waits is answered as
// cancelled together with its group; one that runs is asked to stop, and
// answers for itself.
func (e *engine) cancel(out *outbox, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u := e.open[opID{out, id}]
	switch {
	case u == nil:
	case u.state == running || u.state == overdue:
		c := u.call
		if c.abandon() {
			time.AfterFunc(answerGrace, func() { e.overrun(c, anyStep, errCancelled) })
		}
	default:
		e.refuse(u, errCancelledBefore)
		e.pump()
	}
}

// drain answers, once draining is set, the groups that cannot become complete any
// more, and lets batches wait no longer.
func (e *engine) drain() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.giveUpGroups(nil)
	e.pump()
}

// stop answers what waits as cancelled and asks what runs to end.
func (e *engine) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	for _, u := range e.open {
		if u.state == running || u.state == overdue {
			u.call.abandon()
		} else {
			e.refuse(u, errReleasedBefore)
		}
	}
	e.room.Broadcast()
}

// settle waits until everything is answered, and returns what was not when ctx
// ended.
func (e *engine) settle(ctx context.Context) (unanswered []string) {
	e.mu.Lock()
	if len(e.open) == 0 {
		e.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	e.settled = append(e.settled, done)
	e.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.open {
		unanswered = append(unanswered, id.id)
	}
	return unanswered
}

func (e *engine) wakeSettled() {
	if len(e.open) > 0 {
		return
	}
	for _, c := range e.settled {
		close(c)
	}
	e.settled = nil
}
