package span

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// Tracer begins traces. The zero Tracer begins none until [Tracer.Use]; nor does nil.
type Tracer struct {
	to atomic.Pointer[recording]
}

type recording struct {
	Recorder
	sample float64
}

// Use has traces recorded by r from now on: of those that nobody outside has decided
// about, the given part, from 0 to 1. A nil Recorder: none.
func (t *Tracer) Use(r Recorder, sample float64) {
	if r == nil {
		t.to.Store(nil)
		return
	}
	t.to.Store(&recording{r, sample})
}

// Start begins a trace, or goes on with the one that ctx belongs to. A trace that is not
// recorded has an id all the same, so that what follows from it is not recorded either.
func (t *Tracer) Start(ctx context.Context, name string) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	r := t.to.Load()
	if r == nil {
		return ctx, nil
	}
	p := of(ctx)
	if p != nil && !p.remote {
		return Start(ctx, name)
	}
	ctx, s := p.begin(ctx, r.Recorder, name)
	if p != nil && p.flags&sampled == 0 || p == nil && !s.Trace.within(r.sample) {
		s.to, s.flags = nil, 0
		return ctx, nil
	}
	return ctx, s
}

// Answer is [Tracer.Start] for a call from outside.
func (t *Tracer) Answer(ctx context.Context, name string) (context.Context, *Span) {
	ctx, s := t.Start(ctx, name)
	if s != nil {
		s.data.Kind = Server
	}
	return ctx, s
}

// within reports whether t is among the given part of all traces. It goes by the last
// seven bytes, as others do (W3C Trace Context Level 2 §5.1).
func (t TraceID) within(part float64) bool {
	const most = 1 << 56
	return float64(binary.BigEndian.Uint64(t[8:])%most) < part*most
}

// Collector keeps the spans of one call for who made it, up to [CollectorMax].
type Collector struct {
	mu    sync.Mutex
	spans []Data
	more  int
}

// CollectorMax is how many spans a [Collector] keeps.
const CollectorMax = 64

// Collect begins what another process has asked for, and keeps its spans. nil, and ctx
// as it is, unless traceparent asks for that.
func Collect(ctx context.Context, traceparent, name string) (context.Context, *Span, *Collector) {
	p, ok := parse(traceparent)
	if !ok || p.flags&sampled == 0 {
		return ctx, nil, nil
	}
	c := &Collector{}
	ctx, s := p.begin(ctx, c, name)
	s.data.Kind = Server
	return ctx, s, c
}

// Record implements [Recorder].
func (c *Collector) Record(d *Data) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) >= CollectorMax && d.Kind != Server {
		c.more++
		return
	}
	c.spans = append(c.spans, *d)
}

// Take returns the spans that have ended, and forgets them. How many there were no room
// for is told by the call's own span.
func (c *Collector) Take() []Data {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ds := c.spans
	for i := range ds {
		if ds[i].Kind == Server && c.more > 0 {
			ds[i].Attributes = append(ds[i].Attributes, Attribute{Key: "provhub.spans_left_out", Number: int64(c.more)})
		}
	}
	c.spans, c.more = nil, 0
	return ds
}
