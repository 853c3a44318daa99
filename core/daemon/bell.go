package daemon

import (
	"context"
	"time"
)

// ringEvery is how often is looked for work that came from elsewhere: another node, a
// command, a retry whose time has come.
const ringEvery = 250 * time.Millisecond

// ring wakes the senders that have work, until ctx ends.
func (t *term) ring(ctx context.Context) {
	failed := false
	every(ctx, ringEvery, func(ctx context.Context) {
		names := t.senders.names()
		if len(names) == 0 {
			return
		}
		h := t.n.Hub()
		due, err := h.State().DueConnectors(ctx, names, h.Now())
		if err != nil && ctx.Err() == nil && !failed {
			t.n.log.Warn("the queue cannot be read", "error", err)
		}
		failed = err != nil
		for _, name := range due {
			t.senders.wake(name)
		}
	})
}
