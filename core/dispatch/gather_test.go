package dispatch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

// counting counts what is committed to the queue.
type counting struct {
	*store.Org
	takes, finishes int
}

func (c *counting) Take(ctx context.Context, connector, owner string, n int, now time.Time, ttl time.Duration) ([]store.OpRow, error) {
	c.takes++
	return c.Org.Take(ctx, connector, owner, n, now, ttl)
}

func (c *counting) Finish(ctx context.Context, fs []store.Finish) ([]string, error) {
	c.finishes++
	return c.Org.Finish(ctx, fs)
}

// oneByOne is a bench whose target takes many calls at once and works on one after the
// other, as a directory with one writer does: each waits long, and one ends at a time.
func oneByOne(t *testing.T, each time.Duration) (*bench, *counting) {
	q := &counting{}
	b := newBench(t, func(o *Options) { o.InFlight = 128 })
	q.Org, b.opts.Queue = b.Org, q
	turn := make(chan struct{}, 1)
	b.arriving = func(connector.Operation) {
		turn <- struct{}{}
		time.Sleep(each)
		<-turn
	}
	b.restart()
	return b, q
}

func TestCommitsAreFewWhenATargetWorksOnOneAfterTheOther(t *testing.T) {
	for _, sees := range []bool{true, false} {
		t.Run(fmt.Sprintf("can be asked %t", sees), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				const n, each = 1000, 3 * time.Millisecond
				b, q := oneByOne(t, each)
				if !sees {
					b.shape.Get, b.shape.Idempotency = false, connector.IdempotencyNone
				}
				b.enqueue(joiners(n)...)
				began := time.Now()
				if s := b.drain(); s.Done != n {
					t.Fatalf("summary %v", s)
				}
				if took := time.Since(began); took > n*each*21/20 {
					t.Errorf("it took %v: the target had nothing to do for a while; all its work takes %v", took, n*each)
				}
				most := n / 6
				if !sees { // its outcomes are written down soon
					most = n
				}
				if q.takes > most || q.finishes > most {
					t.Errorf("%d operations were taken in %d commits and recorded in %d; expected %d at most", n, q.takes, q.finishes, most)
				}
			})
		})
	}
}

// A free place is not kept free for long by those under way that take much longer.
func TestAFreePlaceIsFilledSoon(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 64 })
		b.took = time.Second
		const first = 1 + 2 + 4 + 8 + 16 + 32 // the calls until all places are used
		quick := make(chan struct{}, first+1)
		b.arriving = func(connector.Operation) {
			select {
			case quick <- struct{}{}:
			default:
				time.Sleep(20 * time.Second)
			}
		}
		b.enqueue(joiners(first + 64 + 1)...)
		if s := b.drain(); s.Done != first+64+1 {
			t.Fatalf("summary %v", s)
		}
		free := b.begun[first].Add(b.took)
		if late := b.begun[first+64].Sub(free); late < 0 || late > flushLate+10*time.Millisecond {
			t.Errorf("the place was filled %v after it was free; expected %v at most", late, flushLate)
		}
	})
}
