package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

func TestAccountsGoInParallelAfterTheFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 8 })
		b.took = time.Second
		var ops []plan.Operation
		for i := range 100 {
			ops = append(ops, joiner(fmt.Sprint(1000+i)))
		}
		b.enqueue(ops...)
		begun := time.Now()
		if s := b.drain(); s.Done != 100 {
			t.Errorf("summary %v", s)
		}
		// 1 + 2 + 4, then 93 by eights.
		if took := time.Since(begun).Round(time.Second); took != 15*time.Second || b.peak != 8 {
			t.Errorf("took %v with at most %d at once", took, b.peak)
		}
	})
}

func TestALeaverOvertakes(t *testing.T) { // QUIRKS Q-7
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 1 })
		b.enqueue(joiner("1001"))
		b.drain()
		leaver := of("1001", plan.Disable)
		leaver.Lane = plan.LaneLeaver
		b.enqueue(joiner("1002"), leaver)
		b.drain()
		b.wants("create 1001", "disable u1", "create 1002")
	})
}

func TestNothingIsGainedBeforeAllIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = -1 })
		b.enqueue(joiner("1001", gain("a"), gain("b")))
		b.drain()
		b.before = nth(connector.VerbRevoke, 1, fail(connector.CodeBusy))
		b.enqueue(of("1001", plan.Update, lose("a"), lose("b"), gain("c")))
		b.drain()
		b.wants("create 1001", "grant u1 a", "grant u1 b", "revoke u1 b")
		time.Sleep(time.Minute)
		b.drain()
		b.wants("create 1001", "grant u1 a", "grant u1 b", "revoke u1 b", "revoke u1 a", "grant u1 c")
	})
}

func TestALeaverDoesNotWaitBehindABulkLoad(t *testing.T) { // QUIRKS Q-7
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 4 })
		b.took = 5 * time.Second
		b.enqueue(joiners(101)...)
		ended := make(chan Summary)
		go func() { ended <- b.drain() }()
		time.Sleep(time.Minute + time.Second)
		leaver := of("1001", plan.Disable)
		leaver.Lane = plan.LaneLeaver
		b.enqueue(leaver)
		at := time.Now()
		for b.count("disable u1") == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(at); took > 2*b.took {
			t.Errorf("a leaver waited %v", took)
		}
		<-ended
	})
}
