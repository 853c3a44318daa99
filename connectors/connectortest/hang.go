package connectortest

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// hangLimit is the time limit of operations that will not be answered.
const hangLimit = 250 * time.Millisecond

func neverAnswers(ctx context.Context, e *Env) error {
	hang, err := e.withFault(ctx, Hang)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	var ops []connector.Operation
	for range 2 * max(1, e.Caps.MaxInFlight) {
		c, err := hang.creation(ctx, t, false)
		if err != nil {
			return err
		}
		c.Timeout = hangLimit
		ops = append(ops, c)
	}
	s, err := hang.apply(ctx)
	if err != nil {
		return err
	}
	if err := s.send(ops...); err != nil {
		return err
	}
	time.Sleep(hangLimit / 4) // until all of them hang
	if err := e.healthy(ctx); err != nil {
		return err
	}
	for _, op := range ops {
		// In rounds of max_in_flight, each within the limit and its grace.
		limited, cancel := context.WithTimeout(ctx, 2*(hangLimit+answerGrace)+answerGrace)
		r, err := s.wait(limited, op.Meta().ID)
		cancel()
		if err != nil {
			return err
		}
		if r.Outcome.Done() {
			return fmt.Errorf("a create that the target never answered is told as %s", r.Outcome)
		}
	}
	if err := e.healthy(ctx); err != nil || hang.proxy == nil {
		return err
	}
	if err := hang.heal(); err != nil {
		return err
	}
	return hang.recovers(ctx, t)
}

// healthLimit is how long the plugin may take to answer Health.
const healthLimit = 100 * time.Millisecond

// healthy asks after the plugin's health, which it must know by heart. The
// best of three counts: the machine may be busy.
func (e *Env) healthy(ctx context.Context) error {
	var took time.Duration
	for range 3 {
		began := time.Now()
		if _, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{}); err != nil {
			return fmt.Errorf("Health: %w", err)
		}
		if took = time.Since(began); took < healthLimit {
			return nil
		}
	}
	return fmt.Errorf("Health took %v, want less than %v", took.Round(time.Millisecond), healthLimit)
}

// memoryLimit is what waiting operations may cost.
const memoryLimit = 64 << 20

// settled is how long nothing more is sent, because all is or because the plugin
// pushes back, until it has what it takes.
const settled = 500 * time.Millisecond

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
	if err := e.growth(ctx, before, &count); err != nil {
		return err
	}
	s.close()
	<-sent
	e.made = append(e.made, s.made(t.Name)...)
	return nil
}

// growth watches the plugin's memory until it has taken in what it takes. It
// fails when that stays beyond the limit. count is how much has been sent.
func (e *Env) growth(ctx context.Context, before int64, count *atomic.Int64) error {
	moved, sent, over := time.Now(), int64(0), 0
	for time.Since(moved) < settled || over > 0 {
		time.Sleep(50 * time.Millisecond)
		now, err := e.heap(ctx)
		if err != nil {
			return err
		}
		if n := count.Load(); n > sent {
			moved, sent = time.Now(), n
		}
		if now-before <= memoryLimit {
			over = 0
			continue
		}
		// In this process the heap is everybody's, garbage included: what counts is
		// what stays.
		runtime.GC()
		if over++; over == 10 {
			return fmt.Errorf("the plugin's heap grew by %d MiB while operations wait, want at most %d", (now-before)>>20, memoryLimit>>20)
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
