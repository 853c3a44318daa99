package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// shaky is a queue whose database goes away.
type shaky struct {
	Queue
	mu    sync.Mutex
	calls int
	// away is asked for each call, by its number; an error is what becomes of it. done:
	// it was carried out all the same, and only the answer was lost.
	away func(n int) (err error, done bool)
}

func (q *shaky) call(do func()) error {
	q.mu.Lock()
	q.calls++
	var err error
	done := true
	if q.away != nil {
		err, done = q.away(q.calls)
	}
	q.mu.Unlock()
	if err == nil || done {
		do()
	}
	return err
}

func (q *shaky) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.calls
}

func (q *shaky) Take(ctx context.Context, c, owner string, n int, now time.Time, ttl time.Duration) (ops []store.OpRow, err error) {
	if lost := q.call(func() { ops, err = q.Queue.Take(ctx, c, owner, n, now, ttl) }); lost != nil {
		return nil, lost
	}
	return ops, err
}

func (q *shaky) Unknown(ctx context.Context, c, owner string, n int, now time.Time, ttl time.Duration) (ops []store.OpRow, err error) {
	if lost := q.call(func() { ops, err = q.Queue.Unknown(ctx, c, owner, n, now, ttl) }); lost != nil {
		return nil, lost
	}
	return ops, err
}

func (q *shaky) Accepted(ctx context.Context, c, owner string, n int, due, now time.Time, ttl time.Duration) (ops []store.OpRow, err error) {
	if lost := q.call(func() { ops, err = q.Queue.Accepted(ctx, c, owner, n, due, now, ttl) }); lost != nil {
		return nil, lost
	}
	return ops, err
}

func (q *shaky) Finish(ctx context.Context, fs []store.Finish) (fenced []string, err error) {
	if lost := q.call(func() { fenced, err = q.Queue.Finish(ctx, fs) }); lost != nil {
		return nil, lost
	}
	return fenced, err
}

func (q *shaky) GiveBack(ctx context.Context, c, owner string, until time.Time, keep []string, now time.Time) (n int, err error) {
	if lost := q.call(func() { n, err = q.Queue.GiveBack(ctx, c, owner, until, keep, now) }); lost != nil {
		return 0, lost
	}
	return n, err
}

func (q *shaky) DueAt(ctx context.Context, c string) (at time.Time, err error) {
	if lost := q.call(func() { at, err = q.Queue.DueAt(ctx, c) }); lost != nil {
		return at, lost
	}
	return at, err
}

func (q *shaky) ReadyBefore(ctx context.Context, c string, lane plan.Lane, now time.Time) (found bool, err error) {
	if lost := q.call(func() { found, err = q.Queue.ReadyBefore(ctx, c, lane, now) }); lost != nil {
		return false, lost
	}
	return found, err
}

func (q *shaky) ConnectorState(ctx context.Context, name string) (s store.ConnectorState, err error) {
	if lost := q.call(func() { s, err = q.Queue.ConnectorState(ctx, name) }); lost != nil {
		return s, lost
	}
	return s, err
}

func (q *shaky) SetConnectorState(ctx context.Context, s store.ConnectorState, who string, now time.Time) (err error) {
	if lost := q.call(func() { err = q.Queue.SetConnectorState(ctx, s, who, now) }); lost != nil {
		return lost
	}
	return err
}

func (q *shaky) ConnectorAccounts(ctx context.Context, c string, keys []identity.Key) (as map[identity.AccountKey]identity.Account, err error) {
	if lost := q.call(func() { as, err = q.Queue.ConnectorAccounts(ctx, c, keys) }); lost != nil {
		return nil, lost
	}
	return as, err
}

// running is a Run under way.
func (b *bench) running() (stop func() error) {
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.d.Run(ctx) }()
	var err error
	var once sync.Once
	return func() error {
		once.Do(func() {
			cancel()
			err = <-ended
		})
		return err
	}
}

