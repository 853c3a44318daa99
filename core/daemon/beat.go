package daemon

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/store"
)

// beatEvery is how often a node tells that it is there; see [store.Node.Gone].
const beatEvery = 2 * time.Second

// beat tells the other nodes that this one is there, until ctx ends.
func (t *term) beat(ctx context.Context) {
	n := t.n
	failed := false
	every(ctx, beatEvery, func(ctx context.Context) {
		err := n.Hub().State().Seen(ctx, store.Node{
			Name: n.Hub().Node(), Version: n.o.Version, Address: n.Address(), StartedAt: n.started, Connectors: t.senders.names(),
		})
		if err != nil && !failed && ctx.Err() == nil {
			n.log.Warn("the other nodes could not be told that this one is there", "error", err)
		}
		failed = err != nil
	})
	forget, cancel := context.WithTimeout(t.calls, giveUpWithin)
	defer cancel()
	if forget.Err() == nil {
		if err := n.Hub().State().Forget(forget, n.Hub().Node()); err != nil {
			n.log.Warn("the other nodes could not be told that this one stops", "error", err)
		}
	}
}
