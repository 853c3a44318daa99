package sdk

import (
	"context"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// pump starts whatever may start now. It is called with the lock held whenever
// something became ready or a call came back.
func (e *engine) pump() {
	for e.running < e.limit {
		us := e.take(time.Now())
		if len(us) == 0 {
			return
		}
		e.start(us)
	}
}

// take returns the units of the next call, none when there is nothing to do or
// it is better to wait.
func (e *engine) take(now time.Time) []*unit {
	e.skipDropped()
	if len(e.ready) == 0 {
		return nil
	}
	n := 1
	if e.batch > 1 && !e.ready[0].dry() {
		var wait time.Duration
		if n, wait = e.fill(now); wait > 0 {
			e.pumpLater(wait)
			return nil
		}
	}
	us := e.ready[:n:n]
	if wait := e.paced(us, now); wait > 0 {
		e.pumpLater(wait)
		return nil
	}
	e.ready = e.ready[n:]
	return us
}

func (e *engine) skipDropped() {
	for len(e.ready) > 0 && e.ready[0].state != ready {
		e.ready = e.ready[1:]
	}
}

// fill counts the units that make up the next batch, or says how long to wait
// for more. Units with one ordering key never meet in it: only the first of
// them is ready.
func (e *engine) fill(now time.Time) (n int, wait time.Duration) {
	ops := 0
	for _, u := range e.ready {
		if u.state != ready || u.dry() || (n > 0 && ops+len(u.ops) > e.batch) {
			break
		}
		n, ops = n+1, ops+len(u.ops)
	}
	first := e.ready[0]
	if ops >= e.batch || n < len(e.ready) || e.draining.Load() || first.out.isClosing() {
		return n, 0
	}
	return n, first.since.Add(batchWindow).Sub(now)
}

// paced returns how long to wait before us may start, 0 for now.
func (e *engine) paced(us []*unit, now time.Time) time.Duration {
	if e.pace == nil {
		return 0
	}
	ops := 0
	for _, u := range us {
		ops += len(u.ops)
	}
	r := e.pace.ReserveN(now, min(ops, e.pace.Burst()))
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// pumpLater pumps again after d, once.
func (e *engine) pumpLater(d time.Duration) {
	if e.pumpAt != nil {
		return
	}
	e.pumpAt = time.AfterFunc(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.pumpAt = nil
		e.pump()
	})
}

// start hands us to the connector.
func (e *engine) start(us []*unit) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &call{units: us, cancel: cancel}
	for _, u := range us {
		u.state, u.call = running, c
		e.began(len(u.ops))
	}
	e.running++
	go e.run(ctx, c)
}

// run makes one call. It may return long after the engine has answered.
func (e *engine) run(ctx context.Context, c *call) {
	defer e.finish(c)
	o := e.in.acquire()
	if o == nil {
		e.closeRest(c, errReleasedBefore)
		return
	}
	defer o.done()
	if b, ok := o.target.(connector.Batcher); ok && !c.units[0].dry() {
		e.runBatch(ctx, c, o, b)
		return
	}
	for _, u := range c.units {
		e.runSteps(ctx, c, u, o)
	}
}

// closeRest answers what is left of a call that did not take place.
func (e *engine) closeRest(c *call, why *connector.Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, u := range c.units {
		for i, op := range u.ops {
			e.close(u, i, notAttempted(op, why))
		}
	}
}

// finish makes room for the next call.
func (e *engine) finish(c *call) {
	c.cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running--
	if c.over {
		e.stuck--
	}
	for _, u := range c.units {
		u.state = dropped
		e.unqueue(u)
	}
	e.room.Broadcast()
	e.pump()
}

// anyStep stands for whichever step is under way.
const anyStep = -1

// overrun answers for a call that does not come back. It keeps its place: what
// it might still do must not meet the next operation for the same account, and
// a connector that hangs must not pile up calls. step is the one that was under
// way when the clock was set.
func (e *engine) overrun(c *call, step int, why *connector.Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if first := c.units[0]; c.over || first.state != running || first.answered[first.step] || (step != anyStep && step != first.step) {
		return
	}
	c.over = true
	e.stuck++
	for _, u := range c.units {
		u.state = overdue
		for i, op := range u.ops {
			r := notAttempted(op, errStepFailed)
			if c.batch || i == u.step {
				r = connector.Result{ID: op.Meta().ID, Outcome: connector.OutcomeUnknown, Err: why}
			}
			e.close(u, i, r)
		}
		e.refuseBehind(u)
	}
	if e.stuck >= e.limit {
		e.refuseAll(errAllStuck(e.stuck))
	}
}

// refuseBehind answers what waits for u's ordering key.
func (e *engine) refuseBehind(u *unit) {
	if u.key == "" {
		return
	}
	for _, x := range append([]*unit(nil), e.keys[u.key]...) {
		if x.state == queued {
			e.refuse(x, errKeyStuck)
		}
	}
}

// refuseAll answers everything that is complete and waits.
func (e *engine) refuseAll(why *connector.Error) {
	for _, u := range e.open {
		if u.state == queued || u.state == ready {
			e.refuse(u, why)
		}
	}
}