// until looks ten times a second for what comes within a minute, and more seldom for
// what may take longer: each look is a query, and hours pass at once.
func (b *bench) until(what string, within time.Duration, is func() bool) time.Duration {
	b.t.Helper()
	every := max(100*time.Millisecond, within/600)
	began := time.Now()
	for !is() {
		if time.Since(began) > within {
			counts, _ := b.OperationCounts(b.t.Context())
			b.t.Fatalf("%s: not within %v: %v", what, within, counts)
		}
		time.Sleep(every)
	}
	return time.Since(began)
}

func (b *bench) done() int {
	b.t.Helper()
	counts, err := b.OperationCounts(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return counts["crm"][store.OpDone]
}

func (b *bench) onceEach(n int) {
	b.t.Helper()
	for i := range n {
		if c := b.count(fmt.Sprint("create ", 1001+i)); c != 1 {
			b.t.Errorf("%d was created %d times", 1001+i, c)
		}
	}
}

var errAway = errors.New("the database is away")

// Whatever is lost of what is said to the database and of its answers, nothing is
// done twice and nothing is forgotten, by the same process, without a restart.
func TestRunOutlastsItsDatabase(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	lose := func(share float64) error {
		if random.Float64() < share {
			return errAway
		}
		return nil
	}
	for _, c := range []struct {
		name string
		away func(n int) (error, bool)
	}{
		{"now and then, before", func(int) (error, bool) { return lose(0.15), false }},
		{"now and then, after", func(int) (error, bool) { return lose(0.15), true }},
		{"often, before and after", func(n int) (error, bool) { return lose(0.25), n%2 == 0 }},
		{"from the first call on", func(n int) (error, bool) {
			if n < 20 {
				return errAway, n%2 == 0
			}
			return nil, true
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var told, over int
				b := newBench(t, func(o *Options) {
					o.InFlight = 4
					o.Queue = &shaky{Queue: o.Queue, away: c.away}
					o.Trouble = func(err error) {
						if err == nil {
							over++
						} else {
							told++
						}
					}
				})
				b.took = 10 * time.Millisecond
				b.enqueue(joiners(300)...)
				stop := b.running()
				b.until("all are done", 10*time.Hour, func() bool { return b.done() == 300 })
				if err := stop(); err != nil {
					t.Error(err)
				}
				b.onceEach(300)
				if told == 0 || over == 0 {
					t.Errorf("told of trouble %d times, of its end %d times", told, over)
				}
			})
		})
	}
}

func TestNothingBeginsWhileTheDatabaseIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		q := &shaky{}
		b := newBench(t, func(o *Options) { q.Queue, o.Queue, o.InFlight = o.Queue, q, 4 })
		b.took = 100 * time.Millisecond
		b.enqueue(joiners(2000)...)
		stop := b.running()
		time.Sleep(5 * time.Second)
		q.mu.Lock()
		q.away = func(int) (error, bool) { return errAway, false }
		q.mu.Unlock()
		at := time.Now()
		time.Sleep(10 * time.Minute)
		if d := b.lastBegun().Sub(at); d > time.Second {
			t.Errorf("a call began %v after the database went away", d)
		}
		calls := q.count()
		time.Sleep(10 * time.Minute)
		if n := q.count() - calls; n > 120 {
			t.Errorf("%d calls in ten minutes to a database that is away", n)
		}
		q.mu.Lock()
		q.away = nil
		q.mu.Unlock()
		b.until("all are done", time.Hour, func() bool { return b.done() == 2000 })
		if err := stop(); err != nil {
			t.Error(err)
		}
		b.onceEach(2000)
	})
}

