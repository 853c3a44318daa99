package hub

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/reconcile"
)

// Surveyed is what a reconciliation saw of the people of one source.
type Surveyed struct {
	Source string `json:"source"`
	// Evaluated accounts were worked out anew.
	Evaluated int `json:"evaluated"`
	// ReadAt is when the source was last read: what it tells since is not known. Zero: never.
	ReadAt time.Time `json:"read_at,omitzero"`
	// Held is the newest plan of the source that waits for a person; "": none.
	Held string `json:"held,omitempty"`
	// Problem says why nobody was compared; "": they were.
	Problem string `json:"problem,omitempty"`
}

// survey compares what the ledger has with what the rules and the sources want today.
// A source that nothing can be worked out for does not stop the others.
func (x *reconciling) survey(ctx context.Context, react map[reconcile.Situation]reconcile.Reaction) error {
	whole := true
	for _, name := range x.c.Sources {
		s, err := x.surveySource(ctx, name, react)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.Problem, whole = err.Error(), false
		}
		x.out.Sources = append(x.out.Sources, s)
	}
	if err := x.flush(ctx); err != nil {
		return err
	}
	if !whole {
		x.out.Complete = false
		x.out.Reason = semicolons(x.out.Reason, "not everybody could be worked out")
		return nil
	}
	return x.resolve(ctx, reconcile.OfLedger)
}

func semicolons(texts ...string) string {
	var some []string
	for _, t := range texts {
		if t != "" {
			some = append(some, t)
		}
	}
	return strings.Join(some, "; ")
}

func (x *reconciling) surveySource(ctx context.Context, name string, react map[reconcile.Situation]reconcile.Reaction) (out Surveyed, err error) {
	h := x.h
	out.Source = name
	if out.Held, err = h.org.HeldPlan(ctx, name); err != nil {
		return out, err
	}
	c, problems, err := h.cycle(ctx, h.cfg.Source(name), PlanOptions{only: x.c.Name})
	if err != nil {
		return out, err
	}
	defer closeReader(c.Reader)
	if len(problems) > 0 {
		return out, fmt.Errorf("%s", problems[0])
	}
	c.Progress = func(p cycle.Progress) { h.opt.Progress(Progress{What: "working out " + name, Done: p.Done}) }
	saw, err := c.Survey(ctx, x.now, func(m cycle.Missed) error {
		w := reconcile.Wish{AccountKey: m.AccountKey, Operation: m.Operation, Withdraw: m.Withdraw != "", Fault: m.Fault, Next: m.Next}
		return x.tell(ctx, w.Finding(), react)
	})
	h.opt.Progress(Progress{What: "working out " + name, Done: 1, Total: 1})
	if out.Evaluated, out.ReadAt = saw.Evaluated, saw.ReadAt; err != nil {
		return out, err
	}
	if len(saw.Rules) > 0 && !saw.ReadAt.IsZero() {
		err = x.tell(ctx, reconcile.RulesFinding(x.c.Name, name), react)
	}
	return out, err
}

// tell counts a finding and reacts.
func (x *reconciling) tell(ctx context.Context, f reconcile.Finding, react map[reconcile.Situation]reconcile.Reaction) error {
	if x.planned[f.Who().Account(f.Connector)] {
		return nil
	}
	x.out.Counts[f.Situation]++
	f.Reaction = reconcile.ReactionOf(react, f.Situation)
	if f.Reaction == reconcile.Ignore {
		return nil
	}
	return x.found(ctx, f, nil)
}

// Summary says in one sentence what a reconciliation found.
func (r *Reconciled) Summary() string {
	parts := []string{fmt.Sprintf("%d listed", r.Listed)}
	count := func(of []reconcile.Situation) (n int) {
		for _, s := range of {
			if r.Counts[s] > 0 {
				parts, n = append(parts, fmt.Sprintf("%d %s", r.Counts[s], strings.ReplaceAll(string(s), "_", " "))), n+r.Counts[s]
			}
		}
		return n
	}
	count(append([]reconcile.Situation{reconcile.InSync, reconcile.Busy}, reconcile.OfTarget...))
	target := strings.Join(parts, ", ")
	parts = nil
	evaluated := 0
	for _, s := range r.Sources {
		evaluated += s.Evaluated
	}
	parts = append(parts, fmt.Sprintf("%d worked out anew", evaluated))
	if count(reconcile.OfLedger) == 0 {
		parts = append(parts, "as wanted")
	}
	return semicolons(target, strings.Join(parts, ", "), incomplete(r))
}

func incomplete(r *Reconciled) string {
	if r.Complete {
		return ""
	}
	return "incomplete: " + r.Reason
}
