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

// Watch calls changed with a source's name whenever something changed in that source,
// until ctx ends: sources that tell by themselves do, others that can tell what changed
// are asked every so often. Those that cannot are left alone; ErrNoWatch when none can.
// A watch that breaks is begun again, and counts as a change: nobody knows what was
// missed.
func (h *Hub) Watch(ctx context.Context, changed func(source string)) error {
	g, watching := errgroup.WithContext(ctx)
	for i := range h.cfg.Sources {
		s := &h.cfg.Sources[i]
		if s.CSV != nil {
			continue
		}
		g.Go(func() error {
			if err := h.watch(watching, s, func() { changed(s.Name) }); err != nil {
				return fmt.Errorf("source %s: %w", s.Name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil || ctx.Err() != nil {
		return err
	}
	return ErrNoWatch
}

// ErrNoWatch says that no source tells when something changes.
var ErrNoWatch = errors.New("no source of the config tells when something changes: run `provhub sync` on a schedule")

// watch watches one source until ctx ends, or until it turns out that it cannot be.
func (h *Hub) watch(ctx context.Context, s *config.Source, changed func()) error {
	reader, err := openSource(h.cfg, s)
	if err != nil {
		return err
	}
	defer closeReader(reader)
	for first := true; ctx.Err() == nil; first = false {
		read, token, err := h.readToken(ctx, s)
		if err != nil {
			return err
		}
		if !first && read {
			changed()
		}
		if err = errNotRead; read {
			err = h.watchFrom(ctx, s, reader, token, changed)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			return nil
		}
		if ctx.Err() == nil {
			h.log.Warn("the watch of a source broke and is begun again", "source", s.Name, "error", err)
			wait(ctx, watchAgain)
		}
	}
	return nil
}

// errNotRead says that there is nothing yet to go on from.
var errNotRead = errors.New("the source has not been read yet")

// watchFrom watches a source from token on, in the way that its reader can.
func (h *Hub) watchFrom(ctx context.Context, s *config.Source, reader source.Reader, token []byte, changed func()) error {
	if w, ok := reader.(source.Watcher); ok {
		if err := w.Watch(ctx, token, changed); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	if f, ok := reader.(source.Incremental); ok && token != nil {
		return h.poll(ctx, s, f, token, changed)
	}
	return errors.ErrUnsupported
}

// readToken tells whether a source was ever read, and its token.
func (h *Hub) readToken(ctx context.Context, s *config.Source) (read bool, token []byte, err error) {
	state, err := h.org.SourceState(ctx, s.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false, nil, nil
	case err != nil:
		return false, nil, err
	}
	token, err = cycle.Token(state)
	return true, token, err
}

// token is where the last reading of a source ended.
func (h *Hub) token(ctx context.Context, s *config.Source) ([]byte, error) {
	_, token, err := h.readToken(ctx, s)
	return token, err
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
