package fakescim

import (
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/provhub/provhub/clients/scim"
)

// limiter refuses requests that come faster than the dialect allows.
type limiter struct {
	now     func() time.Time
	rates   []*rateOf
	quotas  []*quotaOf
	rules   *scim.Profile
	mu      sync.Mutex
	windows map[*quotaOf][]time.Time
}

type rateOf struct {
	class  scim.RateClass
	bucket *rate.Limiter
}

type quotaOf struct {
	class scim.RateClass
	n     int
	per   time.Duration
}

func newLimiter(p *scim.Profile, now func() time.Time) *limiter {
	l := &limiter{now: now, rules: p, windows: map[*quotaOf][]time.Time{}}
	for _, r := range p.Rate {
		each := rate.Limit(float64(r.N) / time.Duration(r.Per).Seconds())
		burst := r.Burst
		if burst == 0 {
			burst = max(1, int(each))
		}
		l.rates = append(l.rates, &rateOf{r.Class, rate.NewLimiter(each, burst)})
	}
	for _, q := range p.QuotaWindow {
		l.quotas = append(l.quotas, &quotaOf{q.Class, q.N, time.Duration(q.Per)})
	}
	return l
}

// add makes another quota hold.
func (l *limiter) add(q *quotaOf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quotas = append(l.quotas, q)
}

// drop ends a quota.
func (l *limiter) drop(q *quotaOf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, x := range l.quotas {
		if x == q {
			l.quotas = append(l.quotas[:i:i], l.quotas[i+1:]...)
		}
	}
	delete(l.windows, q)
}

// allow counts a request. ok is false when it comes too soon; wait is then after
// how many seconds it may come again.
func (l *limiter) allow(q *request) (wait int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	kinds := classes(q)
	var delay time.Duration
	for _, x := range l.quotas {
		if contains(kinds, x.class) {
			delay = max(delay, l.spend(x, now))
		}
	}
	for _, r := range l.rates {
		if !contains(kinds, r.class) {
			continue
		}
		if v := r.bucket.ReserveN(now, 1); v.DelayFrom(now) > 0 {
			delay = max(delay, v.DelayFrom(now))
			v.CancelAt(now)
		}
	}
	return int(math.Ceil(delay.Seconds())), delay == 0
}

// spend takes one request from a quota, and returns how long until there is one
// when there is none now.
func (l *limiter) spend(x *quotaOf, now time.Time) time.Duration {
	window := l.windows[x]
	for len(window) > 0 && now.Sub(window[0]) >= x.per {
		window = window[1:]
	}
	l.windows[x] = window
	if len(window) >= x.n {
		return x.per - now.Sub(window[0])
	}
	l.windows[x] = append(window, now)
	return 0
}

var methodClass = map[string]string{http.MethodPost: "create", http.MethodPatch: "patch", http.MethodPut: "put", http.MethodDelete: "delete"}

// classes returns the rate classes that a request counts for.
func classes(q *request) []scim.RateClass {
	kinds := []string{"read"}
	if what := methodClass[q.method]; what != "" && !strings.HasSuffix(q.path, "/.search") {
		kinds = []string{"write", what}
	}
	out := []scim.RateClass{"all"}
	resource := ""
	switch {
	case strings.HasPrefix(q.path, q.rules.UsersPath):
		resource = "user_"
	case strings.HasPrefix(q.path, q.rules.GroupsPath):
		resource = "group_"
	}
	for _, k := range kinds {
		out = append(out, scim.RateClass(k))
		if resource != "" {
			out = append(out, scim.RateClass(resource+k))
		}
	}
	return out
}
