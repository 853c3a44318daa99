// Package jobs runs what is scheduled or asked for: one run of a thing at a time,
// on one of the nodes, and once more when its node went away.
//
//	schedule ─► slot ─┐
//	                  ├─► queue ─► lock ─► due still? ─► run ─► what became of it
//	asked for ────────┘   (River, or in the process)
//
// On PostgreSQL the queue is River (riverqueue.com), whose elected leader inserts
// the jobs of the schedules. On SQLite, which one node works on, it is in the
// process. Which slot was run is in the state, so that neither a restart nor a
// new leader runs one twice or forgets one.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/provhub/provhub/core/schedule"
	"github.com/provhub/provhub/core/store"
)

// Job is one thing to run.
type Job struct {
	// Kind is what to do, a key of [Options.Work]; Subject what it is about.
	Kind, Subject string
	// Slot is the time of the schedule that it is for; zero: it was asked for.
	Slot time.Time
	// Missed counts the slots before it that nobody ran.
	Missed int
	// Why is "schedule", or who or what asked for it, At when that was.
	Why string
	At  time.Time
	// Run is the id of the run that does it; see [store.Run.ID]. "": it did not begin.
	Run string
}

// Result is what became of a run.
type Result struct {
	Outcome store.RunOutcome // "": done
	Summary string           // one sentence for people
	Plan    string           // hash of the plan that was made; "": none
	Trace   string           // the id of its trace; "": it has none
}

// Work does what a job says. Its ctx ends when the node stops or loses its lock.
// An error is an outcome like another: the next slot tries again.
type Work func(ctx context.Context, j Job) (Result, error)

// Entry is something that runs on a schedule.
type Entry struct {
	Kind, Subject string
	Schedule      *schedule.Schedule
	// Unless, when set, is asked before a scheduled run; a reason skips it.
	Unless func(ctx context.Context) (reason string, err error)
}

// begin returns when the run for a slot begins.
func (e *Entry) begin(slot time.Time) time.Time {
	return e.Schedule.Begin(e.Kind+"/"+e.Subject, slot)
}

// Lock is held while a job runs.
type Lock interface {
	// Lost is closed when another node may have the lock.
	Lost() <-chan struct{}
	Release()
}

// Options say what a [Runner] runs. State, Lock, Node and Work are required.
type Options struct {
	State *store.Org
	// Lock takes the lock called name without waiting: [store.ErrBusy] when another has it.
	Lock    func(ctx context.Context, name, who string) (Lock, error)
	Node    string // this one's name
	Work    map[string]Work
	Entries []Entry
	// Ended, when set, is told of every run of this node that has ended. It must not block.
	Ended  func(store.Run)
	AtOnce int          // runs side by side on this node; 0: 4
	Log    *slog.Logger // nil: none
	Now    func() time.Time
}

// Runner runs jobs.
type Runner interface {
	// Ask queues a job that is to run as soon as possible. What was asked for before a
	// run began is done by that run.
	Ask(ctx context.Context, kind, subject, why string) error
	// Stop begins nothing more and waits for what runs; when ctx ends, what runs is
	// cancelled.
	Stop(ctx context.Context) error
	// Left returns, after Stop, what was asked for and did not begin, for the next runner
	// to be asked; from then on Ask returns [ErrStopped]. nil: the queue outlives the runner.
	Left() []Job
}

// ErrStopped says that a runner takes no more jobs.
var ErrStopped = errors.New("this runner has stopped")

// Start returns a runner that has begun. It ends with Stop.
func Start(ctx context.Context, o Options) (Runner, error) {
	if o.AtOnce == 0 {
		o.AtOnce = 4
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &performer{o: o, entries: map[key]*Entry{}}
	for i, e := range o.Entries {
		p.entries[key{e.Kind, e.Subject}] = &o.Entries[i]
	}
	pool, schema, err := o.State.JobsPool(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return startLocal(ctx, p), nil
	}
	if err != nil {
		return nil, err
	}
	return startRiver(ctx, p, pool, schema)
}

// Do runs one job now, and waits while another run of the same thing is under way. The
// error is that the state could not be read or written, or that ctx ended.
func Do(ctx context.Context, o Options, j Job) error {
	p := &performer{o: o}
	for {
		again, err := p.perform(ctx, j)
		if err != nil || again == 0 {
			return err
		}
		t := time.NewTimer(again)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		j.At = o.Now() // what ran meanwhile has not done it
	}
}

// key names what one run at a time is of.
type key struct{ kind, subject string }

func (j Job) key() key { return key{j.Kind, j.Subject} }
