package hub

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// heldFor is how long an operation waits that a held plan does not want any more.
// Every run that comes to the same plan begins it anew.
const heldFor = time.Hour

// postpone keeps operations of earlier plans from going out that a held plan does
// not want any more, so that an old delete does not fire after a rehire because a
// guard holds the plan that knows of it (QUIRKS Q-5).
func (h *Hub) postpone(ctx context.Context, plans []Planned) error {
	for _, p := range plans {
		if p.Status != store.PlanHeld {
			continue
		}
		ids, err := h.reversed(ctx, p.Plan.Operations)
		if err != nil {
			return err
		}
		now := h.now()
		if err := h.org.Postpone(ctx, append(ids, p.Plan.Withdraw...), now.Add(heldFor), now); err != nil {
			return err
		}
	}
	return nil
}

// reversed returns the open operations that take from accounts which ops give to.
func (h *Hub) reversed(ctx context.Context, ops []plan.Operation) (ids []string, err error) {
	var keys []identity.Key
	gives := map[identity.AccountKey]bool{}
	for i := range ops {
		if op := &ops[i]; !takes(op) {
			gives[op.AccountKey] = true
			keys = append(keys, op.Identity())
		}
	}
	open, err := h.org.OpenOperations(ctx, keys)
	if err != nil {
		return nil, err
	}
	for key, op := range open {
		if gives[key] && takes(&op.Operation) {
			ids = append(ids, op.ID)
		}
	}
	return ids, nil
}

func takes(op *plan.Operation) bool { return op.Kind == plan.Disable || op.Kind == plan.Delete }
