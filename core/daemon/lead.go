package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

const (
	// leadEvery is how often a node tries to be the one that leads.
	leadEvery = time.Second
	// gather is how long changes of a source gather before it is read: a directory often
	// writes several entries for one person.
	gather = 200 * time.Millisecond
)

// lead does what one node does for all, as long as it has the lock of it: it watches
// the sources that tell when something changed, has those planned for that need it
// though they did not change, applies plans that were approved, and does what commands
// ask for.
func (t *term) lead(ctx context.Context) {
	every(ctx, leadEvery, func(ctx context.Context) {
		lock, err := t.role.Lock(ctx, "lead")
		if err != nil {
			if !errors.Is(err, store.ErrBusy) && ctx.Err() == nil {
				t.n.log.Warn("which node leads could not be found out", "error", err)
			}
			return
		}
		defer lock.Release()
		var parts sync.WaitGroup
		for _, part := range append([]func(context.Context){t.watch, t.remind, t.applyApproved, t.requests}, t.n.leads...) {
			parts.Go(func() { part(ctx) })
		}
		parts.Wait()
	})
}

// watch has sources read that tell that something changed.
func (t *term) watch(ctx context.Context) {
	for ctx.Err() == nil {
		watching, stop := context.WithCancel(ctx)
		reloaded := t.n.reloaded()
		go func() {
			select {
			case <-reloaded:
			case <-watching.Done():
			}
			stop()
		}()
		err := t.n.Hub().Watch(watching, func(source string) {
			wait(watching, gather)
			if err := t.ask(watching, "cycle", source, "the source tells that something changed"); err != nil && watching.Err() == nil {
				t.n.log.Warn("a source that changed is read by its schedule", "source", source, "error", err)
			}
		})
		switch {
		case errors.Is(err, hub.ErrNoWatch):
			<-watching.Done()
		case err != nil && ctx.Err() == nil:
			t.n.log.Warn("sources cannot be watched", "error", err)
			wait(watching, leadEvery)
		}
		stop()
	}
}
