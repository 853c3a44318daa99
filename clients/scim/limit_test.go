package scim

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// clock is a limiter whose time the test moves.
func limited(t *testing.T, overrides map[string]any) (l *limiter, at *time.Time) {
	t.Helper()
	l = newLimiter(profile(t, overrides))
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	l.now = func() time.Time { return now }
	return l, &now
}

var (
	userRead   = Request{Op: OpRead, Type: Users, Method: http.MethodGet}
	userPatch  = Request{Op: OpUpdate, Type: Users, Method: http.MethodPatch}
	groupPatch = Request{Op: OpUpdate, Type: Groups, Method: http.MethodPatch}
	userSearch = Request{Op: OpRead, Type: Users, Method: http.MethodPost}
)

func TestARequestCountsUnderItsClasses(t *testing.T) {
	for _, tt := range []struct {
		r    Request
		want []RateClass
	}{
		{userRead, []RateClass{"user_read", "user_read", "read", "read", "all"}},
		{userSearch, []RateClass{"user_read", "user_read", "read", "read", "all"}},
		{groupPatch, []RateClass{"group_patch", "group_write", "patch", "write", "all"}},
		{Request{Op: OpUpdate, Method: http.MethodPost}, []RateClass{"create", "write", "all"}},
	} {
		if got := tt.r.classes(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v", tt.r.Method, got)
		}
	}
}

// QUIRKS §1.2 Slack: several rates at once; what is left of the others stays.
func TestTheTightestRateCounts(t *testing.T) {
	l, now := limited(t, map[string]any{"rate": []any{
		map[string]any{"class": "write", "n": 600, "per": "1m", "burst": 5},
		map[string]any{"class": "user_write", "n": 60, "per": "1m", "burst": 2},
	}})
	waits := func(r Request, n int) (out []time.Duration) {
		for range n {
			out = append(out, l.reserve(r.classes()).Round(time.Millisecond))
		}
		return out
	}
	// The third waits its turn, the fourth would wait too long and takes no place.
	if got := waits(userPatch, 5); !slices.Equal(got, []time.Duration{0, 0, time.Second, 2 * time.Second, 2 * time.Second}) {
		t.Errorf("users: %v", got)
	}
	if got := waits(groupPatch, 4); !slices.Equal(got, []time.Duration{0, 0, 100 * time.Millisecond, 200 * time.Millisecond}) {
		t.Errorf("groups: %v", got)
	}
	if got := waits(userRead, 3); !slices.Equal(got, []time.Duration{0, 0, 0}) {
		t.Errorf("reads: %v", got)
	}
	*now = now.Add(3 * time.Second)
	if got := waits(userPatch, 1); got[0] != 0 {
		t.Errorf("later: %v", got)
	}
}

// QUIRKS §1.2 GitHub: at most so many in any hour.
func TestAQuotaHoldsInAnyWindow(t *testing.T) {
	l, now := limited(t, map[string]any{"quota_window": []any{map[string]any{"class": "user_write", "n": 3, "per": "1h"}}})
	for i := range 3 {
		if wait := l.reserve(userPatch.classes()); wait != 0 {
			t.Errorf("%d waits %s", i, wait)
		}
		*now = now.Add(10 * time.Minute)
	}
	if wait := l.reserve(userPatch.classes()); wait != 30*time.Minute {
		t.Errorf("the fourth waits %s", wait)
	}
	if wait := l.reserve(groupPatch.classes()); wait != 0 {
		t.Errorf("a group waits %s", wait)
	}
	*now = now.Add(30 * time.Minute)
	if wait := l.reserve(userPatch.classes()); wait != 0 {
		t.Errorf("an hour after the first: %s", wait)
	}
	if wait := l.reserve(userPatch.classes()); wait != 10*time.Minute {
		t.Errorf("the next: %s", wait)
	}
}

// QUIRKS SCIM-23: all workers of the target share the pause, of that class alone.
func TestAPauseHoldsEverybodyBack(t *testing.T) {
	l, now := limited(t, map[string]any{"rate": []any{map[string]any{"class": "user_write", "n": 1000, "per": "1s"}}})
	asked := l.throttled(userPatch, 20*time.Second)
	if asked < 20*time.Second || asked > 22*time.Second {
		t.Errorf("asked for %s", asked)
	}
	if wait := l.reserve(userPatch.classes()); wait != asked {
		t.Errorf("a write waits %s", wait)
	}
	if wait := l.reserve(userRead.classes()) + l.reserve(groupPatch.classes()); wait != 0 {
		t.Errorf("others wait %s", wait)
	}
	*now = now.Add(asked)
	if wait := l.reserve(userPatch.classes()); wait != 0 {
		t.Errorf("after it: %s", wait)
	}
}

func TestAPauseWithoutATimeGrows(t *testing.T) {
	l, now := limited(t, nil)
	near := func(got, want time.Duration) bool { return got >= want && got <= want+want/10 }
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute} {
		got := l.throttled(userPatch, 0)
		if !near(got, want) {
			t.Errorf("%d: got %s; want %s", i, got, want)
		}
		if again := l.throttled(userRead, 0); again != got {
			t.Errorf("%d: one that was under way made it %s", i, again)
		}
		*now = now.Add(got)
	}
	l.served(userPatch)
	if got := l.throttled(userPatch, 0); !near(got, time.Second) {
		t.Errorf("after a success: %s", got)
	}
}

func TestWhatWouldWaitLongIsNotSent(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "60")
		reply(w, 429, nil)
	})
	c := s.client(t, nil)
	first, second := get(t, c), get(t, c)
	for _, err := range []error{first, second} {
		if wait := connector.AsError(err).RetryAfter; answer(err) != "failed RATE_LIMITED" || wait < 59*time.Second || wait > 67*time.Second {
			t.Errorf("got %v after %s", err, wait)
		}
	}
	if n := len(s.lines()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestAShortWaitIsWaited(t *testing.T) {
	s := serve(t, always(200, `{"id":"7"}`))
	c := s.client(t, map[string]any{"rate": []any{map[string]any{"class": "read", "n": 10, "per": "1s", "burst": 1}}})
	begin := time.Now()
	for range 3 {
		if err := get(t, c); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("three took %s", took)
	}
}

func TestNoMoreRequestsAtOnceThanTheTargetLikes(t *testing.T) {
	var now, most atomic.Int32
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		now.Add(-1)
		reply(w, 200, `{"id":"7"}`)
	})
	c := s.client(t, map[string]any{"concurrency": 3})
	var wg sync.WaitGroup
	for range 9 {
		wg.Go(func() {
			if err := get(t, c); err != nil {
				t.Error(err)
			}
		})
	}
	for most.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Update(ctx, activation("7", true, "")); answer(err) != "failed TIMEOUT" {
		t.Errorf("one that never got its turn: %v", err)
	}
	close(release)
	wg.Wait()
	if most.Load() != 3 {
		t.Errorf("%d at once", most.Load())
	}
}
