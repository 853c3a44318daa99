package dispatch

import (
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

func fail(code connector.Code, with ...func(*connector.Error)) connector.Result {
	e := &connector.Error{Code: code, Message: "no"}
	for _, w := range with {
		w(e)
	}
	return connector.Result{Outcome: connector.OutcomeFailed, Err: e}
}

func scope(s connector.Scope) func(*connector.Error) { return func(e *connector.Error) { e.Scope = s } }

func TestClassify(t *testing.T) {
	const free, counted = true, false
	for _, c := range []struct {
		name   string
		verb   connector.Verb
		result connector.Result
		next   Next
		free   bool
	}{
		{"applied", connector.VerbUpdate, connector.Result{Outcome: connector.OutcomeApplied}, NextDone, counted},
		{"unchanged", connector.VerbDelete, connector.Result{Outcome: connector.OutcomeUnchanged}, NextDone, counted},
		{"adopted", connector.VerbCreate, connector.Result{Outcome: connector.OutcomeAdopted}, NextDone, counted},
		{"pending", connector.VerbCreate, connector.Result{Outcome: connector.OutcomePending}, NextPoll, free},
		{"a person must act in the target", connector.VerbCreate, connector.Result{Outcome: connector.OutcomeActionRequired}, NextPark, counted},
		{"cancelled was not attempted", connector.VerbCreate, connector.Result{Outcome: connector.OutcomeCancelled}, NextGiveBack, counted},
		{"unknown is never a plain retry", connector.VerbCreate, connector.Result{Outcome: connector.OutcomeUnknown}, NextSettle, counted},
		{"unknown, whatever the code says", connector.VerbCreate, connector.Result{Outcome: connector.OutcomeUnknown, Err: &connector.Error{Code: connector.CodeInvalidValue}}, NextSettle, counted},
		{"an outcome from the future", connector.VerbCreate, connector.Result{Outcome: "teleported"}, NextSettle, counted},
		{"a dry run that nobody asked for", connector.VerbCreate, connector.Result{Outcome: connector.OutcomeWouldApply}, NextSettle, counted},
		{"the target asks to be left alone", connector.VerbUpdate, fail(connector.CodeRateLimited), NextThrottle, free},
		{"one object is throttled", connector.VerbUpdate, fail(connector.CodeRateLimited, scope(connector.ScopeObject)), NextRetry, counted},
		{"the target is down", connector.VerbUpdate, fail(connector.CodeUnavailable, scope(connector.ScopeInstance)), NextDown, free},
		{"something is unavailable", connector.VerbUpdate, fail(connector.CodeUnavailable), NextDown, counted},
		{"one object is unavailable", connector.VerbUpdate, fail(connector.CodeUnavailable, scope(connector.ScopeOperation)), NextRetry, counted},
		{"the target was too slow and did nothing", connector.VerbUpdate, fail(connector.CodeTimeout), NextRetry, counted},
		{"somebody else changes it", connector.VerbUpdate, fail(connector.CodeBusy), NextRetry, counted},
		{"the group is not there yet", connector.VerbGrant, fail(connector.CodeDependencyMissing), NextRetry, free},
		{"a new transient code", connector.VerbGrant, fail(17), NextRetry, counted},
		{"deleting what is gone", connector.VerbDelete, fail(connector.CodeNotFound), NextGone, counted},
		{"disabling what is gone", connector.VerbDisable, fail(connector.CodeNotFound), NextGone, counted},
		{"revoking from what is gone", connector.VerbRevoke, fail(connector.CodeNotFound), NextDone, counted},
		{"updating what is gone", connector.VerbUpdate, fail(connector.CodeNotFound), NextReplan, counted},
		{"granting to what is gone", connector.VerbGrant, fail(connector.CodeNotFound), NextReplan, counted},
		{"creating what is not found", connector.VerbCreate, fail(connector.CodeNotFound), NextPark, counted},
		{"creating what exists", connector.VerbCreate, fail(connector.CodeAlreadyExists), NextLook, counted},
		{"a value that somebody else has", connector.VerbUpdate, fail(connector.CodeAlreadyExists), NextPark, counted},
		{"changed by somebody else", connector.VerbUpdate, fail(connector.CodeVersionConflict), NextLook, counted},
		{"several match", connector.VerbCreate, fail(connector.CodeAmbiguous), NextPark, counted},
		{"a wrong password", connector.VerbUpdate, fail(connector.CodeAuthentication), NextStop, free},
		{"no seats left", connector.VerbCreate, fail(connector.CodeQuota), NextRetry, free},
		{"one mailbox is full", connector.VerbUpdate, fail(connector.CodeQuota, scope(connector.ScopeObject)), NextPark, counted},
		{"an admin's account", connector.VerbUpdate, fail(connector.CodePermission, scope(connector.ScopeObject)), NextPark, counted},
		{"a value that is refused", connector.VerbUpdate, fail(connector.CodeInvalidValue), NextPark, counted},
		{"a defect", connector.VerbUpdate, fail(connector.CodeInternal), NextPark, counted},
		{"a code out of every range", connector.VerbUpdate, fail(4711), NextPark, counted},
		{"failed, and no word why", connector.VerbUpdate, connector.Result{Outcome: connector.OutcomeFailed}, NextPark, counted},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Classify(c.verb, c.result)
			if v.Next != c.next || v.Free != c.free {
				t.Errorf("next %d free %t, want %d %t", v.Next, v.Free, c.next, c.free)
			}
			if v.Err == nil && c.next != NextDone && c.next != NextPoll && c.next != NextGiveBack {
				t.Error("there is no reason for people")
			}
		})
	}
}

func TestClassifyKeepsTheTargetsTime(t *testing.T) {
	v := Classify(connector.VerbUpdate, fail(connector.CodeRateLimited, func(e *connector.Error) { e.RetryAfter = 7 * time.Second }))
	if v.Wait != 7*time.Second {
		t.Errorf("wait %v", v.Wait)
	}
}

func TestWait(t *testing.T) {
	full := func() float64 { return 1 }
	for n, want := range map[int]time.Duration{1: 2, 2: 4, 3: 8, 4: 16, 9: 60, 1000: 60} {
		if got := wait(2*time.Second, time.Minute, n, full, 0); got != want*time.Second {
			t.Errorf("wait %d is at most %v, want %v s", n, got, int(want))
		}
	}
	if got := wait(2*time.Second, time.Minute, 3, func() float64 { return 0 }, 0); got != 0 {
		t.Errorf("full jitter begins at 0, not %v", got)
	}
	if got := wait(2*time.Second, time.Minute, 1, full, time.Hour); got != time.Hour {
		t.Errorf("the target asked for an hour, not %v", got)
	}
}
