package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/core/store"
)

// ownEvery is how often a node looks for connectors that nobody sends for.
const ownEvery = time.Second

// own takes the locks of connectors and sends for them, until ctx ends; then it waits
// for what is under way.
func (t *term) own(ctx context.Context) {
	every(ctx, ownEvery, func(ctx context.Context) {
		if err := t.ownOnce(ctx); err != nil && ctx.Err() == nil {
			t.n.log.Warn("the connectors could not be shared out", "error", err)
		}
	})
	t.senders.wg.Wait()
}

func (t *term) ownOnce(ctx context.Context) error {
	h := t.n.Hub()
	for i := range h.Config().Connectors {
		c := &h.Config().Connectors[i]
		if t.senders.has(c.Name) {
			continue
		}
		lock, err := t.role.Lock(ctx, "connector/"+c.Name)
		if errors.Is(err, store.ErrBusy) {
			continue
		}
		if err != nil {
			return err
		}
		t.n.log.Info("this node sends to a connector", "connector", c.Name)
		t.senders.begin(c.Name, lock)
	}
	return nil
}