// A stop while the database is away does not wait for it for ever.
func TestAStopWithoutADatabaseEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		q := &shaky{}
		b := newBench(t, func(o *Options) { q.Queue, o.Queue = o.Queue, q })
		b.took = time.Second
		b.enqueue(joiners(20)...)
		stop := b.running()
		time.Sleep(2500 * time.Millisecond)
		q.mu.Lock()
		q.away = func(int) (error, bool) { return errAway, false }
		q.mu.Unlock()
		at := time.Now()
		if err := stop(); !errors.Is(err, errAway) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(at); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAWorkerThatLostItsConnectorCutsItsCalls(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		calls, lose := context.WithCancel(t.Context())
		defer lose()
		b := newBench(t, func(o *Options) { o.InFlight, o.Calls = 4, calls })
		b.enqueue(joiners(20)...)
		b.drain()
		b.took = time.Minute
		var ops []plan.Operation
		for i := range 20 {
			ops = append(ops, of(fmt.Sprint(1001+i), plan.Update, change("mail", "", "a@x")))
		}
		b.enqueue(ops...)
		ended := make(chan error, 1)
		go func() { ended <- b.d.Run(t.Context()) }()
		time.Sleep(150 * time.Second) // 1 alone, then 2, then 4 are under way
		lose()
		at := time.Now()
		if err := <-ended; !errors.Is(err, ErrLost) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(at); took > time.Second {
			t.Errorf("it took %v", took)
		}
		b.countsAre("map[done:23 ready:13 unknown:4]")
		b.mu.Lock()
		busy := b.busy
		b.mu.Unlock()
		if busy != 0 {
			t.Errorf("%d calls are under way", busy)
		}
		b.took = 0
		b.opts.Calls = nil
		b.restart()
		b.drain()
		b.countsAre("map[done:40]")
	})
}

func TestAnIdleRunAsksOnceASecond(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		q := &shaky{}
		b := newBench(t, func(o *Options) { q.Queue, o.Queue = o.Queue, q })
		b.before = func(connector.Operation, int) *connector.Result {
			r := fail(connector.CodeDependencyMissing)
			return &r
		}
		b.enqueue(joiners(50)...) // they wait, for a minute at least
		stop := b.running()
		time.Sleep(10 * time.Second)
		before := q.count()
		time.Sleep(30 * time.Second)
		if n := q.count() - before; n > 31 {
			t.Errorf("%d queries in 30 s", n)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAPausedRunNoticesAtOnceThatItMayGoOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		if _, err := b.SetStopped(t.Context(), "alice: drill", "alice", time.Now()); err != nil {
			t.Fatal(err)
		}
		b.enqueue(joiner("1001"))
		stop := b.running()
		time.Sleep(time.Hour)
		b.wants()
		if _, err := b.SetStopped(t.Context(), "", "alice", time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		b.wants("create 1001")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// What a Run remembers does not grow with what it has done.
func TestARunOfManyRemembersFew(t *testing.T) {
	b := newBench(t)
	b.before = func(op connector.Operation, n int) *connector.Result {
		switch {
		case op.Verb() == connector.VerbGrant:
			r := fail(connector.CodeDependencyMissing)
			return &r
		case n%5 == 0:
			return &connector.Result{Outcome: connector.OutcomeUnknown, Err: connector.Errorf(connector.CodeTimeout, "no answer")}
		case n%5 == 1:
			r := fail(connector.CodeInvalidValue)
			return &r
		}
		return nil
	}
	b.opts.Quarantine.Off = true
	b.restart()
	n := 4 * memory
	var ops []plan.Operation
	for i := range n {
		ops = append(ops, joiner(fmt.Sprint(10000+i), gain("it")))
	}
	b.enqueue(ops...)
	l := newLoop(b.d)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	l.ending, l.forever = ctx.Done(), true
	b.d.gate.until(ctx.Done())
	if _, err := l.run(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	if len(l.missing) > memory+1 || len(l.made) > memory+1 || len(b.d.waiting.ops) > waitingMax+1 || len(l.health.rate.recent) > rateMax || cap(l.pending) > 1024 {
		t.Errorf("remembered: %d missing, %d made, %d waiting, %d outcomes", len(l.missing), len(l.made), len(b.d.waiting.ops), len(l.health.rate.recent))
	}
}
