package dispatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

func TestARetryWaitsLongerEachTime(t *testing.T) { // QUIRKS Q-9
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = time.Hour })
		var at []time.Duration
		begun := time.Now()
		b.before = func(op connector.Operation, n int) *connector.Result {
			at = append(at, time.Since(begun).Round(100*time.Millisecond))
			if n < 4 {
				r := fail(connector.CodeBusy)
				return &r
			}
			return nil
		}
		b.enqueue(joiner("1001"))
		b.drain()
		if fmt.Sprint(at) != "[0s 2s 6s 14s]" {
			t.Errorf("tried at %v", at)
		}
		if r := b.state("1001", store.OpDone); r.Attempts != 4 {
			t.Errorf("%d attempts", r.Attempts)
		}
	})
}

func TestAnOperationIsGivenUpAlone(t *testing.T) { // QUIRKS Q-10
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience, o.Retry.Attempts = time.Hour, 3 })
		b.before = func(op connector.Operation, n int) *connector.Result {
			var r connector.Result
			switch c, _ := op.(connector.Create); c.Correlate.Value {
			case "1001":
				r = fail(connector.CodeBusy)
			case "1002":
				r = fail(connector.CodeInvalidValue)
			case "1003":
				r = fail(connector.CodeInternal)
			default:
				return nil
			}
			return &r
		}
		b.enqueue(joiner("1001"), joiner("1002"), joiner("1003"), joiner("1004"))
		s := b.drain()
		if want := "crm: 1 done, 3 parked: BUSY 1, INTERNAL 1, INVALID_VALUE 1"; s.String() != want {
			t.Errorf("summary %q, want %q", s, want)
		}
		if r := b.state("1001", store.OpParked); r.Attempts != 3 || !strings.HasPrefix(r.LastError.Message, "given up after 3 attempts") {
			t.Errorf("%d attempts, %v", r.Attempts, r.LastError)
		}
		b.state("1002", store.OpParked)
		b.state("1003", store.OpParked)
	})
}

func TestAGrantThatCannotBeMadeHoldsNothingBack(t *testing.T) { // QUIRKS Q-14
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.before = nth(connector.VerbGrant, 1, fail(connector.CodeDependencyMissing))
		b.enqueue(joiner("1001", gain("it"), gain("vpn"), gain("wiki")))
		b.opts.Patience = -1
		b.restart()
		if s := b.drain(); s.Retrying != 1 || s.NextAt.IsZero() {
			t.Errorf("summary %v", s)
		}
		b.wants("create 1001", "grant u1 vpn", "grant u1 wiki")
		if gs := b.ledger("1001").Grants; len(gs) != 2 || gs[0].Entitlement != "vpn" {
			t.Errorf("the ledger has %v", gs)
		}
		time.Sleep(time.Minute)
		b.drain()
		b.wants("create 1001", "grant u1 vpn", "grant u1 wiki", "grant u1 it")
		if b.counts[connector.VerbGrant] != 4 || b.counts[connector.VerbCreate] != 1 {
			t.Errorf("calls %v", b.calls)
		}
		b.state("1001", store.OpDone)
	})
}

func TestATargetThatAttemptsNothingIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = time.Hour })
		b.before = func(connector.Operation, int) *connector.Result {
			return &connector.Result{Outcome: connector.OutcomeCancelled}
		}
		b.enqueue(joiner("1001"))
		b.drain()
		if r := b.state("1001", store.OpParked); r.Attempts != 8 || r.MaybeApplied {
			t.Errorf("%d attempts, maybe applied %t", r.Attempts, r.MaybeApplied)
		}
	})
}
