package connector

import (
	"errors"
	"fmt"
	"time"
)

// Outcome says what happened to the target.
type Outcome string

// The outcomes. Applied, Unchanged and Adopted are success.
const (
	OutcomeApplied        Outcome = "applied"
	OutcomeUnchanged      Outcome = "unchanged"       // it was so already
	OutcomeAdopted        Outcome = "adopted"         // a create took over what was there
	OutcomePending        Outcome = "pending"         // accepted; ask again with Poll
	OutcomeActionRequired Outcome = "action_required" // a person must do something
	OutcomePartial        Outcome = "partial"         // some took effect
	OutcomeFailed         Outcome = "failed"          // none took effect
	OutcomeUnknown        Outcome = "unknown"         // the connector cannot tell
	OutcomeCancelled      Outcome = "cancelled"       // not attempted
	OutcomeWouldApply     Outcome = "would_apply"     // dry run
)

// Done reports whether the target now is as the operation wanted it.
func (o Outcome) Done() bool {
	return o == OutcomeApplied || o == OutcomeUnchanged || o == OutcomeAdopted
}

// Result is the one answer to one operation.
type Result struct {
	ID      string // of the operation
	Outcome Outcome
	Err     *Error // set for failed, partial, unknown
	// Object is what the target holds now; Ref.ID is always set after a create
	// or rename. nil when not known.
	Object       *Object
	Applied      []string      // partial: the attributes that took effect
	Credential   Secret        // one the target made
	Continuation []byte        // pending
	PollAfter    time.Duration // pending
	ExpiresAt    time.Time     // action_required: when the invitation ends
	Took         time.Duration
	RequestID    string // the target's own
	Preview      string // dry run: SQL, LDIF, HTTP; redacted
}

// Answer is an error that is no failure: a connector returns it to say more
// than "done". Make one with [Unchanged], [Adopted], [Pending],
// [ActionRequired], [Partial] or [Unknown].
type Answer struct{ Result Result }

// Error implements error.
func (a *Answer) Error() string {
	if a.Result.Err != nil {
		return fmt.Sprintf("%s: %s", a.Result.Outcome, a.Result.Err.Message)
	}
	return string(a.Result.Outcome)
}

// Unwrap returns the error behind a partial or unknown outcome.
func (a *Answer) Unwrap() error {
	if a.Result.Err != nil {
		return a.Result.Err
	}
	return nil
}

// Unchanged says that the target was as wanted already.
var Unchanged error = &Answer{Result{Outcome: OutcomeUnchanged}}

// Adopted says that a create took over obj, which must show its real state.
func Adopted(obj Object) error {
	return &Answer{Result{Outcome: OutcomeAdopted, Object: &obj}}
}

// Applied says that the write took effect and what the object holds now.
func Applied(obj Object) error {
	return &Answer{Result{Outcome: OutcomeApplied, Object: &obj}}
}

// Pending says that the target accepted the work. Until it is done the hub sends
// nothing else for the account but what disables or deletes it, and does not ask after
// the first any more then: take that when it has effect after the first, else answer
// BUSY. The hub polls with continuation after the given time.
func Pending(continuation []byte, after time.Duration) error {
	return &Answer{Result{Outcome: OutcomePending, Continuation: continuation, PollAfter: after}}
}

// ActionRequired says that a person must act, such as accept an invitation,
// before until (zero: no limit).
func ActionRequired(until time.Time, message string) error {
	return &Answer{Result{Outcome: OutcomeActionRequired, ExpiresAt: until,
		Err: &Error{Code: CodePolicy, Message: message}}}
}

// Partial says that only the attributes in applied took effect.
func Partial(err error, applied ...string) error {
	return &Answer{Result{Outcome: OutcomePartial, Err: AsError(err), Applied: applied}}
}

// Unknown says that err leaves open whether the write took effect.
func Unknown(err error) error {
	return &Answer{Result{Outcome: OutcomeUnknown, Err: AsError(err)}}
}

// ResultOf turns what a connector's method returned into the answer to the
// operation called id. ref is where the object is now; the zero Ref says
// nothing. nil is applied, an [*Answer] speaks for itself, an [*Error] is
// failed; any other error, a time-out and a cancelled context among them,
// leaves the outcome unknown.
func ResultOf(id string, ref Ref, err error) Result {
	r := Result{ID: id, Outcome: OutcomeApplied}
	var a *Answer
	var e *Error
	switch {
	case err == nil:
	case errors.As(err, &a):
		r = a.Result
		r.ID = id
	case errors.As(err, &e):
		r.Outcome, r.Err = OutcomeFailed, e
	default:
		r.Outcome, r.Err = OutcomeUnknown, AsError(err)
	}
	if r.Object == nil && (ref.ID != "" || ref.Version != "") {
		r.Object = &Object{Ref: ref}
	}
	return r
}
