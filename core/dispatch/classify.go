package dispatch

import (
	"cmp"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Next is what happens after a step was answered.
type Next int

// What can happen next. Of several steps of one attempt the highest decides
// what becomes of the operation.
const (
	NextDone     Next = iota // the target is as wanted: on to the next step
	NextGone                 // the account is gone, and that is as wanted
	NextGiveBack             // not attempted: back into the queue
	NextThrottle             // the target wants to be left alone: pause the connector
	NextDown                 // the target is down: count it towards the breaker
	NextStop                 // credentials, permission, config: stop the connector, keep its queue
	NextRetry                // this operation later
	NextPark                 // a person decides
	NextReplan               // the account is not there: close the operation, plan anew
	NextLook                 // something else is there: read it, then decide
	NextPoll                 // accepted; ask again later
	NextSettle               // in doubt: look it up before anything else is sent
)

// alive reports whether the target itself must have answered.
func (n Next) alive() bool {
	switch n {
	case NextGiveBack, NextThrottle, NextDown, NextStop, NextSettle:
		return false
	}
	return true
}

// Verdict is what one answer means.
type Verdict struct {
	Next Next
	// Err says why; nil for success.
	Err *connector.Error
	// Free: it costs the operation no attempt.
	Free bool
	// Wait is how long the target asked for; 0: it did not say.
	Wait time.Duration
	// Needs is what it has to wait for, with Retry.
	Needs Need
}

// Classify is the one place that decides what happens after an answer
// (QUIRKS §7.3; each protocol's own answers become these codes in its connector):
//
//	outcome         code                  verb              next      costs an attempt
//	─────────────── ───────────────────── ───────────────── ───────── ────────────────
//	applied         -                     any               Done      -
//	unchanged       -                     any               Done      -
//	adopted         -                     any               Done      -
//	pending         -                     any               Poll      no
//	action_required -                     any               Park      yes
//	cancelled       -                     any               GiveBack  yes
//	unknown         any                   any               Settle    yes
//	failed, partial RATE_LIMITED          any               Throttle  no
//	                UNAVAILABLE           any               Down      yes; no if instance-wide
//	                DEPENDENCY_MISSING    any               Retry     no; once it is there ([Need])
//	                other transient       any               Retry     yes
//	                NOT_FOUND             delete, disable   Gone      -
//	                NOT_FOUND             revoke            Done      -
//	                NOT_FOUND             create            Park      yes
//	                NOT_FOUND             any other         Replan    yes; once a lookup agrees
//	                ALREADY_EXISTS        create            Look      yes
//	                VERSION_CONFLICT      any               Look      yes
//	                other conflict        any               Park      yes
//	                QUOTA                 any               Retry     no; once there is a seat ([Need])
//	                other instance-wide   any               Stop      no
//	                permanent, defect     any               Park      yes
//	anything else   any                   any               Settle    yes
//
// RATE_LIMITED and UNAVAILABLE with an explicit scope of one object or operation
// are a plain Retry.
func Classify(verb connector.Verb, r connector.Result) Verdict {
	switch r.Outcome {
	case connector.OutcomeApplied, connector.OutcomeUnchanged, connector.OutcomeAdopted:
		return Verdict{Next: NextDone}
	case connector.OutcomePending:
		return Verdict{Next: NextPoll, Free: true, Wait: r.PollAfter}
	case connector.OutcomeActionRequired:
		return Verdict{Next: NextPark, Err: actionRequired(r)}
	case connector.OutcomeCancelled:
		return Verdict{Next: NextGiveBack, Err: cmp.Or(r.Err, connector.Errorf(connector.CodeBusy, "it was not attempted"))}
	case connector.OutcomeFailed, connector.OutcomePartial:
		return failed(verb, r.Err)
	}
	// A connector that gives an outcome we do not know cannot be believed either way.
	return Verdict{Next: NextSettle, Err: orDefect(r.Err, r.Outcome)}
}

// failed classes an error that comes with the promise that what was not
// reported as applied did not take effect.
func failed(verb connector.Verb, err *connector.Error) Verdict {
	err = orDefect(err, connector.OutcomeFailed)
	v := Verdict{Err: err, Wait: err.RetryAfter, Needs: needOf(verb, err)}
	if v.Needs != NeedNothing {
		v.Next, v.Free = NextRetry, true
		return v
	}
	narrow := err.Scope == connector.ScopeObject || err.Scope == connector.ScopeOperation
	switch err.Class() {
	case connector.ClassTransient:
		switch {
		case err.Code == connector.CodeRateLimited && !narrow:
			v.Next, v.Free = NextThrottle, true
		case err.Code == connector.CodeUnavailable && !narrow:
			v.Next, v.Free = NextDown, err.Scope == connector.ScopeInstance
		default:
			v.Next = NextRetry
		}
	case connector.ClassConflict:
		v.Next = conflict(verb, err.Code)
	case connector.ClassInstance:
		v.Next, v.Free = NextStop, true
	default:
		v.Next = NextPark
	}
	return v
}

func conflict(verb connector.Verb, code connector.Code) Next {
	switch code {
	case connector.CodeNotFound:
		switch verb {
		case connector.VerbDelete, connector.VerbDisable:
			return NextGone
		case connector.VerbRevoke:
			return NextDone
		case connector.VerbCreate:
			return NextPark
		}
		return NextReplan
	case connector.CodeAlreadyExists:
		if verb == connector.VerbCreate {
			return NextLook
		}
	case connector.CodeVersionConflict:
		return NextLook
	}
	return NextPark
}

// orDefect returns err, or the error of a plugin that gave none where one is due.
func orDefect(err *connector.Error, outcome connector.Outcome) *connector.Error {
	if err != nil {
		return err
	}
	return connector.Errorf(connector.CodeInternal, "the plugin answered %q and did not say why", outcome)
}

func actionRequired(r connector.Result) *connector.Error {
	err := connector.Error{Code: connector.CodePolicy, Message: "somebody must act in the target, then retry"}
	if r.Err != nil {
		err = *r.Err
	}
	if !r.ExpiresAt.IsZero() {
		err.Message += " (before " + r.ExpiresAt.UTC().Format(time.DateTime) + " UTC)"
	}
	return &err
}
