package daemon

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// lookEvery is how often a push looks what became of its operations.
const lookEvery = 50 * time.Millisecond

// Push takes over one person's record, puts what follows into the queue, and waits for
// d.Wait at most until it was tried. It does not wait for readings that are under way,
// nor for what else is in the queue. [hub.ErrNotServing] while the node may not.
func (n *Node) Push(ctx context.Context, r hub.PushRequest, d hub.DrainOptions) (hub.SyncResult, error) {
	t := n.term.Load()
	if t == nil || t.ctx.Err() != nil {
		return hub.SyncResult{}, hub.ErrNotServing
	}
	h := n.Hub()
	p, err := h.Take(ctx, r)
	if err != nil {
		return hub.SyncResult{}, err
	}
	out := hub.SyncResult{Plans: []hub.Planned{p}}
	if p.Status != store.PlanApplied {
		return out, nil
	}
	n.wake(p)
	ctx, cancel := context.WithTimeout(ctx, d.Wait)
	defer cancel()
	for i := range p.Plan.Operations {
		if err := t.tried(ctx, h.State(), p.Plan.Operations[i].ID); err != nil {
			return out, err
		}
	}
	return out, nil
}

// tried waits until an operation was tried, or ctx or the term ends.
func (t *term) tried(ctx context.Context, state *store.Org, id string) error {
	for ; ctx.Err() == nil && t.ctx.Err() == nil; wait(ctx, lookEvery) {
		op, _, err := state.Operation(context.WithoutCancel(ctx), id)
		if err != nil {
			return err
		}
		switch op.State {
		case store.OpReady, store.OpLeased, store.OpSent:
		default:
			return nil
		}
	}
	return nil
}

// State is what the hub keeps.
func (n *Node) State() *store.Org { return n.Hub().State() }
