package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/store"
)

const (
	// busyAgain is when a job is tried again while another run of the same thing is
	// under way.
	busyAgain = 500 * time.Millisecond
	// resumeEvery is how often is looked for runs whose node went away.
	resumeEvery = 10 * time.Second
)

// interrupted is why a run is made once more. One that is interrupted again waits
// for its next slot: it may be what brings its node down.
const interrupted = "the run before was interrupted"

// performer runs jobs, whatever queue they come from.
type performer struct {
	o       Options
	entries map[key]*Entry
}

// due returns the job of an entry's latest slot, and when it begins; false when
// that was run.
func (p *performer) due(ctx context.Context, e *Entry) (j Job, begin time.Time, due bool, err error) {
	now := p.o.Now()
	last, err := p.o.State.Counted(ctx, e.Kind, e.Subject, now)
	if err != nil {
		return j, begin, false, err
	}
	slot, missed := e.Schedule.Due(last, now)
	if slot.IsZero() {
		return j, begin, false, nil
	}
	j = Job{Kind: e.Kind, Subject: e.Subject, Slot: slot, Missed: missed, Why: "schedule", At: slot}
	return j, e.begin(slot), true, nil
}

// perform runs j unless it was run. again: it cannot begin yet, and is to be tried
// after that long. The error is that the state could not be read or written.
func (p *performer) perform(ctx context.Context, j Job) (again time.Duration, err error) {
	work, ok := p.o.Work[j.Kind]
	if !ok {
		return 0, fmt.Errorf("jobs: nothing is known of the kind %q", j.Kind)
	}
	lock, err := p.o.Lock(ctx, j.lockName(), "provhub, "+j.Kind+" of "+j.Subject)
	if errors.Is(err, store.ErrBusy) {
		return busyAgain, nil
	}
	if err != nil {
		return 0, err
	}
	defer lock.Release()
	if covered, err := p.covered(ctx, j); err != nil || covered {
		return 0, err
	}
	run := store.Run{Kind: j.Kind, Subject: j.Subject, StartedAt: p.o.Now().Truncate(time.Microsecond), Slot: j.Slot, Missed: j.Missed, Why: j.Why, Node: p.o.Node}
	began, err := p.o.State.BeginRun(ctx, run)
	if err != nil || !began {
		return 0, err
	}
	j.Run = run.ID()
	p.sayLate(j, run.StartedAt)
	ctx, cancel := whileHeld(ctx, lock)
	res, werr := p.work(ctx, work, j)
	cancel()
	return 0, p.end(context.WithoutCancel(ctx), run, res, werr)
}

// lateAfter is how much later than it should a scheduled run begins before that is told.
const lateAfter = time.Minute

// sayLate tells of a run that begins later than it should, and of those that it stands
// for: nobody ran them while no node was there, or while the run before it took longer.
func (p *performer) sayLate(j Job, began time.Time) {
	e := p.entries[j.key()]
	if j.Slot.IsZero() || e == nil {
		return
	}
	late := began.Sub(e.begin(j.Slot)).Round(time.Second)
	if j.Missed == 0 && late < lateAfter {
		return
	}
	p.o.Log.Warn("a run begins late, or stands for others that were missed", "run", j.Run, "due", j.Slot.UTC(), "late", late, "missed", j.Missed)
}

func (j Job) lockName() string { return "job/" + j.Kind + "/" + j.Subject }

// covered reports that a run which began after j was asked for has done it.
func (p *performer) covered(ctx context.Context, j Job) (bool, error) {
	if !j.Slot.IsZero() {
		return false, nil // the slot tells
	}
	last, err := p.o.State.LastRun(ctx, j.Kind, j.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && last.StartedAt.After(j.At) && last.Outcome == store.RunDone, err
}

// whileHeld returns a context that ends when the lock is lost.
func whileHeld(ctx context.Context, lock Lock) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-lock.Lost():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// work runs the work, unless there is a reason not to.
func (p *performer) work(ctx context.Context, work Work, j Job) (Result, error) {
	if e := p.entries[j.key()]; e != nil && e.Unless != nil && !j.Slot.IsZero() {
		reason, err := e.Unless(ctx)
		if err != nil || reason != "" {
			return Result{Outcome: store.RunSkipped, Summary: reason}, err
		}
	}
	return work(ctx, j)
}

// end records what became of a run.
func (p *performer) end(ctx context.Context, run store.Run, res Result, werr error) error {
	run.EndedAt, run.Outcome, run.Summary = p.o.Now().Truncate(time.Microsecond), res.Outcome, res.Summary
	if run.Outcome == "" {
		run.Outcome = store.RunDone
	}
	log := p.o.Log.Info
	if werr != nil {
		run.Outcome, run.Summary = store.RunFailed, werr.Error()
		log = p.o.Log.Error
	}
	about := []any{"run", run.ID(), "kind", run.Kind, "subject", run.Subject, "why", run.Why, "outcome", run.Outcome, "summary", run.Summary,
		"took", run.EndedAt.Sub(run.StartedAt).Round(time.Millisecond)}
	if res.Plan != "" {
		about = append(about, "plan", res.Plan)
	}
	if res.Trace != "" {
		about = append(about, "trace", res.Trace)
	}
	log("a run ended", about...)
	if p.o.Ended != nil {
		p.o.Ended(run)
	}
	err := p.o.State.EndRun(ctx, run)
	if errors.Is(err, store.ErrNotFound) {
		return nil // another node took us for gone, and runs it once more
	}
	return err
}

// orphans returns the runs that are open while nobody holds their lock: their
// nodes went away.
func (p *performer) orphans(ctx context.Context) ([]store.Run, error) {
	open, err := p.o.State.OpenRuns(ctx)
	if err != nil {
		return nil, err
	}
	var out []store.Run
	for _, r := range open {
		_, ours := p.o.Work[r.Kind]
		if !ours || r.Why == interrupted {
			continue
		}
		lock, err := p.o.Lock(ctx, Job{Kind: r.Kind, Subject: r.Subject}.lockName(), "provhub, looking for interrupted runs")
		if errors.Is(err, store.ErrBusy) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lock.Release()
		out = append(out, r)
	}
	return out, nil
}
