package dispatch

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/store"
)

const (
	// breakerAt consecutive failures of the target as a whole open the breaker.
	breakerAt = 5
	// breakerFirst and breakerMax bound how long it stays open before a probe.
	breakerFirst = 5 * time.Second
	breakerMax   = 5 * time.Minute
	// throttleFirst and throttleMax bound how long the target is left alone; the
	// cap is for a target that says "next year" (QUIRKS SCIM-23).
	throttleFirst = time.Second
	throttleMax   = time.Hour
	// probeGap is how long after a probe those wait that failed before it.
	probeGap = time.Second
)

// health follows the target as a whole and sets how many operations may be
// under way at once.
//
//	        answers                        5 x down in a row
//	window ─────────► x2, up to the limit  ─────────────────► open: nothing is sent
//	   ▲                                                         │ ResumeAt
//	   └── 1: the first ever, after a pause, a failure ◄─────────┘ half open: one probe
//
// Beginning with one keeps a wrong password from being tried by all at once,
// which would lock the account we work with (QUIRKS Q-11).
type health struct {
	gate   *gate
	random func() float64
	limit  int
	rate   rate

	window    int
	failures  int // in a row
	throttled int // in a row
	begun     int // attempts ever; those up to counted belong to a failure that is counted
	counted   int
	cut       int // those up to here were cut off together
}

func newHealth(g *gate, o Options) *health {
	return &health{gate: g, limit: o.InFlight, random: o.Random, rate: rate{limits: o.Quarantine}, window: 1}
}

// took draws the consequences of one ending.
func (h *health) took(ctx context.Context, e ending) error {
	alone := e.number > h.counted && h.failures < breakerAt
	if e.cutOff() {
		alone, h.cut = e.number > h.cut, h.begun
	}
	for _, v := range e.signals {
		h.window = 1
		var err error
		switch v.Next {
		case NextThrottle:
			err = h.throttle(ctx, v)
		case NextDown:
			err = h.down(ctx, v, e.number)
		case NextStop:
			err = h.stop(ctx, v)
		}
		if err != nil {
			return err
		}
	}
	if err := h.judge(ctx, e, alone); err != nil {
		return err
	}
	if len(e.signals) > 0 || !e.alive {
		return nil
	}
	if h.window = min(2*h.window, h.limit); h.gate.quarantined() {
		h.window = 1
	}
	h.throttled = 0
	return h.recovered(ctx)
}

// throttle leaves the target alone for as long as it asked, with some jitter on
// top so that not everybody is back in the same instant.
func (h *health) throttle(ctx context.Context, v Verdict) error {
	h.throttled++
	pause := v.Wait + time.Duration(h.random()*float64(v.Wait)/10)
	if v.Wait <= 0 {
		pause = wait(throttleFirst, throttleMax, h.throttled, h.random, throttleFirst)
	}
	return h.resumeAt(ctx, h.gate.now().Add(min(pause, throttleMax)), nil)
}

// down counts a failure of the whole target, and opens the breaker at the fifth.
// What was under way at the same time is the same failure.
func (h *health) down(ctx context.Context, v Verdict, number int) error {
	if number <= h.counted {
		return nil
	}
	h.counted = h.begun
	h.failures++
	if h.failures < breakerAt {
		return nil
	}
	pause := wait(breakerFirst, breakerMax, h.failures-breakerAt+1, h.random, max(breakerFirst, v.Wait))
	return h.resumeAt(ctx, h.gate.now().Add(min(pause, throttleMax)), &h.failures)
}

// resumeAt keeps the gate shut until at; a later time that is set already stays.
func (h *health) resumeAt(ctx context.Context, at time.Time, failures *int) error {
	return h.gate.change(ctx, func(s *store.ConnectorState) {
		if at.After(s.ResumeAt) {
			s.ResumeAt = at
		}
		if failures != nil {
			s.Failures = *failures
		}
	})
}

// stop keeps the queue until a person, or a check that passes, starts the
// connector again. Who stopped it first gave the reason.
func (h *health) stop(ctx context.Context, v Verdict) error {
	return h.gate.change(ctx, func(s *store.ConnectorState) {
		if s.Stopped == "" {
			s.Stopped, s.StoppedAt = v.Err.Error(), h.gate.now()
		}
	})
}

// recovered closes the breaker.
func (h *health) recovered(ctx context.Context) error {
	h.failures = 0
	if h.gate.failures() == 0 {
		return nil
	}
	return h.gate.change(ctx, func(s *store.ConnectorState) { s.Failures = 0 })
}
