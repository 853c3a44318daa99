package dispatch

import (
	"cmp"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// ending is what came of an attempt.
type ending struct {
	finish store.Finish
	plan   string // hash of the plan that it is of
	number int    // of the attempt, in this drain
	took   time.Duration
	trace  string // the id of its trace; "": it has none
	// signals concern the connector as a whole: throttle, down, stop.
	signals []Verdict
	// alive: the target gave an answer of its own.
	alive bool
	// sent: something went out. top is what decided.
	sent bool
	top  Verdict
	// needs is what it waits for.
	needs Need
	// made: there is an account that was not there before, or not under this id.
	made bool
	// missing: it was looked for and not found.
	missing bool
}

// end says what is to be recorded:
//
//	next                       state       due
//	────────────────────────── ─────────── ────────────────────────────────────────
//	Done, Gone                 done        -
//	GiveBack by us, Stop       ready       at once
//	GiveBack by the target     retry       full jitter
//	Throttle, Down, Retry      retry       full jitter, not before the target says so
//	Retry, attempts used up    parked      -
//	Retry, in need             retry       when that is there, else within the hour
//	Park                       parked      -
//	Replan                     superseded  the next cycle
//	Poll, Settle               unknown     when the target says so, else at once
//
// An operation whose earlier attempt is still in doubt stays unknown, and so
// does one that the target is to be asked after.
func (a *attempt) end() ending {
	now, v := a.d.opts.Now(), a.top
	f := store.Finish{
		ID: a.w.ID, Fence: a.w.Fence, Operation: &a.w.Operation, ToldAt: a.w.ToldAt, StepsDone: a.w.StepsDone, MaybeApplied: a.w.MaybeApplied && !a.refused,
		CountAttempt: a.sent && !v.Free, Err: recordable(v.Err), Now: now,
	}
	switch v.Next {
	case NextDone, NextGone:
		f.State, f.MaybeApplied = store.OpDone, false
		a.news = a.news || a.w.Operation.Kind == plan.Adopt
	case NextStop:
		f.State, f.NextAttemptAt = store.OpReady, now
	case NextGiveBack:
		f.State, f.NextAttemptAt, f.Err = store.OpReady, now, cmp.Or(f.Err, a.w.LastError)
		if f.CountAttempt {
			a.retry(&f) // the target gave it back
		}
	case NextThrottle, NextDown, NextRetry:
		a.retry(&f)
	case NextPark:
		f.State = store.OpParked
	case NextReplan:
		f.State, f.Replan = store.OpSuperseded, true
		if exists(a.w.Account) {
			vanish(&a.w.Account)
			a.news = true
		}
	case NextPoll, NextSettle:
		f.State, f.NextAttemptAt = store.OpUnknown, now.Add(v.Wait)
	}
	doubt := a.w.State == store.OpUnknown && !a.cleared || len(a.polls) > 0
	if doubt && (f.State == store.OpReady || f.State == store.OpRetry) {
		f.State = store.OpUnknown
	}
	if f.State == store.OpUnknown {
		f.MaybeApplied, f.Continuation = true, encodePolls(a.polls)
	}
	a.record(&f)
	return ending{finish: f, plan: a.w.Plan, number: a.number, took: now.Sub(a.started), signals: a.signals, alive: a.alive, sent: a.sent, top: v, needs: v.Needs,
		made: a.news && exists(a.w.Account) && a.w.Account.Ref.ID != a.was, missing: v.Next == NextSettle && !a.sent}
}

// retry sends the operation again later, or parks it when it was tried often enough.
func (a *attempt) retry(f *store.Finish) {
	r, v, n := a.d.opts.Retry, a.top, a.w.Attempts+1
	if f.CountAttempt && n >= r.Attempts {
		f.State, f.Err = store.OpParked, givenUp(n, f.Err)
		return
	}
	f.State = store.OpRetry
	if v.Needs != NeedNothing { // it waits for something else than the target
		f.NextAttemptAt = f.Now.Add(v.Wait)
		return
	}
	f.NextAttemptAt = f.Now.Add(wait(r.First, r.Max, n, a.d.opts.Random, min(v.Wait, throttleMax)))
}

// givenUp says that err was met too often.
func givenUp(attempts int, err *connector.Error) *connector.Error {
	if err == nil {
		err = connector.Errorf(connector.CodeTimeout, "whether it took effect could not be found out")
	}
	e := *recordable(err)
	e.Message = fmt.Sprintf("given up after %d attempts: %s", attempts, e.Message)
	return &e
}

// record adds the account and the line of the operation's history.
func (a *attempt) record(f *store.Finish) {
	if a.news {
		switch {
		case f.State == store.OpDone:
			a.w.Account.LastSuccessAt, a.w.Account.LastError = f.Now, ""
		case exists(a.w.Account) && a.w.Account.Enabled == connector.EnabledUnknown:
			a.w.Account.Enabled = a.w.unconfirmed()
		}
		f.Account = &a.w.Account
	}
	if !a.sent || a.top.Next == NextPoll && a.w.State == store.OpUnknown {
		return // nothing was asked, or it was asked again and there is no news
	}
	t := &store.Attempt{N: a.w.Attempts + 1, StartedAt: a.started, Took: f.Now.Sub(a.started), Outcome: a.outcome}
	if t.Outcome == "" {
		t.Outcome = connector.OutcomeApplied
	}
	if err := a.top.Err; err != nil {
		t.Class, t.Code, t.Answer = err.Class(), err.Code.String(), err.Error()
	}
	f.Attempt = t
}

// recordable returns a copy of err without what is for the debug log only.
func recordable(err *connector.Error) *connector.Error {
	if err == nil {
		return nil
	}
	e := *err
	e.Detail, e.Cause = "", nil
	return &e
}

// untouched gives back an operation that was taken and not begun.
func untouched(w Work, now time.Time) store.Finish {
	f := store.Finish{ID: w.ID, Fence: w.Fence, Operation: &w.Operation, State: store.OpReady, StepsDone: w.StepsDone,
		MaybeApplied: w.MaybeApplied, Err: w.LastError, Now: now}
	if w.State == store.OpUnknown {
		f.State, f.Continuation, f.NextAttemptAt = store.OpUnknown, w.Continuation, now
	}
	return f
}
