package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/jobs"
	"github.com/provhub/provhub/core/store"
)

// runsStop is how long a run may go on when the node stops. A reading that is broken
// off has concluded nothing, and is made again.
const runsStop = 5 * time.Second

// runJobs runs what is scheduled or asked for, until ctx ends. A reload begins anew, with
// what was asked for before it.
func (t *term) runJobs(ctx context.Context) {
	pause := newPause()
	var left []jobs.Job
	for ctx.Err() == nil {
		reloaded := t.n.reloaded()
		r, err := jobs.Start(ctx, t.jobOptions())
		if err != nil {
			t.n.log.Error("runs cannot be scheduled", "error", err)
			wait(ctx, pause.next())
			continue
		}
		pause.over()
		t.setRunner(r)
		for _, j := range left {
			if err := r.Ask(ctx, j.Kind, j.Subject, j.Why); err != nil {
				t.n.log.Error("a run that was asked for could not be queued", "kind", j.Kind, "subject", j.Subject, "error", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-reloaded:
		}
		t.setRunner(nil)
		t.stopJobs(r)
		left = r.Left()
	}
}

func (t *term) jobOptions() jobs.Options {
	h := t.n.Hub()
	var entries []jobs.Entry
	for _, of := range t.n.entries {
		entries = append(entries, of(h)...)
	}
	return jobs.Options{State: h.State(), Lock: t.lock, Node: t.n.Hub().Node(), Work: t.n.work, Entries: entries, Ended: t.n.o.Ended, Log: t.n.log, Now: h.Now}
}

func (t *term) setRunner(r jobs.Runner) {
	t.mu.Lock()
	t.runner = r
	t.mu.Unlock()
}

func (t *term) stopJobs(r jobs.Runner) {
	ctx, cancel := context.WithTimeout(t.calls, runsStop)
	defer cancel()
	if err := r.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		t.n.log.Warn("runs were not stopped in an orderly way", "error", err)
	}
}

// cycles are the readings of sources.
func cycles(h *hub.Hub) (out []jobs.Entry) {
	sources := h.Config().Sources
	for i := range sources {
		s := &sources[i]
		e := jobs.Entry{Kind: "cycle", Subject: s.Name, Schedule: s.Schedule.Schedule}
		if s.Schedule.SkipHeld {
			e.Unless = func(ctx context.Context) (string, error) { return unlessHeld(ctx, h, s) }
		}
		out = append(out, e)
	}
	return out
}

// unlessHeld says which plan of a source waits for a person; "": none.
func unlessHeld(ctx context.Context, h *hub.Hub, s *config.Source) (string, error) {
	hash, err := h.State().HeldPlan(ctx, s.Name)
	if err != nil || hash == "" {
		return "", err
	}
	return fmt.Sprintf("plan %.12s is held, and nobody has decided", hash), nil
}

// cycle reads one source, plans and applies.
func (n *Node) cycle(ctx context.Context, j jobs.Job) (jobs.Result, error) {
	p, err := n.Hub().Cycle(ctx, hub.PlanOptions{Source: j.Subject})
	if err != nil {
		return jobs.Result{Trace: p.Trace}, err
	}
	n.wake(p)
	n.sayProblems(j, p)
	r := jobs.Result{Outcome: store.RunDone, Summary: p.Summary(), Plan: p.Plan.Hash, Trace: p.Trace}
	if p.Status == store.PlanHeld {
		r.Outcome = store.RunHeld
	}
	return r, nil
}

// sayProblems logs which connectors nothing could be planned for: as a warning when
// that is news, and for debugging each time that it is so still.
func (n *Node) sayProblems(j jobs.Job, p hub.Planned) {
	before, _ := n.problems.Swap(p.Source, p.Problems)
	known, _ := before.([]string)
	for _, problem := range p.Problems {
		level := slog.LevelWarn
		if slices.Contains(known, problem) {
			level = slog.LevelDebug
		}
		n.log.Log(context.Background(), level, "nothing could be planned for a connector; everyone is looked at in it when it is back", "run", j.Run, "source", p.Source, "error", problem)
	}
}

// wake tells the senders that there may be work from a plan.
func (n *Node) wake(p hub.Planned) {
	t := n.term.Load()
	if t == nil || p.Status != store.PlanApplied {
		return
	}
	for i := range p.Plan.Operations {
		t.senders.wake(p.Plan.Operations[i].Connector)
	}
}
