package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/provhub/provhub/core/jobs"
	"github.com/provhub/provhub/core/schedule"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
	"github.com/provhub/provhub/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster are nodes that share a state, and what they ran.
type cluster struct {
	t     *testing.T
	state *store.Org
	every string // cron of the one entry
	logs  logtest.Log

	mu    sync.Mutex
	locks map[string]*lock
	ran   []jobs.Job
	at    int // runs under way, at most once at a time
	most  int
	work  func(ctx context.Context, j jobs.Job) (jobs.Result, error)
}

func newCluster(t *testing.T, state *store.Org) *cluster {
	c := &cluster{t: t, state: state, every: "0 0 1 1 *", locks: map[string]*lock{}}
	c.work = func(context.Context, jobs.Job) (jobs.Result, error) { return jobs.Result{}, nil }
	return c
}

// lock is a lock of the cluster that a test can take away.
type lock struct {
	c    *cluster
	name string
	lost chan struct{}
}

func (l *lock) Lost() <-chan struct{} { return l.lost }

func (l *lock) Release() {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if l.c.locks[l.name] == l {
		delete(l.c.locks, l.name)
	}
}

func (c *cluster) lock(_ context.Context, name, _ string) (jobs.Lock, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locks[name] != nil {
		return nil, store.ErrBusy
	}
	l := &lock{c: c, name: name, lost: make(chan struct{})}
	c.locks[name] = l
	return l, nil
}

// crash takes the locks of all nodes away, as the database does when it does not
// hear of them.
func (c *cluster) crash() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, l := range c.locks {
		close(l.lost)
		delete(c.locks, name)
	}
}

func (c *cluster) do(ctx context.Context, j jobs.Job) (jobs.Result, error) {
	c.mu.Lock()
	c.ran = append(c.ran, j)
	c.at++
	c.most = max(c.most, c.at)
	work := c.work
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.at--
		c.mu.Unlock()
	}()
	return work(ctx, j)
}

func (c *cluster) runs() []jobs.Job {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ran)
}

// node starts a node; its end is the test's, when it was not stopped.
func (c *cluster) node(name string) jobs.Runner {
	c.t.Helper()
	s, err := schedule.New(schedule.Spec{Cron: c.every})
	require.NoError(c.t, err)
	r, err := jobs.Start(c.t.Context(), jobs.Options{State: c.state, Lock: c.lock, Node: name, Work: map[string]jobs.Work{"cycle": c.do},
		Entries: []jobs.Entry{{Kind: "cycle", Subject: "hr", Schedule: s}}, Log: slog.New(slog.NewTextHandler(&c.logs, nil))})
	require.NoError(c.t, err)
	return r
}

func stop(t *testing.T, rs ...jobs.Runner) {
	t.Helper()
	for _, r := range rs {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		require.NoError(t, r.Stop(ctx))
	}
}

func (c *cluster) eventually(what string, ok func() bool) {
	c.t.Helper()
	require.Eventually(c.t, ok, time.Minute, 20*time.Millisecond, what)
}

// ended returns the runs that have ended, oldest first.
func (c *cluster) ended() []store.Run {
	c.t.Helper()
	rs, err := c.state.Runs(c.t.Context(), store.RunFilter{})
	require.NoError(c.t, err)
	rs = slices.DeleteFunc(rs, func(r store.Run) bool { return r.EndedAt.IsZero() })
	slices.Reverse(rs)
	return rs
}

// What is asked for is run once, and what became of it is kept.
func TestAsked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		c := newCluster(t, o)
		a := c.node("a")
		defer stop(t, a)
		require.NoError(t, a.Ask(t.Context(), "cycle", "hr", "alice"))
		c.eventually("it ends", func() bool { return len(c.ended()) == 1 })
		c.mu.Lock()
		c.work = func(context.Context, jobs.Job) (jobs.Result, error) {
			return jobs.Result{Outcome: store.RunDone}, errors.New("the file is not there")
		}
		c.mu.Unlock()
		require.NoError(t, a.Ask(t.Context(), "cycle", "hr", "bob"))
		c.eventually("the second ends", func() bool { return len(c.ended()) == 2 })
		rs := c.ended()
		require.Equal(t, []any{"alice", store.RunDone, "a"}, []any{rs[0].Why, rs[0].Outcome, rs[0].Node})
		require.Equal(t, []any{"bob", store.RunFailed, "the file is not there"}, []any{rs[1].Why, rs[1].Outcome, rs[1].Summary})
	})
}

// However often it is asked for on however many nodes, one run is under way at a
// time, and what was asked for while it ran is done by one more.
func TestOneAtATime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		c := newCluster(t, o)
		asked := make(chan struct{})
		c.work = func(context.Context, jobs.Job) (jobs.Result, error) {
			<-asked // else the asking may take longer than several runs
			time.Sleep(300 * time.Millisecond)
			return jobs.Result{}, nil
		}
		a := c.node("a")
		nodes := []jobs.Runner{a}
		if pool, _, err := o.JobsPool(t.Context()); err == nil { // else one node is all there can be
			pool.Close()
			nodes = append(nodes, c.node("b"))
		}
		defer stop(t, nodes...)
		for range 5 {
			for _, n := range nodes {
				assert.NoError(t, n.Ask(t.Context(), "cycle", "hr", "watch"))
			}
		}
		close(asked)
		c.eventually("it was run", func() bool { return len(c.ended()) >= 1 })
		time.Sleep(2 * time.Second) // longer than a job waits that finds another one running
		require.LessOrEqual(t, len(c.runs()), 3, "what a run covers is not run again")
		require.Equal(t, 1, c.most)
	})
}

