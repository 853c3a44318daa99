package scim

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/provhub/provhub/connectors/connector"
)

// patience is how long a request waits for its turn. Beyond it the hub waits: it
// knows what is more urgent.
const patience = time.Second

// The pause after an answer of 429 that names no time: doubled each time in a row.
const (
	firstPause = time.Second
	longPause  = time.Minute
)

// limiter keeps to the rates of a profile, and to the pauses that the target asks
// for. It is shared by all workers of a target.
type limiter struct {
	rates  []*limit
	slots  chan struct{} // one for each request under way
	mu     sync.Mutex
	pauses map[RateClass]pause
	now    func() time.Time
}

// limit is one rate or quota.
type limit struct {
	class  RateClass
	bucket *rate.Limiter // nil: a quota
	sent   []time.Time   // quota: the last n requests, as a ring
	next   int
	per    time.Duration
}

// pause is how long requests of a class are held back.
type pause struct {
	until time.Time
	row   int // answers of 429 without a time, one after the other
}

func newLimiter(p *Profile) *limiter {
	l := &limiter{slots: make(chan struct{}, max(1, p.Concurrency)), pauses: map[RateClass]pause{}, now: time.Now}
	for _, r := range p.Rate {
		perSecond := float64(r.N) / time.Duration(r.Per).Seconds()
		burst := r.Burst
		if burst == 0 {
			burst = max(1, int(perSecond))
		}
		l.rates = append(l.rates, &limit{class: r.Class, bucket: rate.NewLimiter(rate.Limit(perSecond), burst)})
	}
	for _, q := range p.QuotaWindow {
		l.rates = append(l.rates, &limit{class: q.Class, sent: make([]time.Time, q.N), per: time.Duration(q.Per)})
	}
	return l
}

// enter waits until the request may go, and returns what to call when it is over.
// RATE_LIMITED, with how long, when that is not soon. Nothing was sent then.
func (l *limiter) enter(ctx context.Context, r Request) (leave func(), err error) {
	if wait := l.reserve(r.classes()); wait > patience {
		return nil, &connector.Error{Code: connector.CodeRateLimited, RetryAfter: wait, Message: "the target's rate is used up; nothing was sent"}
	} else if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, notSent(ctx)
		}
	}
	select {
	case l.slots <- struct{}{}:
		return func() { <-l.slots }, nil
	case <-ctx.Done():
		return nil, notSent(ctx)
	}
}

// notSent says that time ran out while a request waited for its turn.
func notSent(ctx context.Context) *connector.Error {
	e := connector.AsError(ctx.Err())
	e.Message = "the target's concurrency is used up; nothing was sent"
	return e
}

// reserve takes the request's place under every rate that counts it, and returns
// how long it must wait. When that is more than patience, no place is taken.
func (l *limiter) reserve(classes []RateClass) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var wait time.Duration
	for _, c := range classes {
		wait = max(wait, l.pauses[c].until.Sub(now))
	}
	var taken []*rate.Reservation
	var quotas []*limit
	for _, r := range l.rates {
		switch {
		case !slices.Contains(classes, r.class):
		case r.bucket == nil:
			wait = max(wait, r.sent[r.next].Add(r.per).Sub(now))
			quotas = append(quotas, r)
		default:
			res := r.bucket.ReserveN(now, 1)
			wait = max(wait, res.DelayFrom(now))
			taken = append(taken, res)
		}
	}
	if wait > patience {
		for _, res := range slices.Backward(taken) {
			res.CancelAt(now)
		}
		return wait
	}
	for _, q := range quotas {
		q.sent[q.next] = now.Add(wait)
		q.next = (q.next + 1) % len(q.sent)
	}
	return max(0, wait)
}

// throttled holds back further requests after an answer of 429 or 503, and returns
// for how long. The pause is that of the narrowest rate that the profile has for
// the request, of all requests when it has none.
func (l *limiter) throttled(r Request, asked time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	class := l.narrowest(r.classes())
	p, now := l.pauses[class], l.now()
	if asked == 0 {
		if p.until.After(now) {
			return p.until.Sub(now) // one of those that were under way when it began
		}
		asked = min(firstPause<<min(p.row, 6), longPause)
		p.row++
	}
	// Not all at once when it is over.
	asked += rand.N(asked/10 + 1)
	if until := now.Add(asked); until.After(p.until) {
		p.until = until
	}
	l.pauses[class] = p
	return asked
}

// served notes that a request went through.
func (l *limiter) served(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	class := l.narrowest(r.classes())
	if p, ok := l.pauses[class]; ok && !p.until.After(l.now()) {
		delete(l.pauses, class)
	}
}

func (l *limiter) narrowest(classes []RateClass) RateClass {
	for _, c := range classes {
		if slices.ContainsFunc(l.rates, func(r *limit) bool { return r.class == c }) {
			return c
		}
	}
	return "all"
}
