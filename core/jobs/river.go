package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// constructorMax bounds how long the leader looks whether a slot is due.
const constructorMax = 3 * time.Second

// args are a job as River keeps it. What was asked for at another time is another
// job; slots are unique.
type args struct {
	What    string    `json:"what" river:"unique"`
	Subject string    `json:"subject" river:"unique"`
	Slot    time.Time `json:"slot" river:"unique"`
	At      time.Time `json:"at" river:"unique"`
	Missed  int       `json:"missed,omitempty"`
	Why     string    `json:"why"`
}

// Kind implements [river.JobArgs].
func (args) Kind() string { return "provhub" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

func argsOf(j Job) args {
	return args{What: j.Kind, Subject: j.Subject, Slot: j.Slot.UTC(), At: j.At.UTC(), Missed: j.Missed, Why: j.Why}
}

func (a args) job() Job {
	return Job{Kind: a.What, Subject: a.Subject, Slot: a.Slot, At: a.At, Missed: a.Missed, Why: a.Why}
}

// worker performs jobs. River tries again only what the state could not record.
type worker struct {
	river.WorkerDefaults[args]
	p *performer
}

// Work implements [river.Worker].
func (w *worker) Work(ctx context.Context, j *river.Job[args]) error {
	again, err := w.p.perform(ctx, j.Args.job())
	if err == nil && again > 0 {
		return river.JobSnooze(again)
	}
	return err
}

// Timeout implements [river.Worker]: a reading takes as long as it takes.
func (w *worker) Timeout(*river.Job[args]) time.Duration { return -1 }

// queue is River.
type queue struct {
	p      *performer
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
	stop   context.CancelFunc // of looking for interrupted runs
	done   chan struct{}
}

func startRiver(ctx context.Context, p *performer, pool *pgxpool.Pool, schema string) (Runner, error) {
	q := &queue{p: p, pool: pool, done: make(chan struct{})}
	if err := q.open(ctx, schema); err != nil {
		pool.Close()
		return nil, fmt.Errorf("start the job queue: %w", err)
	}
	looking, stop := context.WithCancel(ctx)
	q.stop = stop
	go q.resume(looking)
	return q, nil
}

func (q *queue) open(ctx context.Context, schema string) error {
	driver := riverpgxv5.New(q.pool)
	quiet := slog.New(slog.DiscardHandler)
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Schema: schema, Logger: quiet})
	if err != nil {
		return err
	}
	if err := q.alone(ctx, schema, func() error {
		_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}); err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{p: q.p})
	q.client, err = river.NewClient(driver, &river.Config{
		Schema: schema, Workers: workers, JobTimeout: -1, Logger: slog.New(quieter{q.p.o.Log.With("room", "jobs").Handler()}),
		Queues:       map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: q.p.o.AtOnce}},
		PeriodicJobs: q.periodic(ctx),
	})
	if err != nil {
		return err
	}
	// Not ctx: River cancels what runs when it ends. Stop does that in its time.
	return q.client.Start(context.WithoutCancel(ctx))
}

// alone runs f while no other node does: two that start together would make the
// same tables.
func (q *queue) alone(ctx context.Context, schema string, f func() error) error {
	conn, err := q.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended($1, 0))`, schema); err != nil {
		return err
	}
	defer func() {
		// Without the connection the lock is gone as well.
		_, _ = conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, schema)
	}()
	return f()
}

// periodic are the entries as River's leader runs them. It looks when it is elected
// and at every slot; what the state says was run is not inserted.
func (q *queue) periodic(ctx context.Context) []*river.PeriodicJob {
	var out []*river.PeriodicJob
	for _, e := range q.p.entries {
		out = append(out, river.NewPeriodicJob(e.Schedule, func() (river.JobArgs, *river.InsertOpts) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), constructorMax)
			defer cancel()
			j, begin, due, err := q.p.due(ctx, e)
			if err != nil {
				q.p.o.Log.Error("the schedule could not be read", "kind", e.Kind, "subject", e.Subject, "error", err)
			}
			if err != nil || !due {
				return nil, nil
			}
			return argsOf(j), &river.InsertOpts{ScheduledAt: begin}
		}, &river.PeriodicJobOpts{ID: e.Kind + "/" + e.Subject, RunOnStart: true}))
	}
	return out
}

// Ask implements [Runner].
func (q *queue) Ask(ctx context.Context, kind, subject, why string) error {
	_, err := q.client.Insert(ctx, argsOf(Job{Kind: kind, Subject: subject, Why: why, At: q.p.o.Now().Truncate(time.Microsecond)}), nil)
	return err
}

// resume asks for the runs once more whose node went away, until ctx ends.
func (q *queue) resume(ctx context.Context) {
	defer close(q.done)
	t := time.NewTicker(resumeEvery)
	defer t.Stop()
	for {
		orphans, err := q.p.orphans(ctx)
		for _, r := range orphans {
			// By when it began, so that of several nodes one asks.
			j := Job{Kind: r.Kind, Subject: r.Subject, Why: interrupted, At: r.StartedAt}
			_, ierr := q.client.Insert(ctx, argsOf(j), nil)
			err = errors.Join(err, ierr)
		}
		if err != nil && ctx.Err() == nil {
			q.p.o.Log.Error("interrupted runs could not be looked for", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Left implements [Runner]: the queue is in the database.
func (q *queue) Left() []Job { return nil }

// Stop implements [Runner].
func (q *queue) Stop(ctx context.Context) error {
	q.stop()
	<-q.done
	err := q.client.Stop(ctx)
	if err != nil && ctx.Err() != nil {
		cancelled, done := context.WithTimeout(context.WithoutCancel(ctx), constructorMax)
		defer done()
		err = errors.Join(ctx.Err(), q.client.StopAndCancel(cancelled))
	}
	q.pool.Close()
	return err
}
