package sdk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
)

// unitState says where a unit stands.
//
//	collecting ─► queued ─► ready ─► running ─► (answered)
//	      │          │        │         └─► overdue ─► (the call came back)
//	      └──────────┴────────┴─► dropped
type unitState int

const (
	collecting unitState = iota // parts of its group are missing
	queued                      // others with its ordering key come first
	ready
	running
	overdue // answered in the connector's place; the call has not come back
	dropped
)

// unit is what is carried out together: one operation, or a group in order. The
// operations of a group share one ordering key, that of the first.
type unit struct {
	out   *outbox
	ops   []connector.Operation
	key   string
	group string
	size  int

	traces   []*traced // of the operations; may be shorter
	state    unitState
	answered []bool
	step     int         // the operation under way, where they go one by one
	timer    *time.Timer // gives up collecting
	since    time.Time   // when its turn came
	call     *call
}

func (u *unit) add(op connector.Operation) {
	u.ops = append(u.ops, op)
	u.answered = append(u.answered, false)
	u.keepTrace(trace(op))
}

func (u *unit) complete() bool { return len(u.ops) >= u.size }

// dry reports whether u only asks what would be done.
func (u *unit) dry() bool {
	return slices.ContainsFunc(u.ops, func(op connector.Operation) bool { return op.Meta().DryRun })
}

// call is one call of the connector under way: one unit, or several for a
// [connector.Batcher].
type call struct {
	units  []*unit
	batch  bool // all at once, not step by step
	over   bool // overdue
	cancel context.CancelFunc
}

// abandon asks the call to stop. A batch that serves others too goes on.
func (c *call) abandon() bool {
	if len(c.units) > 1 {
		return false
	}
	c.cancel()
	return true
}

// Why an operation was not attempted.
var (
	errDraining        = connector.Errorf(connector.CodeUnavailable, "the plugin is draining; nothing was attempted")
	errCancelledBefore = connector.Errorf(connector.CodeUnavailable, "cancelled by the hub before it began")
	errReleasedBefore  = connector.Errorf(connector.CodeUnavailable, "the instance was released before it began")
	errKeyStuck        = connector.Errorf(connector.CodeBusy, "an earlier call for the same account has not come back; nothing was attempted")
	errStepFailed      = connector.Errorf(connector.CodeDependencyMissing, "not attempted: an earlier step of the same group did not succeed")
)

// Why the engine answers in the connector's place.
var (
	errTimeout   = connector.Errorf(connector.CodeTimeout, "no answer within the time limit")
	errCancelled = connector.Errorf(connector.CodeUnavailable, "cancelled by the hub while under way")
)

func errIncomplete(u *unit) *connector.Error {
	return connector.Errorf(connector.CodeUnavailable, "not attempted: %d of the %d operations of the group came", len(u.ops), u.size)
}

func errAllStuck(n int) *connector.Error {
	return &connector.Error{Code: connector.CodeUnavailable, Scope: connector.ScopeInstance,
		Message: fmt.Sprintf("all %d calls to the target hang; nothing more is sent until one comes back", n)}
}

// enqueue gives u its place among the units with its ordering key.
func (e *engine) enqueue(u *unit) {
	if u.key != "" {
		e.keys[u.key] = append(e.keys[u.key], u)
	}
}

// admit makes u ready when it is complete and its turn has come.
func (e *engine) admit(u *unit) {
	if !u.complete() || (u.key != "" && e.keys[u.key][0] != u) {
		if u.complete() {
			u.state = queued
		}
		return
	}
	u.state, u.since = ready, time.Now()
	e.ready = append(e.ready, u)
}

// unqueue gives up u's place; the next one's turn comes.
func (e *engine) unqueue(u *unit) {
	if u.key == "" {
		return
	}
	q := e.keys[u.key]
	first := q[0] == u
	q = slices.DeleteFunc(q, func(x *unit) bool { return x == u })
	if len(q) == 0 {
		delete(e.keys, u.key)
		return
	}
	e.keys[u.key] = q
	if first {
		e.admit(q[0])
	}
}

// collected ends the wait for the rest of u's group.
func (e *engine) collected(u *unit) {
	if u.timer == nil {
		return
	}
	u.timer.Stop()
	// A later group may go by the same name.
	if id := (opID{u.out, u.group}); e.groups[id] == u {
		delete(e.groups, id)
	}
}

// drop forgets a unit that has not begun.
func (e *engine) drop(u *unit) {
	if u.state == dropped {
		return
	}
	e.collected(u)
	u.state = dropped
	e.began(len(u.ops))
	e.unqueue(u)
}

// began counts n operations as no longer waiting.
func (e *engine) began(n int) {
	e.waiting -= n
	e.room.Broadcast()
}

// refuse answers a unit that has not begun: none of it was attempted.
func (e *engine) refuse(u *unit, why *connector.Error) {
	if u.state == dropped {
		return
	}
	e.drop(u)
	for i := range u.ops {
		e.close(u, i, notAttempted(u.ops[i], why))
	}
}

func notAttempted(op connector.Operation, why *connector.Error) connector.Result {
	return connector.Result{ID: op.Meta().ID, Outcome: connector.OutcomeCancelled, Err: why}
}

// close answers operation i of u, unless it is answered already.
func (e *engine) close(u *unit, i int, r connector.Result) {
	if u.answered[i] {
		return
	}
	u.answered[i] = true
	delete(e.open, opID{u.out, r.ID})
	e.note(r, u.out)
	p := protocol.ToProtoResult(r)
	u.trace(i).end(p, r)
	u.out.put(p)
	e.wakeSettled()
}

// note keeps what Health and Throttle tell.
func (e *engine) note(r connector.Result, out *outbox) {
	switch {
	case r.Outcome.Done():
		e.lastSuccess = time.Now()
	case r.Err != nil:
		e.lastError = r.Err
		if r.Err.Code == connector.CodeRateLimited && r.Err.Scope == connector.ScopeInstance {
			out.hold(r.Err.RetryAfter)
		}
	}
}
