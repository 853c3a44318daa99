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

// failing has every nth of ten calls answered with r, until it is set to 0.
func failing(b *bench, ofTen *int, r connector.Result) {
	total := 0
	b.before = func(connector.Operation, int) *connector.Result {
		if total++; total%10 < *ofTen {
			return &r
		}
		return nil
	}
}

func TestAConnectorThatFailsTooOftenIsProbed(t *testing.T) {
	timeout := connector.Result{Outcome: connector.OutcomeUnknown, Err: connector.Errorf(connector.CodeTimeout, "no answer")}
	for _, c := range []struct {
		name   string
		answer connector.Result
		ofTen  int
		want   string // part of the reason; "": no quarantine
	}{
		{"time-outs", timeout, 5, "TIMEOUT"},
		{"a defect of the plugin", fail(connector.CodeInternal), 6, "INTERNAL"},
		{"busy", fail(connector.CodeBusy), 5, "BUSY"},
		{"seldom", timeout, 2, ""},
		{"what is missing in the target", fail(connector.CodeDependencyMissing), 9, ""},
		{"people's data", fail(connector.CodeInvalidValue), 9, ""},
		{"a policy of the target", fail(connector.CodePolicy), 9, ""},
		{"conflicts for a person", fail(connector.CodeAmbiguous), 9, ""},
		{"single objects that are locked", fail(connector.CodeBusy, scope(connector.ScopeObject)), 9, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBench(t, func(o *Options) { o.InFlight = 8 })
				b.took = 100 * time.Millisecond
				failing(b, &c.ofTen, c.answer)
				b.enqueue(joiners(120)...)
				stop := b.running()
				time.Sleep(20 * time.Second)
				s := b.connectorState()
				if c.want == "" {
					if s.Quarantined != "" {
						t.Errorf("quarantined: %s", s.Quarantined)
					}
				} else if !strings.Contains(s.Quarantined, c.want) || !strings.Contains(s.Quarantine(), "the next at") {
					t.Errorf("quarantine: %q", s.Quarantine())
				} else if len(b.calls) > 60 {
					t.Errorf("%d calls before the quarantine", len(b.calls))
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestProbesGetRarerAndEndTheQuarantine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight, o.Idle = 8, 10*time.Second })
		b.took = 100 * time.Millisecond
		ofTen := 10
		failing(b, &ofTen, fail(connector.CodeBusy))
		b.enqueue(joiners(60)...)
		stop := b.running()
		b.until("it is in quarantine", time.Minute, func() bool { return b.connectorState().Quarantined != "" })
		time.Sleep(time.Second)
		b.mu.Lock()
		before := len(b.begun)
		b.mu.Unlock()
		time.Sleep(5 * time.Hour)
		b.mu.Lock()
		probes := b.begun[before:]
		b.mu.Unlock()
		var gaps []string
		for i := 1; i < len(probes); i++ {
			gaps = append(gaps, probes[i].Sub(probes[i-1]).Round(time.Minute).String())
		}
		if got := strings.Join(gaps, " "); got != "2m0s 4m0s 8m0s 16m0s 32m0s 1h0m0s 1h0m0s 1h0m0s" {
			t.Errorf("probes after %s", got)
		}
		// A restart does not forget it.
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		b.restart()
		if s := b.drain(); s.Done != 0 || !strings.Contains(s.Stopped, "in quarantine since") {
			t.Errorf("after a restart: %v", s)
		}
		stop = b.running()
		b.mu.Lock()
		ofTen = 0
		b.mu.Unlock()
		b.until("it is released", 70*time.Minute, func() bool { return b.connectorState().Quarantined == "" })
		b.until("all are done", 10*time.Minute, func() bool {
			n, err := b.OperationCounts(t.Context())
			return err == nil && n["crm"][store.OpDone]+n["crm"][store.OpParked] == 60
		})
		if err := stop(); err != nil {
			t.Error(err)
		}
		var trail []string
		entries, err := b.Audit(t.Context(), store.AuditFilter{Object: "crm"})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			trail = append(trail, e.Action)
		}
		if fmt.Sprint(trail) != "[connector.quarantine connector.release]" {
			t.Errorf("audit %v", trail)
		}
	})
}

// Hundreds that end with their plugin are one failure, and so is an outage.
func TestADeadPluginIsNoQuarantine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 128 })
		b.took = time.Second
		died := false
		b.before = func(connector.Operation, int) *connector.Result {
			if died {
				r := connector.Result{Outcome: connector.OutcomeUnknown, Err: connector.Errorf(connector.CodeUnavailable, "the plugin stopped before it answered")}
				return &r
			}
			return nil
		}
		b.enqueue(joiners(2000)...)
		stop := b.running()
		time.Sleep(20*time.Second + 500*time.Millisecond)
		b.mu.Lock()
		died = true
		b.mu.Unlock()
		time.Sleep(time.Second)
		b.mu.Lock()
		died = false
		b.mu.Unlock()
		b.until("all are done", 10*time.Minute, func() bool { return b.done() == 2000 })
		if err := stop(); err != nil {
			t.Error(err)
		}
		entries, err := b.Audit(t.Context(), store.AuditFilter{Action: "connector.quarantine"})
		if err != nil || len(entries) > 0 {
			t.Errorf("%v %v", entries, err)
		}
	})
}

// A few poisoned operations that are tried again and again are a few, not many.
func TestAFewThatAlwaysFailAreNoQuarantine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Idle = 10 * time.Second })
		b.before = func(connector.Operation, int) *connector.Result {
			r := fail(connector.CodeTimeout)
			return &r
		}
		b.enqueue(joiners(19)...)
		stop := b.running()
		time.Sleep(time.Hour)
		if s := b.connectorState(); s.Quarantined != "" {
			t.Error(s.Quarantined)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAQuarantineCanBeOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Quarantine.Off = true })
		b.before = func(connector.Operation, int) *connector.Result {
			r := fail(connector.CodeInternal)
			return &r
		}
		var ops []plan.Operation
		ops = append(ops, joiners(100)...)
		b.enqueue(ops...)
		b.drain()
		b.countsAre("map[parked:100]")
	})
}
