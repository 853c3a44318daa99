package dispatch

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// answered takes the answer to one step into account.
func (a *attempt) answered(ctx context.Context, s Step, r connector.Result) {
	now := a.d.opts.Now()
	a.partly(s, r, now)
	v := Classify(s.Verb(), r)
	a.alive = a.alive || v.Next.alive()
	a.cleared = a.cleared || v.Next.alive()
	switch v.Next {
	case NextDone:
		a.w.confirm(s, r, a.shape, now)
		a.confirmed()
		if s.Verb() == connector.VerbCreate && !exists(a.w.Account) {
			a.raise(Verdict{Next: NextSettle, Err: connector.Errorf(connector.CodeInternal,
				"the plugin says that the account is made, and not which one it is")}, connector.OutcomeUnknown)
		}
		return
	case NextGone:
		vanish(&a.w.Account)
		a.confirmed()
		return
	case NextLook:
		if r.Err.Code == connector.CodeAlreadyExists {
			a.lookTaken(ctx, r.Err)
		} else {
			a.lookMoved(ctx, r.Err)
		}
		a.hold(s, a.top)
		return
	case NextDown:
		// While the breaker is open it is the target's fault, whatever was said.
		v.Free = v.Free || a.d.gate.failures() >= breakerAt
	case NextReplan:
		v = a.confirmGone(ctx, v)
	case NextRetry:
		if v.Needs != NeedNothing {
			v.Wait = max(v.Wait, a.needWait())
		}
	case NextPoll:
		a.polls = append(a.polls, poll{Step: s.Name, Continuation: r.Continuation})
		v.Wait = cmp.Or(v.Wait, pollAfter)
	}
	a.refused = a.refused || s.Verb() == connector.VerbCreate && (v.Next == NextRetry || v.Next == NextPark)
	a.hold(s, v)
	a.raise(v, r.Outcome)
}

// partly records what took effect of a step that was not done whole.
func (a *attempt) partly(s Step, r connector.Result, now time.Time) {
	made := s.Verb() == connector.VerbCreate && r.Object != nil && r.Object.Ref.ID != ""
	switch {
	case r.Outcome != connector.OutcomePartial && r.Outcome != connector.OutcomeActionRequired:
		return
	case made:
		begun(&a.w.Account)
		a.w.Account.Ref = mergeRef(a.w.Account.Ref, r.Object.Ref)
		setEnabled(&a.w.Account, r.Object.Enabled, now)
	case len(r.Applied) == 0 || s.Verb() == connector.VerbCreate:
		return
	}
	s.confirmChanges(&a.w.Account, append([]string{}, r.Applied...))
	a.confirmed()
}

// confirmed counts a step. An account that is new may be what the rest of its
// own operation refers to: somebody can be their own manager.
func (a *attempt) confirmed() {
	a.news = true
	a.w.StepsDone++
	if exists(a.w.Account) {
		own := a.w.AccountKey.Identity()
		a.w.renew(a.shape, func(key identity.Key) (connector.Ref, bool) { return a.w.Account.Ref, key == own })
	}
}

// hold keeps the steps after s back. One grant that is refused does not stop
// the others, nor one revoke; but nothing is gained before all is lost.
func (a *attempt) hold(s Step, v Verdict) {
	if v.Next == NextDone {
		return
	}
	a.left[s.Name] = true
	verb := s.Verb()
	single := verb == connector.VerbGrant || verb == connector.VerbRevoke
	if single && !a.shape.Atomic && (v.Next == NextRetry || v.Next == NextPark) {
		a.only = verb
		return
	}
	a.only = ""
}

// raise lets v decide about the operation unless something weightier has. Of two
// that weigh the same, one that costs an attempt does.
func (a *attempt) raise(v Verdict, outcome connector.Outcome) {
	switch v.Next {
	case NextThrottle, NextDown, NextStop:
		a.signals = append(a.signals, v)
	}
	costs := v.Next == a.top.Next && a.top.Free && !v.Free
	if v.Next > a.top.Next || costs {
		a.top, a.outcome = v, outcome
	}
}

// await has the operation wait for accounts that its attributes refer to. It is
// woken when one is made; the time is for what is made behind our back. Nothing
// is asked of the target meanwhile, so that costs no attempts.
func (a *attempt) await(waiting []string) {
	if len(waiting) == 0 {
		return
	}
	a.raise(Verdict{Next: NextRetry, Free: true, Needs: NeedAccount, Wait: a.needWait(),
		Err: &connector.Error{Code: connector.CodeDependencyMissing, Attributes: waiting,
			Message: "waiting for the account that " + strings.Join(waiting, ", ") + " refers to; it is not in the target yet"}}, "")
}
