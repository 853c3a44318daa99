package daemon

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// pause is how long to wait before something is tried again that has failed: from a
// second to a minute, with jitter.
type pause struct{ b *backoff.ExponentialBackOff }

func newPause() pause {
	return pause{backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Second), backoff.WithMaxInterval(time.Minute), backoff.WithMultiplier(2), backoff.WithMaxElapsedTime(0))}
}

// next returns how long to wait now.
func (p pause) next() time.Duration { return p.b.NextBackOff() }

// over says that it works again.
func (p pause) over() { p.b.Reset() }

// wait sleeps, and no longer than ctx lasts.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// every calls f again and again until ctx ends, the first time at once.
func every(ctx context.Context, d time.Duration, f func(ctx context.Context)) {
	t := time.NewTicker(d)
	defer t.Stop()
	for ctx.Err() == nil {
		f(ctx)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}
