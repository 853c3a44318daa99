package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// What a command does that is run beside a node that serves: it has the node do the
// work, and waits for the answer.

// The kinds of requests.
const (
	AskCycle     = "cycle"     // read a source, plan, apply; options: [CycleRequest], answer: [Planned]
	AskPlan      = "plan"      // the same, and apply nothing
	AskPush      = "push"      // options: [PushRequest], answer: [Planned]
	AskApply     = "apply"     // of the source of a plan; options: [ApplyRequest], answer: how many operations are ready
	AskReconcile = "reconcile" // options: [ReconcileOptions], answer: [Reconciled]
)

// CycleRequest are the options of a reading that is asked for.
type CycleRequest struct {
	Forbid []plan.Kind `json:"forbid,omitempty"`
	Accept string      `json:"accept,omitempty"`
}

// ApplyRequest names the plan that is to be applied.
type ApplyRequest struct {
	Hash string `json:"hash"`
}

// answerEvery is how often is looked for an answer.
const answerEvery = 200 * time.Millisecond

// besideNode reports whether err says that somebody else works, and that is a node that
// serves, so that it can be asked.
func (h *Hub) besideNode(ctx context.Context, err error) bool {
	if !errors.Is(err, store.ErrBusy) {
		return false
	}
	serves, nerr := h.serves(ctx)
	return nerr == nil && serves
}

func (h *Hub) serves(ctx context.Context) (bool, error) {
	nodes, err := h.org.Nodes(ctx)
	return slices.ContainsFunc(nodes, func(n store.Node) bool { return !n.Gone() }), err
}

// handOver has a node do something, and waits for the answer.
func (h *Hub) handOver(ctx context.Context, kind, subject string, options, answer any) error {
	raw, err := json.Marshal(options)
	if err != nil {
		return fmt.Errorf("hand over %s of %s: %w", kind, subject, err)
	}
	r := store.Request{ID: uuid.NewString(), Kind: kind, Subject: subject, Options: raw, Actor: h.opt.Actor, AskedAt: h.now()}
	if err := h.org.Ask(ctx, r); err != nil {
		return err
	}
	what := map[string]string{AskCycle: "reading ", AskPlan: "planning ", AskPush: "pushing to ", AskApply: "applying a plan of ", AskReconcile: "comparing "}[kind] + subject
	defer h.opt.Progress(Progress{What: what, Done: 1, Total: 1})
	for began := h.now(); ; {
		if r, err = h.org.Request(ctx, r.ID); err != nil {
			return h.unanswered(r, err)
		}
		if !r.EndedAt.IsZero() {
			break
		}
		h.opt.Progress(Progress{What: what, Note: "the node that serves does it"})
		serves, err := h.serves(ctx)
		if err == nil && !serves && h.now().Sub(began) > answerEvery {
			err = errors.New("no node serves any more; run the command again")
		}
		if err == nil {
			err = pauseFor(ctx, answerEvery)
		}
		if err != nil {
			return h.unanswered(r, fmt.Errorf("%s of %s was asked for: %w", kind, subject, err))
		}
	}
	if r.Failure != "" {
		return failureOf(r.Failure, r.FailureCode)
	}
	return json.Unmarshal(r.Answer, answer)
}

// unanswered takes a request back that nobody waits for any more.
func (h *Hub) unanswered(r store.Request, err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, h.org.Unask(ctx, r.ID))
}

func pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
