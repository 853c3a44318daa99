package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
)

// remindEvery is how often is looked for what is to be planned though nothing was read.
const remindEvery = 2 * time.Second

// Reminders of one source are at least remindFirst apart, and further each time until
// it needs none: what a guard holds is to be planned for, and stays so.
const (
	remindFirst = 5 * time.Second
	remindMax   = 15 * time.Minute
)

// reminder is when a source may be asked for again.
type reminder struct {
	next time.Time
	gap  time.Duration
}

// remind has sources planned for that want it though they did not change.
func (t *term) remind(ctx context.Context) {
	asked := map[string]reminder{}
	every(ctx, remindEvery, func(ctx context.Context) {
		sources := t.n.Hub().Config().Sources
		for i := range sources {
			if err := t.remindOf(ctx, &sources[i], asked); err != nil && ctx.Err() == nil {
				t.n.log.Warn("what is to be planned for a source could not be found out", "source", sources[i].Name, "error", err)
			}
		}
	})
}

func (t *term) remindOf(ctx context.Context, s *config.Source, asked map[string]reminder) error {
	h := t.n.Hub()
	why, err := h.Wanting(ctx, s.Name)
	if err != nil || why == "" {
		delete(asked, s.Name)
		return err
	}
	r := asked[s.Name]
	if h.Now().Before(r.next) {
		return nil
	}
	r.gap = min(max(2*r.gap, remindFirst), remindMax)
	r.next = h.Now().Add(r.gap)
	err = t.ask(ctx, "cycle", s.Name, why)
	if errors.Is(err, hub.ErrNotServing) {
		return nil // runs begin in a moment
	}
	asked[s.Name] = r
	return err
}
