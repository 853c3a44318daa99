package connectortest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// hangLimit is the time limit of operations that will not be answered. On a machine
// that is too busy to ask anything meanwhile, it is slowHang the second time.
const (
	hangLimit = 500 * time.Millisecond
	slowHang  = 5 * time.Second
)

func neverAnswers(ctx context.Context, e *Env) error {
	hang, err := e.withFault(ctx, Hang)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	healthy := false
	for _, limit := range []time.Duration{hangLimit, slowHang} {
		if healthy, err = hang.healthyMeanwhile(ctx, t, limit); err != nil {
			return err
		}
		if healthy {
			break
		}
	}
	if !healthy {
		return errors.New("Health is answered only when no operation hangs any more: it must not wait for the target")
	}
	if hang.proxy == nil {
		return nil
	}
	if err := hang.heal(); err != nil {
		return err
	}
	return hang.recovers(ctx, t)
}

// healthyMeanwhile sends operations to a target that hangs, and reports whether
// Health is answered before they are.
func (e *Env) healthyMeanwhile(ctx context.Context, t connector.ObjectType, limit time.Duration) (bool, error) {
	var ops []connector.Operation
	for range 2 * max(1, e.Caps.MaxInFlight) {
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return false, err
		}
		c.Timeout = limit
		ops = append(ops, c)
	}
	s, err := e.apply(ctx)
	if err != nil {
		return false, err
	}
	if err := s.send(ops...); err != nil {
		return false, err
	}
	time.Sleep(limit / 4) // until all of them hang
	if _, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{}); err != nil {
		return false, fmt.Errorf("Health: %w", err)
	}
	healthy := len(s.answered(ids(ops))) < len(ops)
	for _, op := range ops {
		// In rounds of max_in_flight, each within the limit.
		limited, cancel := context.WithTimeout(ctx, 2*limit+patience)
		r, err := s.wait(limited, op.Meta().ID)
		cancel()
		if err != nil {
			return false, err
		}
		if r.Outcome.Done() {
			return false, fmt.Errorf("a create that the target never answered is told as %s", r.Outcome)
		}
	}
	return healthy, nil
}

// memoryLimit is what waiting operations may cost.
const memoryLimit = 64 << 20

// settled is after how many looks at which nothing more was sent, because all is or
// because the plugin pushes back, it has what it takes. Each look is answered by the
// plugin, so that it has had its turn on the busiest machine.
const settled = 20

func boundedMemory(ctx context.Context, e *Env) error {
	slow, err := e.withFault(ctx, Slow)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	s, err := slow.apply(ctx)
	if err != nil {
		return err
	}
	runtime.GC() // in this process garbage of others must not count as room
	before, err := e.heap(ctx)
	if err != nil {
		return err
	}
	sent := make(chan struct{})
	var count atomic.Int64
	go func() {
		defer close(sent)
		for range e.scaled(10_000) {
			c, err := slow.creation(ctx, t, false)
			if err != nil || s.send(c) != nil { // the stream is closed below
				return
			}
			count.Add(1)
		}
	}()
	if err := e.growth(ctx, s, before, &count); err != nil {
		return err
	}
	s.close()
	<-sent
	e.made = append(e.made, s.made(t.Name)...)
	return nil
}

// memoryDone is what an operation that was answered may leave behind in a process
// that holds the target, too.
const memoryDone = 32 << 10

// growth watches the plugin's memory until it has taken in what it takes. It
// fails when that stays beyond the limit. count is how much has been sent on s.
func (e *Env) growth(ctx context.Context, s *stream, before int64, count *atomic.Int64) error {
	sent, over := int64(0), 0
	for still := 0; still < settled || over > 0; still++ {
		time.Sleep(25 * time.Millisecond)
		now, err := e.heap(ctx)
		if err != nil {
			return err
		}
		if n := count.Load(); n > sent {
			still, sent = 0, n
		}
		limit := int64(memoryLimit)
		if e.run.pid() == 0 {
			limit += int64(s.count()) * memoryDone
		}
		if now-before <= limit {
			over = 0
			continue
		}
		// In this process the heap is everybody's, garbage included: what counts is
		// what stays.
		runtime.GC()
		if over++; over == 10 {
			return fmt.Errorf("the plugin's heap grew by %d MiB while operations wait, want at most %d", (now-before)>>20, limit>>20)
		}
	}
	return nil
}

func (e *Env) heap(ctx context.Context) (int64, error) {
	h, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{})
	if err != nil {
		return 0, fmt.Errorf("Health: %w", err)
	}
	return h.GetHeapBytes(), nil
}