// A slot is run once by all nodes together, and slots that came while no node was
// there are noticed.
func TestSlots(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		c := newCluster(t, o)
		c.every = "@daily"
		_, err := o.Counted(t.Context(), "cycle", "hr", time.Now().Add(-60*time.Hour))
		require.NoError(t, err)
		a := c.node("a")
		c.eventually("the last slot is run", func() bool { return len(c.ended()) == 1 })
		require.Contains(t, c.logs.String(), "a run begins late, or stands for others that were missed")
		stop(t, a)
		b := c.node("b") // another leader
		defer stop(t, b)
		time.Sleep(time.Second)
		rs := c.ended()
		require.Len(t, rs, 1)
		require.Equal(t, time.Now().Truncate(24*time.Hour).UTC(), rs[0].Slot.UTC())
		require.Equal(t, []any{"schedule", 1}, []any{rs[0].Why, min(rs[0].Missed, 1)})
	})
}

// A run whose node went away is made once more; one that is interrupted again is
// left to its next slot.
func TestInterrupted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		c := newCluster(t, o)
		_, err := o.BeginRun(t.Context(), store.Run{Kind: "cycle", Subject: "hr", StartedAt: time.Now().Add(-time.Minute).Truncate(time.Microsecond), Why: "schedule", Node: "gone"})
		require.NoError(t, err)
		a := c.node("a")
		defer stop(t, a)
		c.eventually("it is run once more", func() bool { return len(c.ended()) == 2 })
		rs := c.ended()
		require.Equal(t, []any{store.RunInterrupted, store.RunDone}, []any{rs[0].Outcome, rs[1].Outcome})
		require.Equal(t, "the run before was interrupted", rs[1].Why)
	})
}

// Who loses the lock stops working.
func TestLostLock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		c := newCluster(t, o)
		stopped := make(chan error, 1)
		c.work = func(ctx context.Context, _ jobs.Job) (jobs.Result, error) {
			<-ctx.Done()
			stopped <- ctx.Err()
			return jobs.Result{}, ctx.Err()
		}
		a := c.node("a")
		defer stop(t, a)
		require.NoError(t, a.Ask(t.Context(), "cycle", "hr", "alice"))
		c.eventually("it runs", func() bool { return len(c.runs()) == 1 })
		c.crash()
		select {
		case err := <-stopped:
			require.ErrorIs(t, err, context.Canceled)
		case <-time.After(time.Minute):
			t.Fatal("it goes on without its lock")
		}
	})
}

// A stop waits for what runs, and cancels it when the deadline comes.
func TestStop(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		c := newCluster(t, o)
		c.work = func(ctx context.Context, _ jobs.Job) (jobs.Result, error) {
			<-ctx.Done()
			return jobs.Result{}, ctx.Err()
		}
		a := c.node("a")
		require.NoError(t, a.Ask(t.Context(), "cycle", "hr", "alice"))
		c.eventually("it runs", func() bool { return len(c.runs()) == 1 })
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 500*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, a.Stop(ctx), context.DeadlineExceeded)
		rs := c.ended()
		require.Len(t, rs, 1)
		require.Equal(t, store.RunFailed, rs[0].Outcome)
	})
}

// A file that takes no writes, as on a full disk, is not asked a thousand times a second.
func TestAStateThatTakesNothing(t *testing.T) {
	c := newCluster(t, storetest.Open(t, storetest.SQLiteURL(t)))
	c.every = "* * * * *"
	var tries atomic.Int32
	s, err := schedule.New(schedule.Spec{Cron: "* * * * *"})
	require.NoError(t, err)
	r, err := jobs.Start(t.Context(), jobs.Options{State: c.state, Node: "a", Work: map[string]jobs.Work{"cycle": c.do},
		Lock: func(context.Context, string, string) (jobs.Lock, error) {
			tries.Add(1)
			return nil, errors.New("the disk is full")
		},
		Entries: []jobs.Entry{{Kind: "cycle", Subject: "hr", Schedule: s}}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer stop(t, r)
	require.NoError(t, r.Ask(t.Context(), "cycle", "hr", "because"))
	c.eventually("it was tried", func() bool { return tries.Load() > 0 })
	for range 5 { // asking more often is no reason to try more often
		require.NoError(t, r.Ask(t.Context(), "cycle", "hr", "because"))
		time.Sleep(20 * time.Millisecond)
	}
	require.LessOrEqual(t, tries.Load(), int32(2))
}

// What was asked for and did not begin is there for the next runner, and whoever asks this
// one later is told.
func TestWhatWasAskedForIsLeftToTheNext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		c := newCluster(t, o)
		c.work = func(ctx context.Context, j jobs.Job) (jobs.Result, error) {
			if j.Why == "alice" {
				<-ctx.Done()
			}
			return jobs.Result{}, nil
		}
		a := c.node("a")
		require.NoError(t, a.Ask(t.Context(), "cycle", "hr", "alice"))
		c.eventually("it runs", func() bool { return len(c.runs()) == 1 })
		require.NoError(t, a.Ask(t.Context(), "cycle", "hr", "bob"))
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, a.Stop(ctx), context.DeadlineExceeded)
		left := a.Left()
		b := c.node("b")
		defer stop(t, b)
		for _, j := range left {
			require.ErrorIs(t, a.Ask(t.Context(), j.Kind, j.Subject, j.Why), jobs.ErrStopped)
			require.NoError(t, b.Ask(t.Context(), j.Kind, j.Subject, j.Why))
		}
		c.eventually("it is done", func() bool {
			return slices.ContainsFunc(c.runs(), func(j jobs.Job) bool { return j.Why == "bob" })
		})
	})
}
