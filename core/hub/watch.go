package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

const (
	// settleFor is how long changes gather before they are looked at: a directory
	// often writes several entries for one person.
	settleFor = 200 * time.Millisecond
	// watchAgain is how long to wait before a broken watch is begun again.
	watchAgain = 5 * time.Second
)

// Watch calls changed with a source's name whenever that source tells that something
// changed, until ctx ends. Sources that do not tell are left alone; ErrNoWatch when
// none does. A watch that breaks is begun again, and counts as a change: nobody
// knows what was missed.
func (h *Hub) Watch(ctx context.Context, changed func(source string)) error {
	g, ctx := errgroup.WithContext(ctx)
	watched := false
	for i := range h.cfg.Sources {
		s := &h.cfg.Sources[i]
		if s.LDAP == nil {
			continue
		}
		watched = true
		g.Go(func() error { return h.watch(ctx, s, func() { changed(s.Name) }) })
	}
	if !watched {
		return ErrNoWatch
	}
	return g.Wait()
}

// ErrNoWatch says that no source tells when something changes.
var ErrNoWatch = errors.New("no source of the config tells by itself when something changes: run `provhub sync` on a schedule")

func (h *Hub) watch(ctx context.Context, s *config.Source, changed func()) error {
	reader, err := openSource(h.cfg, s)
	if err != nil {
		return err
	}
	defer closeReader(reader)
	w, ok := reader.(source.Watcher)
	if !ok {
		return nil
	}
	for first := true; ctx.Err() == nil; first = false {
		token, err := h.token(ctx, s)
		if err != nil {
			return err
		}
		if !first {
			changed()
		}
		err = w.Watch(ctx, token, changed)
		if errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("source %s: %w", s.Name, ErrNoWatch)
		}
		if ctx.Err() == nil {
			h.log.Warn("the watch of a source broke and is begun again", "source", s.Name, "error", err)
			wait(ctx, watchAgain)
		}
	}
	return nil
}

// token is where the last reading of a source ended.
func (h *Hub) token(ctx context.Context, s *config.Source) ([]byte, error) {
	state, err := h.org.SourceState(ctx, s.Name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return cycle.Token(state)
}

// Follow syncs, and syncs again whenever a source tells that something changed, and
// every so often in any case; each result goes to report. It ends with ctx.
func (h *Hub) Follow(ctx context.Context, o PlanOptions, d DrainOptions, every time.Duration, report func(SyncResult, error)) error {
	ring := make(chan struct{}, 1)
	once := func() { report(h.Sync(ctx, o, d)) }
	once() // so that there is a token to go on from
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return h.Watch(ctx, func(string) {
			select {
			case ring <- struct{}{}:
			default: // it rings already
			}
		})
	})
	g.Go(func() error {
		for {
			t := time.NewTimer(every)
			select {
			case <-ctx.Done():
				t.Stop()
				return nil
			case <-ring:
				wait(ctx, settleFor)
			case <-t.C:
			}
			t.Stop()
			if ctx.Err() == nil {
				report(h.Sync(ctx, o, d))
			}
		}
	})
	return g.Wait()
}

// wait sleeps, and no longer than ctx lasts.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
