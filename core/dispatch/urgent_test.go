package dispatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// What was taken ahead of need does not stand before a leaver who comes meanwhile.
func TestALeaverGoesBeforeTheRestOfABatch(t *testing.T) { // QUIRKS Q-7
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 2 })
		b.enqueue(joiner("1001"))
		b.drain()
		b.took = 90 * time.Millisecond // brisk: eight are taken at once
		b.enqueue(joiners(2000)[1:]...)
		ended := make(chan Summary)
		go func() { ended <- b.drain() }()
		time.Sleep(10 * time.Second)
		leaver := of("1001", plan.Disable)
		leaver.Lane = plan.LaneLeaver
		b.enqueue(leaver)
		took := b.until("the leaver is disabled", time.Minute, func() bool { return b.count("disable u1") == 1 })
		// The next peek, the place that is free next, the call itself.
		if took > peekEvery+2*b.took+20*time.Millisecond {
			t.Errorf("a leaver waited %v", took)
		}
		<-ended
	})
}

// Whoever knows of it says so, and the queue is asked at once.
func TestAWakeIsFasterThanThePeek(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 2 })
		b.enqueue(joiner("1001"))
		b.drain()
		b.took = 10 * time.Second // both places are taken: nothing to peek for
		b.shape.MaxInFlight = 3
		b.opts.InFlight = 3
		b.restart()
		b.enqueue(joiner("1002"), joiner("1003"))
		stop := b.running()
		time.Sleep(11 * time.Second) // 1003 is under way, and a place is free
		leaver := of("1001", plan.Disable)
		leaver.Lane = plan.LaneUrgent
		b.enqueue(leaver)
		at := time.Now()
		b.d.Wake()
		time.Sleep(50 * time.Millisecond)
		if d := b.lastBegun().Sub(at); d < 0 || d > 10*time.Millisecond {
			t.Errorf("the leaver's call began %v after the wake", d)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheLanesGoInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 1 })
		var ops []plan.Operation
		for i, lane := range []plan.Lane{plan.LaneNormal, plan.LaneRevoke, plan.LanePushed, plan.LaneLeaver, plan.LaneUrgent} {
			o := joiner(fmt.Sprint(1000 + i))
			o.Lane = lane
			ops = append(ops, o)
		}
		b.enqueue(ops...)
		b.drain()
		b.wants("create 1004", "create 1003", "create 1002", "create 1001", "create 1000")
	})
}

// accepting is a target that takes all at once and finishes when it is asked, as one
// that gathers changes for a file does.
func accepting(b *bench) {
	b.before = func(op connector.Operation, n int) *connector.Result {
		if op.Verb() == connector.VerbPoll {
			return nil
		}
		return &connector.Result{Outcome: connector.OutcomePending, Continuation: []byte(op.Meta().ID), PollAfter: time.Second}
	}
	b.after = func(op connector.Operation, _ int) *connector.Result {
		if op.Verb() != connector.VerbPoll {
			return nil
		}
		return &connector.Result{Outcome: connector.OutcomeApplied, Object: &connector.Object{Ref: connector.Ref{ID: op.Meta().ID}}}
	}
}

// beforeFirst counts the calls of a verb before the first one of another.
func (b *bench) beforeFirst(verb, other connector.Verb) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, c := range b.calls {
		switch c {
		case string(verb):
			n++
		case string(other):
			return n
		}
	}
	return n
}

func TestWhatIsAcceptedIsAskedAfterBehindWhatIsReady(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 4 })
		b.took = 50 * time.Millisecond
		accepting(b)
		b.enqueue(joiners(1000)...) // 12.5 s, and asked after from the first second on
		if s := b.drain(); s.Done != 1000 {
			t.Fatalf("summary %v", s)
		}
		if n := b.beforeFirst(connector.VerbCreate, connector.VerbPoll); n < 1000-2*4 { // but for those under way
			t.Errorf("the target was asked after %d of 1000", n)
		}
	})
}

// A queue that is never empty does not keep the target from being asked for ever.
func TestWhatIsAcceptedIsNotForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 4 })
		b.took = 4 * time.Second
		accepting(b)
		b.enqueue(joiners(600)...) // ten minutes
		began := time.Now()
		ended := make(chan Summary)
		go func() { ended <- b.drain() }()
		polled := func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.counts[connector.VerbPoll] > 0
		}
		took := b.until("the target is asked", 20*time.Minute, polled)
		if took < acceptedLate || took > acceptedLate+30*time.Second {
			t.Errorf("asked after %v", took)
		}
		if s := <-ended; s.Done != 600 {
			t.Errorf("summary %v", s)
		}
		if all := time.Since(began); all > 25*time.Minute {
			t.Errorf("it took %v", all)
		}
	})
}

