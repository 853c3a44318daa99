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

func (b *bench) connectorState() store.ConnectorState {
	b.t.Helper()
	s, err := b.ConnectorState(b.t.Context(), "crm")
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) countsAre(want string) {
	b.t.Helper()
	counts, err := b.OperationCounts(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if got := fmt.Sprint(counts["crm"]); got != want {
		b.t.Errorf("counts %s, want %s", got, want)
	}
}

func TestATargetThatAsksForQuietIsLeftAlone(t *testing.T) { // QUIRKS SCIM-23
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.took = time.Second
		b.before = nth(connector.VerbCreate, 2, fail(connector.CodeRateLimited, func(e *connector.Error) { e.RetryAfter = 10 * time.Minute }))
		b.enqueue(joiners(20)...)
		s := b.drain()
		if !strings.Contains(s.Stopped, "left alone") || s.Retrying != 1 {
			t.Errorf("summary %v", s)
		}
		b.restart() // another process keeps quiet as well
		if n := len(b.calls); n > 4 {
			t.Errorf("%d calls in spite of the throttle", n)
		}
		before := len(b.calls)
		time.Sleep(9 * time.Minute)
		if s := b.drain(); s.Done > 0 || len(b.calls) != before {
			t.Errorf("called within the ten minutes: %v", s)
		}
		time.Sleep(3 * time.Minute)
		b.drain()
		b.countsAre("map[done:20]")
		for i := range 20 {
			if r := b.row(fmt.Sprint(1001 + i)); r.Attempts > 1 {
				t.Errorf("%s cost %d attempts", r.Anchor, r.Attempts)
			}
		}
	})
}

func TestAnAbsurdRetryAfterIsCapped(t *testing.T) { // QUIRKS SCIM-23
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.before = nth(connector.VerbCreate, 1, fail(connector.CodeRateLimited, func(e *connector.Error) { e.RetryAfter = 9999 * time.Hour }))
		b.enqueue(joiner("1001"))
		b.drain()
		if at := b.connectorState().ResumeAt; time.Until(at) > time.Hour {
			t.Errorf("quiet until %v", at)
		}
		if r := b.row("1001"); time.Until(r.NextAttemptAt) > 2*time.Hour {
			t.Errorf("next attempt at %v", r.NextAttemptAt)
		}
	})
}

func TestAnOutageCostsNoAttempts(t *testing.T) { // QUIRKS Q-9
	for name, r := range map[string]connector.Result{
		"said to be instance-wide": fail(connector.CodeUnavailable, scope(connector.ScopeInstance)),
		"not said":                 fail(connector.CodeUnavailable),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBench(t, func(o *Options) { o.Patience = time.Minute })
				down := true
				b.before = func(connector.Operation, int) *connector.Result {
					if down {
						return &r
					}
					return nil
				}
				b.enqueue(joiners(50)...)
				begun := time.Now()
				var s Summary
				for time.Since(begun) < 2*time.Hour {
					s = b.drain()
					b.restart()
					time.Sleep(time.Minute)
				}
				if !strings.Contains(s.Stopped, "the target is down") {
					t.Errorf("summary %v", s)
				}
				// A probe every five minutes at most, and the five that opened the breaker.
				if n := len(b.calls); n > 2*12+20 {
					t.Errorf("%d calls in two hours of outage", n)
				}
				down = false
				time.Sleep(10 * time.Minute)
				for range 10 {
					b.drain()
					time.Sleep(10 * time.Minute)
				}
				b.countsAre("map[done:50]")
				if s := b.connectorState(); s.Failures != 0 {
					t.Errorf("the breaker counts %d failures", s.Failures)
				}
			})
		})
	}
}

func TestOneBadObjectDoesNotOpenTheBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight, o.Patience = 1, 24*time.Hour })
		b.before = func(op connector.Operation, _ int) *connector.Result {
			if c, ok := op.(connector.Create); ok && c.Correlate.Value == "1001" {
				r := fail(connector.CodeUnavailable)
				return &r
			}
			return nil
		}
		b.enqueue(joiners(10)...)
		s := b.drain()
		if s.Done != 9 {
			t.Errorf("summary %v", s)
		}
		// Alone in the queue it cannot be told from an outage. It must not be the
		// probe that keeps others out.
		time.Sleep(24 * time.Hour)
		b.restart()
		leaver := of("1002", plan.Disable)
		leaver.Lane = plan.LaneLeaver
		b.enqueue(leaver, joiner("2000"))
		b.drain()
		b.state("1002", store.OpDone)
		b.state("2000", store.OpDone)
	})
}

func TestAWrongPasswordIsTriedOnce(t *testing.T) { // QUIRKS Q-11, LDAP-51
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.took = time.Second
		b.before = nth(connector.VerbCreate, 1, fail(connector.CodeAuthentication))
		b.enqueue(joiners(100)...)
		s := b.drain()
		if want := "stopped: AUTHENTICATION: no"; s.Stopped != want || len(b.calls) != 1 {
			t.Errorf("%q after %d calls", s.Stopped, len(b.calls))
		}
		b.countsAre("map[ready:100]")
		b.restart()
		b.drain()
		if len(b.calls) != 1 {
			t.Errorf("%d calls while stopped", len(b.calls))
		}
		entries, err := b.Audit(t.Context(), store.AuditFilter{Action: "connector.stop"})
		if err != nil || len(entries) != 1 {
			t.Errorf("%d alerts, %v", len(entries), err)
		}
		st := b.connectorState()
		st.Stopped = ""
		if err := b.SetConnectorState(t.Context(), st, "alice", time.Now()); err != nil {
			t.Fatal(err)
		}
		b.restart()
		b.drain()
		b.countsAre("map[done:100]")
	})
}

func TestAPasswordThatExpiresUnderLoadStopsAllOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 8 })
		b.took = time.Second
		b.before = func(_ connector.Operation, n int) *connector.Result {
			if n > 40 {
				r := fail(connector.CodeAuthentication)
				return &r
			}
			return nil
		}
		b.enqueue(joiners(100)...)
		b.drain()
		if len(b.calls) > 48 {
			t.Errorf("%d calls", len(b.calls))
		}
		b.countsAre("map[done:40 ready:60]")
		for i := range 100 {
			if r := b.row(fmt.Sprint(1001 + i)); r.State == store.OpReady && r.Attempts != 0 {
				t.Errorf("%s cost %d attempts", r.Anchor, r.Attempts)
			}
		}
	})
}

func TestTheKillSwitchTakesASecond(t *testing.T) { // QUIRKS Q-45
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 4 })
		b.took = 100 * time.Millisecond
		b.enqueue(joiners(1000)...)
		ended := make(chan Summary)
		go func() { ended <- b.drain() }()
		time.Sleep(3 * time.Second)
		st := b.connectorState()
		st.PausedBy = "alice"
		if err := b.SetConnectorState(t.Context(), st, "alice", time.Now()); err != nil {
			t.Error(err)
		}
		at := time.Now()
		s := <-ended
		if took := time.Since(at); took > time.Second+b.took {
			t.Errorf("sent for %v after the kill switch", took)
		}
		if s.Stopped != "paused by alice" || s.Done == 0 || s.Done > 200 {
			t.Errorf("summary %v", s)
		}
		b.countsAre(fmt.Sprintf("map[done:%d ready:%d]", s.Done, 1000-s.Done))
		b.restart()
		if again := b.drain(); again.Done != 0 || again.Stopped == "" {
			t.Errorf("after a restart: %v", again)
		}
	})
}

// All that were under way when a plugin died fail together. That is one failure.
func TestManyAtOnceAreOneFailure(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 16 })
		b.took = time.Second
		began := time.Now()
		b.before = func(connector.Operation, int) *connector.Result {
			if d := time.Since(began); d > 10*time.Second && d < 12*time.Second {
				r := fail(connector.CodeUnavailable, scope(connector.ScopeInstance))
				return &r
			}
			return nil
		}
		b.enqueue(joiners(200)...)
		if s := b.drain(); s.Done != 200 {
			t.Errorf("summary %v", s)
		}
	})
}
