package dispatch

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Retry says how often and how long an operation is tried; zero fields have the
// defaults named.
type Retry struct {
	Attempts int           // 8; then the operation is parked
	First    time.Duration // 2 s
	Max      time.Duration // 1 h
	Timeout  time.Duration // of one call to the target; 30 s
}

func (r Retry) withDefaults() Retry {
	if r.Attempts <= 0 {
		r.Attempts = 8
	}
	if r.First <= 0 {
		r.First = 2 * time.Second
	}
	if r.Max <= 0 {
		r.Max = time.Hour
	}
	if r.Timeout <= 0 {
		r.Timeout = 30 * time.Second
	}
	return r
}

// wait returns how long to wait after the nth failure in a row, from 1: a random
// part of an interval that doubles from first to longest (full jitter), and never
// less than atLeast. random gives numbers in [0, 1).
func wait(first, longest time.Duration, n int, random func() float64, atLeast time.Duration) time.Duration {
	b := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(first),
		backoff.WithMaxInterval(longest),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(0), // its jitter cannot be injected
		backoff.WithMaxElapsedTime(0),      // never "stop": attempts are counted in the queue
	)
	interval := first
	for range min(n, 64) {
		interval = b.NextBackOff()
	}
	return max(time.Duration(random()*float64(interval)), atLeast)
}