// An accept is progress: a drain with little patience waits for what comes of it.
func TestAnAcceptIsProgress(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight, o.Patience = 1, 2*time.Second })
		b.took = 100 * time.Millisecond
		accepting(b)
		b.enqueue(joiners(60)...) // the last is accepted after 6 s
		if s := b.drain(); s.Done != 60 || s.Pending != 0 {
			t.Errorf("summary %v", s)
		}
	})
}

func TestTheSwitchForEverythingTakesASecond(t *testing.T) { // QUIRKS Q-45
	for _, c := range []struct {
		name     string
		off, on  func(b *bench) error
		problems string
	}{
		{"everything", func(b *bench) error { return b.stopAll("alice: wrong export") }, func(b *bench) error { return b.stopAll("") }, "everything is stopped by alice: wrong export"},
		{"one connector", func(b *bench) error { return b.edit(func(s *store.ConnectorState) { s.PausedBy = "alice" }) },
			func(b *bench) error { return b.edit(func(s *store.ConnectorState) { s.PausedBy = "" }) }, "paused by alice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBench(t, func(o *Options) { o.InFlight = 16 })
				b.took = 300 * time.Millisecond
				var ops []plan.Operation
				for i := range 400 { // 22 s
					ops = append(ops, joiner(fmt.Sprint(10000+i), gain("it"), gain("vpn"))) // three calls each
				}
				b.enqueue(ops...)
				stop := b.running()
				time.Sleep(5 * time.Second)
				if err := c.off(b); err != nil {
					t.Fatal(err)
				}
				at := time.Now()
				time.Sleep(time.Minute)
				if d := b.lastBegun().Sub(at); d > time.Second {
					t.Errorf("a call began %v after the switch", d)
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				b.restart()
				if s := b.drain(); s.Done != 0 || !strings.Contains(s.Stopped, c.problems) {
					t.Errorf("after a restart: %v", s)
				}
				if err := c.on(b); err != nil {
					t.Fatal(err)
				}
				if s := b.drain(); s.Retrying+s.Unknown+s.ParkedTotal() > 0 || b.done() != 400 {
					t.Errorf("after the switch was turned back: %v", s)
				}
			})
		})
	}
}

func (b *bench) stopAll(why string) error {
	_, err := b.SetStopped(b.t.Context(), why, "alice", time.Now())
	return err
}

func (b *bench) edit(change func(*store.ConnectorState)) error {
	s := b.connectorState()
	change(&s)
	return b.SetConnectorState(b.t.Context(), s, "alice", time.Now())
}

func TestADrainLetsOutWhatIsThereAndPauses(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 2 })
		b.took = 100 * time.Millisecond
		b.before = nth(connector.VerbCreate, 3, fail(connector.CodeTimeout)) // to be tried again
		b.enqueue(joiners(40)...)
		stop := b.running()
		time.Sleep(time.Second)
		if err := b.Org.Drain(t.Context(), "crm", "alice: maintenance", "alice", time.Now()); err != nil {
			t.Fatal(err)
		}
		late := joiner("2001")
		late.Lane = plan.LaneLeaver // whatever it is
		b.enqueue(late)
		b.until("the drain is through", time.Minute, func() bool { return b.connectorState().PausedBy != "" })
		b.countsAre("map[done:40 ready:1]")
		if s := b.connectorState(); s.PausedBy != "alice: maintenance" || s.DrainedBy != "" {
			t.Errorf("state %+v", s)
		}
		time.Sleep(time.Minute)
		b.countsAre("map[done:40 ready:1]")
		if err := b.edit(func(s *store.ConnectorState) { s.PausedBy = "" }); err != nil {
			t.Fatal(err)
		}
		b.until("it goes on", 3*time.Second, func() bool { return b.done() == 41 })
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// While the target is worked on nothing is sent, and then it goes on by itself.
func TestNothingIsSentDuringMaintenance(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		end := time.Now().Add(10 * time.Minute)
		b := newBench(t, func(o *Options) {
			o.Maintenance = func(now time.Time) time.Time {
				if now.Before(end) {
					return end
				}
				return time.Time{}
			}
		})
		b.enqueue(joiners(5)...)
		stop := b.running()
		time.Sleep(9 * time.Minute)
		b.countsAre("map[ready:5]")
		b.until("it goes on", 2*time.Minute, func() bool { return b.done() == 5 })
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
