package dispatch

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// gathering is what a connector does that changes a group in one request for many
// members: while a request is under way, the next members gather.
type gathering struct {
	mu       sync.Mutex
	took     time.Duration
	waiting  []chan struct{}
	busy     bool
	requests int
	largest  int
}

func (g *gathering) grant() {
	answered := make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, answered)
	if !g.busy {
		g.busy = true
		go g.send()
	}
	g.mu.Unlock()
	<-answered
}

func (g *gathering) send() {
	for {
		g.mu.Lock()
		members := g.waiting
		g.waiting = nil
		if g.busy = len(members) > 0; !g.busy {
			g.mu.Unlock()
			return
		}
		g.requests++
		g.largest = max(g.largest, len(members))
		g.mu.Unlock()
		time.Sleep(g.took)
		for _, m := range members {
			close(m)
		}
	}
}

// wide is a bench whose target works on many accounts at once and gathers grants.
func wide(t *testing.T, inFlight int) (*bench, *gathering) {
	b := newBench(t)
	b.shape.MaxInFlight = inFlight
	g := &gathering{took: 50 * time.Millisecond}
	b.arriving = func(op connector.Operation) {
		if op.Verb() == connector.VerbGrant {
			g.grant()
		}
	}
	b.restart()
	return b, g
}

func TestGrantsOfManyAccountsMeetInTheConnector(t *testing.T) {
	for _, inFlight := range []int{128, 256} {
		t.Run(fmt.Sprint(inFlight), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b, g := wide(t, inFlight)
				b.took = 50 * time.Millisecond
				var ops []plan.Operation
				for i := range 2000 {
					ops = append(ops, joiner(fmt.Sprint(10000+i), gain("staff")))
				}
				b.enqueue(ops...)
				if s := b.drain(); s.Done != 2000 {
					t.Fatalf("summary %v", s)
				}
				if b.peak > inFlight {
					t.Errorf("%d at once, more than the %d that the target says", b.peak, inFlight)
				}
				// One request each would be 2000, and 100 s.
				if most := 5 * 2000 / inFlight; g.requests > most || g.largest < inFlight/4 {
					t.Errorf("%d requests, the largest for %d members; want at most %d", g.requests, g.largest, most)
				}
			})
		})
	}
}

func TestALeaverDoesNotWaitBehindAWideTarget(t *testing.T) { // QUIRKS Q-7
	inBubble(t, func(t *testing.T) {
		b, _ := wide(t, 256)
		b.enqueue(joiner("1001"))
		b.drain()
		b.took = 5 * time.Second
		var ops []plan.Operation
		for i := range 3000 {
			ops = append(ops, joiner(fmt.Sprint(10000+i), gain("staff")))
		}
		b.enqueue(ops...)
		ended := make(chan Summary)
		go func() { ended <- b.drain() }()
		time.Sleep(80 * time.Second) // by now all 256 are under way
		leaver := of("1001", plan.Disable)
		leaver.Lane = plan.LaneLeaver
		b.enqueue(leaver)
		at := time.Now()
		for b.count("disable u1") == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		// An account takes two calls here: the leaver gets the first place that is free.
		if took := time.Since(at); took > 3*b.took {
			t.Errorf("a leaver waited %v", took)
		}
		<-ended
		b.state("1001", store.OpDone)
	})
}
