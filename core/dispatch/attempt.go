package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

// attempt is one try at one operation. It calls the target and writes nothing
// down: what is to be recorded comes back in an ending.
type attempt struct {
	d      *Dispatcher
	number int // in this drain, from 1
	w      Work
	shape  Shape
	// lagged: nothing was found of it before, longer ago than the read lag.
	lagged bool

	started time.Time
	was     string // the account's id before; "": there was no account
	sent    bool   // something went out
	news    bool   // the account is to be recorded
	alive   bool   // the target gave an answer of its own

	left    map[string]bool // steps that were answered and are not done
	only    connector.Verb  // with left: what may still go out; "": nothing
	top     Verdict         // what decides about the operation
	outcome connector.Outcome
	signals []Verdict // what concerns the connector as a whole
	polls   []poll    // steps that the target is still to be asked after
	cleared bool      // an earlier attempt is not in doubt any more
	refused bool      // the create did not take effect, so nothing is in doubt
}

// errPaused ends an attempt between two steps.
var errPaused = errors.New("nothing more is sent now")

// carry makes the attempt.
func (a *attempt) carry(ctx context.Context) ending {
	a.started, a.left = a.d.opts.Now(), map[string]bool{}
	if exists(a.w.Account) {
		a.was = a.w.Account.Ref.ID
	}
	if err := a.run(ctx); err != nil {
		a.raise(Verdict{Next: NextGiveBack, Free: true}, "")
	}
	return a.end()
}

// run sends what is left to do until nothing is, or an answer ends it.
func (a *attempt) run(ctx context.Context) error {
	if proceed, err := a.clearDoubt(ctx); !proceed {
		return err
	}
	for {
		steps, waiting, fault := Steps(a.w, a.shape)
		if fault != nil {
			a.raise(failed(connector.VerbUpdate, fault), "")
			return nil
		}
		steps = a.possible(steps)
		if len(steps) == 0 {
			a.await(waiting)
			return nil
		}
		if n := a.w.Attempts; a.w.State == store.OpUnknown && n >= a.d.opts.Retry.Attempts {
			a.raise(Verdict{Next: NextPark, Err: givenUp(n, a.w.LastError)}, "")
			return nil
		}
		if !a.shape.Atomic {
			steps = steps[:1]
		}
		if err := a.send(ctx, steps); err != nil {
			return err
		}
	}
}

// clearDoubt finds out what became of an earlier attempt. proceed tells that
// what is left may be sent.
func (a *attempt) clearDoubt(ctx context.Context) (proceed bool, err error) {
	if a.w.State != store.OpUnknown {
		return true, nil
	}
	a.w.MaybeApplied = true
	a.polls = decodePolls(a.w.Continuation)
	if err := a.d.gate.open(ctx); err != nil {
		return false, err
	}
	if len(a.polls) > 0 {
		a.poll(ctx)
	} else {
		a.settle(ctx)
	}
	return a.top.Next == NextDone && len(a.polls) == 0, nil
}

// possible leaves out the steps that must not go out any more in this attempt.
func (a *attempt) possible(steps []Step) []Step {
	if len(a.left) == 0 {
		return steps
	}
	var out []Step
	for _, s := range steps {
		if s.Verb() == a.only && !a.left[s.Name] {
			out = append(out, s)
		}
	}
	return out
}

// send makes one call, or all of an atomic target in one group.
func (a *attempt) send(ctx context.Context, steps []Step) error {
	if err := a.d.gate.open(ctx); err != nil {
		return err
	}
	if !a.w.leased(a.d.opts) {
		return errPaused // it goes on under a new lease
	}
	ops := make([]connector.Operation, len(steps))
	for i, s := range steps {
		ops[i] = s.Operation
	}
	a.sent = true
	results := a.apply(ctx, ops)
	for _, s := range steps {
		a.answered(ctx, s, resultOf(results, s))
	}
	return nil
}

// leased reports whether there is time enough for another call: a quarter of the
// lease bounds the call, the rest is to spare.
func (w Work) leased(o Options) bool { return o.Now().Sub(w.Taken) < o.LeaseTime/2 }

// apply calls the target. Each operation's own limit comes first; this one is for
// a target that does not keep it.
func (a *attempt) apply(ctx context.Context, ops []connector.Operation) []connector.Result {
	limit := min(time.Duration(len(ops))*a.d.opts.Retry.Timeout+time.Minute, a.d.opts.LeaseTime/4)
	call, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	results := a.d.opts.Target.Apply(call, ops)
	for i := range results {
		results[i].Err = spare(results[i].Err, &a.w)
	}
	return results
}

func resultOf(results []connector.Result, s Step) connector.Result {
	for _, r := range results {
		if r.ID == s.Meta().ID {
			return r
		}
	}
	return connector.Result{Outcome: connector.OutcomeUnknown,
		Err: connector.Errorf(connector.CodeInternal, "the plugin gave no answer")}
}
