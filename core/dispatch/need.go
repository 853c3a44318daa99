package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Need is what an operation waits for. Whoever brings it about, another operation
// or a person in the target, the operation cannot hurry it: waiting costs it no
// attempt, however long, and it shows in the queue until it goes on or is not
// wanted any more.
type Need int

// What an operation can wait for.
const (
	NeedNothing Need = iota
	NeedAccount      // one that its attributes refer to, or the place where it goes
	NeedGroup        // the group or role that it grants
	NeedSeat         // seats or licences are used up
)

// needOf returns what a refused step waits for.
func needOf(verb connector.Verb, err *connector.Error) Need {
	switch {
	case err.Code == connector.CodeQuota && err.Class() == connector.ClassInstance:
		return NeedSeat
	case err.Code != connector.CodeDependencyMissing:
		return NeedNothing
	case verb == connector.VerbGrant || verb == connector.VerbRevoke:
		return NeedGroup
	}
	return NeedAccount
}

// Waits bound how long it takes until what is needed is looked for again, unless
// something that is made here tells earlier: a quarter of the operation's age.
const (
	needWaitMin = time.Minute
	needWaitMax = time.Hour
)

func (a *attempt) needWait() time.Duration {
	return min(max(a.d.opts.Now().Sub(a.w.CreatedAt)/4, needWaitMin), needWaitMax)
}

// brings notes what an ended operation brought about for those that wait.
func (l *loop) brings(e ending) {
	a := e.finish.Account
	if a == nil {
		return
	}
	if e.made {
		l.brought[NeedAccount] = true
		l.brought[NeedGroup] = l.brought[NeedGroup] || a.Kind == identity.Group
	}
	if a.Absent || a.Enabled == connector.IsDisabled {
		l.brought[NeedSeat], l.full = true, nil
	}
}

// waiting are operations that cannot go on before something is there.
type waiting struct {
	ops map[string]Need
	// all: there were too many to remember; whoever waits is woken with the others.
	all bool
	// begun: those that waited before this process began were tried again.
	begun bool
}

// waitingMax bounds how many are remembered one by one.
const waitingMax = 10_000

func (w *waiting) add(id string, need Need) {
	if len(w.ops) >= waitingMax {
		clear(w.ops)
		w.all = true
	}
	w.ops[id] = need
}

// needs notes what an ended operation waits for. Once one was told that there is
// no seat, no more accounts are made until one is free: what takes access away
// goes on, and may free it.
func (l *loop) needs(e ending) {
	delete(l.d.waiting.ops, e.finish.ID)
	if e.needs == NeedNothing {
		return
	}
	l.d.waiting.add(e.finish.ID, e.needs)
	if e.needs == NeedSeat {
		l.full = e.finish.Err
	}
}

// unseated is the ending of an operation that would take a seat while there is
// none; ok is false for any other. Nothing is sent.
func (l *loop) unseated(w Work) (f store.Finish, ok bool) {
	if l.full == nil || w.Operation.Kind != plan.Create || exists(w.Account) || w.State == store.OpUnknown {
		return f, false
	}
	l.d.waiting.add(w.ID, NeedSeat)
	f = untouched(w, l.d.opts.Now())
	f.State, f.Err, f.NextAttemptAt = store.OpRetry, l.full, f.Now.Add(needWaitMin)
	return f, true
}

// wakeDependents has the operations tried again that wait for something which was
// brought about.
func (l *loop) wakeDependents(ctx context.Context) (woken bool, err error) {
	if len(l.brought) == 0 {
		return false, nil
	}
	var ids []string // nil: all that wait
	if !l.d.waiting.all {
		ids = []string{}
		for id, need := range l.d.waiting.ops {
			if l.brought[need] {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
	}
	n := 0
	if ids == nil || len(ids) > 0 {
		if n, err = l.d.opts.Queue.WakeDependents(ctx, l.d.opts.Connector, ids, l.d.opts.Now()); err != nil {
			return false, err
		}
		l.dry, l.askedAt, l.d.waiting.all = time.Time{}, time.Time{}, false
	}
	clear(l.brought)
	return n > 0, nil
}

// wakeEvery is how often they are woken while there is no rest.
const wakeEvery = 10 * time.Second

func (l *loop) wakeMeanwhile(ctx context.Context) error {
	now := l.d.opts.Now()
	if now.Before(l.wakeAt) {
		return nil
	}
	l.wakeAt = now.Add(wakeEvery)
	_, err := l.wakeDependents(ctx)
	return err
}

// wakeAll does so for all of them before the first drain: what was made before
// this process began, or in the target by hand, has woken nobody.
func (l *loop) wakeAll(ctx context.Context) error {
	if l.d.waiting.begun {
		return nil
	}
	_, err := l.d.opts.Queue.WakeDependents(ctx, l.d.opts.Connector, nil, l.d.opts.Now())
	l.d.waiting.begun = err == nil
	return err
}
