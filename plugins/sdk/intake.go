package sdk

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// submit takes in one operation. It blocks while too many wait.
func (e *engine) submit(op connector.Operation, out *outbox) error {
	c := op.Meta()
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.waiting >= maxWaiting && e.canMove() && !out.isGone() {
		e.room.Wait()
	}
	id := opID{out, c.ID}
	switch {
	case e.stopped:
		return errReleased
	case e.open[id] != nil:
		e.in.log.Warn("the hub sent an operation that is under way already; it is carried out once", "operation_id", c.ID)
		return nil
	}
	u := e.unitFor(op, out)
	e.open[id] = u
	out.expect()
	e.waiting++
	if !u.complete() && !e.draining.Load() {
		return nil
	}
	e.collected(u)
	if why := e.refusal(u); why != nil {
		e.refuse(u, why)
		return nil
	}
	e.admit(u)
	e.pump()
	return nil
}

// canMove reports whether waiting for room makes sense: when all that waits are
// halves of groups, only reading on helps.
func (e *engine) canMove() bool { return e.running > 0 || len(e.ready) > 0 }

// unitFor returns the unit that op belongs to, with op in it.
func (e *engine) unitFor(op connector.Operation, out *outbox) *unit {
	c := op.Meta()
	if c.Group == "" || c.GroupSize <= 1 {
		u := &unit{out: out, key: c.OrderingKey, size: 1}
		u.add(op)
		e.enqueue(u)
		return u
	}
	id := opID{out, c.Group}
	u := e.groups[id]
	if u == nil {
		u = &unit{out: out, key: c.OrderingKey, group: c.Group, size: c.GroupSize}
		// Its place in the order is that of its first operation.
		e.enqueue(u)
		e.groups[id] = u
		u.timer = time.AfterFunc(e.timeoutOf(op), func() { e.giveUpGroup(u) })
	}
	u.add(op)
	return u
}

// giveUpGroup answers a group of which not all came in time.
func (e *engine) giveUpGroup(u *unit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if u.state == collecting && !u.complete() {
		e.refuse(u, errIncomplete(u))
		e.pump()
	}
}

// refusal returns why u cannot be taken on, nil when it can.
func (e *engine) refusal(u *unit) *connector.Error {
	switch {
	case e.draining.Load():
		return errDraining
	case e.stuck > 0 && e.stuck >= e.limit:
		return errAllStuck(e.stuck)
	case u.key != "" && e.keys[u.key][0].state == overdue:
		return errKeyStuck
	}
	return nil
}

func (e *engine) timeoutOf(op connector.Operation) time.Duration {
	if t := op.Meta().Timeout; t > 0 {
		return t
	}
	return e.timeout
}
