package sftp

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
)

// flight is one run of the publisher. Whoever comes while it is under way waits
// for its end and looks again.
type flight struct {
	done    chan struct{}
	err     error // with done closed
	waiters int
	cancel  context.CancelFunc
}

// publish publishes what is due, or joins whoever does so already, and waits for
// the end, at most until ctx ends. errUnderWay when that comes first.
//
// A publication goes on when nobody waits for it any more, because a large file
// takes longer than an operation may; only where files are made at once does it
// end with the last of those who wait.
func (t *Target) publish(ctx context.Context, force bool) error {
	f, err := t.join(ctx, force)
	if err != nil {
		return err
	}
	defer t.leave(f)
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return errors.Join(errUnderWay, connector.AsError(ctx.Err()))
	}
}

// errUnderWay says that the publication has not ended yet.
var errUnderWay = errors.New("the publication is under way")

// join takes part in the flight under way. One that it begins is told in the trace of ctx.
func (t *Target) join(ctx context.Context, force bool) (*flight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed.Err() != nil {
		return nil, connector.Errorf(connector.CodeUnavailable, "the connector is being closed")
	}
	f := t.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		ctx := span.Along(t.closed, ctx)
		ctx, f.cancel = context.WithTimeout(ctx, orDefault(t.cfg.Publish.Timeout, 30*time.Minute))
		t.flight = f
		t.flights.Go(func() { t.fly(ctx, f, force) })
	}
	f.waiters++
	return f, nil
}

func (t *Target) leave(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.waiters--; f.waiters == 0 && t.cfg.atOnce() {
		f.cancel()
	}
}

func (t *Target) fly(ctx context.Context, f *flight, force bool) {
	err := t.run(ctx, force)
	f.cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	f.err, t.flight = err, nil
	close(f.done)
}

// run publishes until nothing is due.
func (t *Target) run(ctx context.Context, force bool) error {
	unlock, err := t.box.Lock(ctx)
	if err != nil {
		return connector.AsError(err)
	}
	defer unlock()
	if err := t.verify(ctx); err != nil {
		return err
	}
	for {
		x, ok, err := t.box.Unpublished(ctx)
		if err != nil {
			return stateError(err)
		}
		if ok {
			if err := t.deliver(ctx, x); err != nil {
				return err
			}
			continue
		}
		if !force && !t.due(time.Now()) {
			return nil
		}
		more, err := t.seal(ctx, t.cfg.Mode, sealOptions{})
		if err != nil || !more {
			return err
		}
	}
}

// due reports whether what waits is to be published now.
func (t *Target) due(now time.Time) bool { return t.dueIn(now) <= 0 }

// dueIn returns how long until then, when nothing more comes; a long time when
// nothing waits.
func (t *Target) dueIn(now time.Time) time.Duration {
	w := t.box.Waiting()
	if w.Changes == 0 {
		return time.Hour
	}
	return min(w.Last.Add(t.cfg.quiet()).Sub(now), w.First.Add(t.cfg.within()).Sub(now))
}
