package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

// Quarantine says from when on a connector that answers, and fails too often, is only
// probed; zero fields have the defaults named.
type Quarantine struct {
	Off bool
	// Percent of at least Operations different operations failed within Window.
	Percent    float64       // 40
	Operations int           // 20
	Window     time.Duration // 10 min
	// Single operations are tried after ProbeFirst, and after twice as long each time one
	// fails, up to ProbeMax.
	ProbeFirst time.Duration // 1 min
	ProbeMax   time.Duration // 1 h
}

func (q Quarantine) withDefaults() Quarantine {
	q.Percent = cmp.Or(q.Percent, 40)
	q.Operations = cmp.Or(q.Operations, 20)
	q.Window = cmp.Or(q.Window, 10*time.Minute)
	q.ProbeFirst = cmp.Or(q.ProbeFirst, time.Minute)
	q.ProbeMax = max(cmp.Or(q.ProbeMax, time.Hour), q.ProbeFirst)
	return q
}

// releaseAfter is how many operations in a row must not fail for a quarantine to end.
const releaseAfter = 3

// judge counts an ending towards the quarantine, or as a probe in it:
//
//	                  Percent failed                 releaseAfter in a row did not
//	everything goes ─────────────────► quarantine ──────────────────────────────────► everything goes
//	                                    ▲      │ at ProbeAt one operation
//	                                    └──────┘ it failed: ProbeAt is twice as far off
//
// alone is false for what was under way when the target went down: that is one failure.
func (h *health) judge(ctx context.Context, e ending, alone bool) error {
	failed, counts := e.failed(alone)
	if !counts || h.rate.limits.Off {
		return nil
	}
	if h.gate.quarantined() {
		return h.probed(ctx, e, failed)
	}
	h.rate.add(e, failed)
	why := h.rate.over(e.finish.Now)
	if why == "" {
		return nil
	}
	h.window, h.rate.last = 1, h.begun
	now, first := h.gate.now(), h.rate.limits.ProbeFirst
	return h.gate.change(ctx, func(s *store.ConnectorState) {
		s.Quarantined, s.QuarantinedAt, s.ProbeAt, s.ProbesFailed, s.ProbesPassed = why, now, now.Add(first), 0, 0
	})
}

// probed takes note of a probe. What was under way when the quarantine began is none.
func (h *health) probed(ctx context.Context, e ending, failed bool) error {
	if e.number <= h.rate.last {
		return nil
	}
	now, q := h.gate.now(), h.rate.limits
	return h.gate.change(ctx, func(s *store.ConnectorState) {
		switch {
		case failed:
			wait := q.ProbeMax
			if s.ProbesFailed++; s.ProbesFailed < 32 {
				wait = min(q.ProbeFirst<<s.ProbesFailed, q.ProbeMax)
			}
			s.ProbesPassed, s.ProbeAt = 0, now.Add(max(wait, q.ProbeFirst))
		case s.ProbesPassed+1 >= releaseAfter:
			s.Quarantined, s.QuarantinedAt, s.ProbeAt, s.ProbesFailed, s.ProbesPassed = "", time.Time{}, time.Time{}, 0, 0
			h.rate.forget()
		default:
			s.ProbesPassed++
			s.ProbeAt = now
		}
	})
}

// failed reports whether the target or its plugin failed, and whether the ending
// counts at all. It is about them: what is wrong with one person's data, a conflict,
// or something that is waited for, says nothing about the next operation; and what a
// throttle, the breaker or a stop deals with is not counted a second time.
func (e ending) failed(alone bool) (failed, counts bool) {
	err := e.top.Err
	switch {
	case !e.sent:
		return false, false
	case e.top.Next == NextSettle, e.top.Next == NextDown:
		return alone, alone
	case err == nil:
		return false, e.alive
	case e.top.Next != NextRetry && e.top.Next != NextPark, e.top.Needs != NeedNothing:
		return false, false
	case err.Scope == connector.ScopeObject || err.Scope == connector.ScopeOperation:
		return false, false
	}
	switch err.Class() {
	case connector.ClassTransient, connector.ClassDefect:
		return true, true
	}
	return false, false
}

// cutOff reports whether the answer was lost because the plugin or the connection
// ended, and all others under way with it.
func (e ending) cutOff() bool {
	return e.top.Next == NextSettle && e.top.Err != nil && e.top.Err.Code == connector.CodeUnavailable
}

// rateMax bounds how many of the latest operations the rate is of.
const rateMax = 200

// rate is how many of the latest operations failed: each counts once, with its last
// outcome.
type rate struct {
	limits Quarantine
	recent []outcome // oldest first
	last   int       // number of the last attempt that began before the quarantine
}

type outcome struct {
	op     string
	at     time.Time
	failed bool
	code   string
}

func (r *rate) add(e ending, failed bool) {
	kept := r.recent[:0]
	for _, o := range r.recent {
		if o.op != e.finish.ID && e.finish.Now.Sub(o.at) < r.limits.Window {
			kept = append(kept, o)
		}
	}
	is := outcome{op: e.finish.ID, at: e.finish.Now, failed: failed, code: "no answer"}
	if e.top.Err != nil {
		is.code = e.top.Err.Code.String()
	}
	size := max(rateMax, 2*r.limits.Operations)
	r.recent = append(kept[max(0, len(kept)+1-size):], is)
}

func (r *rate) forget() { r.recent = nil }

// over says why too many failed; "": they did not.
func (r *rate) over(now time.Time) string {
	failed, codes, most := 0, map[string]int{}, ""
	for _, o := range r.recent {
		if !o.failed {
			continue
		}
		failed++
		if codes[o.code]++; codes[o.code] > codes[most] {
			most = o.code
		}
	}
	n := len(r.recent)
	if failed == 0 || n < r.limits.Operations || float64(failed)*100 < r.limits.Percent*float64(n) {
		return ""
	}
	return fmt.Sprintf("%d of the last %d operations failed within %s, most of them with %s", failed, n, now.Sub(r.recent[0].at).Round(time.Second), most)
}
