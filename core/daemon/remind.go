package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
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

// remind has sources planned for that were never read, or with something to look at
// which no reading brings: an account that was not as we thought, a date that has come.
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
	why, err := wanting(ctx, h.State(), s.Name, h.Now())
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

// wanting says why a source is to be planned for; "": it is not.
func wanting(ctx context.Context, state *store.Org, source string, now time.Time) (why string, err error) {
	_, err = state.SourceState(ctx, source)
	if errors.Is(err, store.ErrNotFound) {
		return "it was never read", nil
	}
	if err != nil {
		return "", err
	}
	more, err := state.Outstanding(ctx, source, now)
	if more {
		why = "there is more to plan"
	}
	return why, err
}
