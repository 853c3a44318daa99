package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/jobs"
	"github.com/provhub/provhub/core/store"
)

const (
	// requestEvery is how often is looked for what commands ask for.
	requestEvery = 250 * time.Millisecond
	// requestsAtOnce bounds how many requests are done at once.
	requestsAtOnce = 4
)

// requests does what commands ask for that are run beside this node, as runs like others:
// one at a time of a thing. One that is broken off is done by the node that leads next.
func (t *term) requests(ctx context.Context) {
	var doing sync.WaitGroup
	defer doing.Wait()
	var mu sync.Mutex
	busy := map[string]bool{}
	every(ctx, requestEvery, func(ctx context.Context) {
		open, err := t.n.Hub().State().Requests(ctx)
		if err != nil && ctx.Err() == nil {
			t.n.log.Warn("what commands ask for cannot be read", "error", err)
		}
		for _, r := range open {
			mu.Lock()
			begin := !busy[r.ID] && len(busy) < requestsAtOnce
			if begin {
				busy[r.ID] = true
			}
			mu.Unlock()
			if !begin {
				continue
			}
			doing.Go(func() {
				if err := t.request(ctx, r); err != nil && ctx.Err() == nil {
					t.n.log.Error("what a command asks for could not be done", "kind", r.Kind, "subject", r.Subject, "error", err)
				}
				mu.Lock()
				delete(busy, r.ID)
				mu.Unlock()
			})
		}
	})
}

// runOf is the kind of run that a request is: plans are made and applied under the lock of
// readings.
func runOf(r store.Request) string {
	if r.Kind == hub.AskPlan || r.Kind == hub.AskApply {
		return hub.AskCycle
	}
	return r.Kind
}

// request does r, unless a run of the same thing is under way: then it waits for its turn.
func (t *term) request(ctx context.Context, r store.Request) error {
	kind, o := runOf(r), t.jobOptions()
	o.Work = map[string]jobs.Work{kind: func(ctx context.Context, j jobs.Job) (jobs.Result, error) { return t.answer(ctx, r) }}
	return jobs.Do(ctx, o, jobs.Job{Kind: kind, Subject: r.Subject, Why: r.Actor, At: o.Now()})
}

// answer does what r asks for and writes down what came of it.
func (t *term) answer(ctx context.Context, r store.Request) (out jobs.Result, err error) {
	h := t.n.Hub()
	ctx, trace, end := h.Command(ctx, r.Kind)
	defer func() { end(err) }()
	answer, err := h.Answer(ctx, r)
	out = jobs.Result{Outcome: store.RunDone, Trace: trace}
	if ctx.Err() != nil {
		return out, ctx.Err() // the next node does it
	}
	if err != nil {
		answer = nil
	}
	switch x := answer.(type) {
	case *hub.Planned:
		out.Summary, out.Plan, out.Outcome = x.Summary(), x.Plan.Hash, outcomeOf(x)
		t.n.wake(*x)
		answer = x.Bare()
	case int: // operations of a plan that was applied; the senders see them by themselves
		out.Summary = fmt.Sprintf("%d operations of a plan are in the queue", x)
	case *hub.Reconciled:
		if out.Summary = x.Summary(); x.Plan != nil {
			t.n.wake(*x.Plan)
			out.Plan, out.Outcome = x.Plan.Plan.Hash, outcomeOf(x.Plan)
		}
		err = t.n.planFor(ctx, x)
	}
	if err != nil {
		r.Failure, r.FailureCode = err.Error(), hub.FailureCode(err)
	} else if r.Answer, err = json.Marshal(answer); err != nil {
		return out, err
	}
	r.EndedAt = h.Now()
	if aerr := h.State().Answer(context.WithoutCancel(ctx), r); aerr != nil && !errors.Is(aerr, store.ErrNotFound) {
		err = errors.Join(err, aerr)
	}
	return out, err
}

func outcomeOf(p *hub.Planned) store.RunOutcome {
	if p.Status == store.PlanHeld {
		return store.RunHeld
	}
	return store.RunDone
}
