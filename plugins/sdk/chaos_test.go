package sdk

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
)

// conduct is what the connector does with an operation.
type conduct struct {
	takes time.Duration
	deaf  bool // does not listen to its context
	panic bool
	err   error
}

var genConduct = rapid.Custom(func(t *rapid.T) conduct {
	return conduct{
		takes: rapid.SampledFrom([]time.Duration{0, time.Millisecond, 700 * time.Millisecond, 3 * time.Second, time.Minute}).Draw(t, "takes"),
		deaf:  rapid.Bool().Draw(t, "deaf"), panic: rapid.IntRange(0, 9).Draw(t, "panic") == 0,
		err: rapid.SampledFrom([]error{nil, nil, connector.Unchanged, connector.Errorf(connector.CodeNotFound, "no"), fmt.Errorf("odd")}).Draw(t, "err"),
	}
})

// watch sees to it that no two calls for one account overlap, that the limit is
// kept, and that a key's operations begin in the order in which they were sent.
type watch struct {
	mu      sync.Mutex
	now     int
	busy    map[string]bool
	last    map[string]int
	broken  string
	conduct map[string]conduct
}

func (w *watch) enter(limit int, ops []connector.Operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now++; w.now > limit {
		w.broken = fmt.Sprintf("%d calls at once; the limit is %d", w.now, limit)
	}
	mine := map[string]bool{}
	for _, op := range ops {
		k := op.Meta().OrderingKey
		if k == "" {
			continue
		}
		if w.busy[k] && !mine[k] {
			w.broken = fmt.Sprintf("%s: a second call for %s", op.Meta().ID, k)
		}
		if op.Meta().Attempt <= w.last[k] {
			w.broken = fmt.Sprintf("%s: out of order for %s", op.Meta().ID, k)
		}
		w.busy[k], mine[k], w.last[k] = true, true, op.Meta().Attempt
	}
}

func (w *watch) leave(ops []connector.Operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now--
	for _, op := range ops {
		delete(w.busy, op.Meta().OrderingKey)
	}
}

func (w *watch) act(ctx context.Context, limit int, ops ...connector.Operation) error {
	w.enter(limit, ops)
	defer w.leave(ops)
	c := w.conduct[ops[0].Meta().ID]
	if c.deaf {
		time.Sleep(c.takes)
	} else {
		select {
		case <-time.After(c.takes):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if c.panic {
		panic("as asked")
	}
	return c.err
}

// Whatever a connector does and whatever the hub takes back: every operation is
// answered exactly once, and no account is ever touched by two calls.
func TestEverythingIsAnsweredOnceWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(rt, "limit")
		batch := rapid.IntRange(0, 4).Draw(rt, "batch")
		w := &watch{busy: map[string]bool{}, last: map[string]int{}, conduct: map[string]conduct{}}
		var sent []connector.Update
		cancels := map[int]string{}
		for u := range rapid.IntRange(1, 10).Draw(rt, "units") {
			k := rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(rt, "key")
			size := rapid.IntRange(1, 3).Draw(rt, "size")
			missing := rapid.IntRange(0, 8).Draw(rt, "missing") == 0 && size > 1
			for i := range size {
				if missing && i == size-1 {
					continue // this group never becomes complete
				}
				op := update(fmt.Sprintf("%d.%d", u, i), key(k), group(fmt.Sprint("g", u), size), within(2*time.Second))
				op.Attempt = len(sent) + 1 // stands for the order of sending
				w.conduct[op.ID] = genConduct.Draw(rt, "conduct")
				if rapid.IntRange(0, 7).Draw(rt, "cancel") == 0 {
					cancels[len(sent)+rapid.IntRange(1, 5).Draw(rt, "later")] = op.ID
				}
				sent = append(sent, op)
			}
		}
		pauses := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, 10 * time.Millisecond, time.Second}), len(sent), len(sent)).Draw(rt, "pauses")
		synctest.Test(t, func(t *testing.T) {
			var target connector.Target = lab{func(ctx context.Context, op connector.Operation) error { return w.act(ctx, limit, op) }}
			if batch > 0 {
				target = batcher{apply: func(ctx context.Context, ops []connector.Operation) (rs []connector.Result) {
					err := w.act(ctx, limit, ops...)
					for _, op := range ops {
						rs = append(rs, connector.ResultOf(op.Meta().ID, connector.Ref{}, err))
					}
					return rs
				}}
			}
			r := newRig(t, target, limit, batch)
			for i, op := range sent {
				r.send(op)
				if id, ok := cancels[i]; ok {
					r.in.engine.cancel(r.out, id)
				}
				time.Sleep(pauses[i])
			}
			r.in.engine.halfClose(r.out)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			r.collect()
			for _, op := range sent {
				if r.n[op.ID] != 1 {
					rt.Fatalf("%s was answered %d times", op.ID, r.n[op.ID])
				}
			}
			if _, _, done := r.out.take(); !done || w.broken != "" {
				rt.Fatalf("done %v; %s", done, w.broken)
			}
			e := r.in.engine
			if e.running != 0 || e.stuck != 0 || e.waiting != 0 || len(e.open)+len(e.groups)+len(e.keys) != 0 {
				rt.Fatalf("left over: running %d, stuck %d, waiting %d, open %d, groups %d, keys %d", e.running, e.stuck, e.waiting, len(e.open), len(e.groups), len(e.keys))
			}
		})
	})
}
