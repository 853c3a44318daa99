package daemon

import "context"

// applyApproved puts into the queue what people have approved.
func (t *term) applyApproved(ctx context.Context) {
	refused := map[string]bool{} // plans that are out of date
	every(ctx, leadEvery, func(ctx context.Context) {
		h := t.n.Hub()
		rows, err := h.Approved(ctx)
		if err != nil {
			if ctx.Err() == nil {
				t.n.log.Warn("which plans were approved could not be read", "error", err)
			}
			return
		}
		for _, row := range rows {
			if refused[row.Hash] {
				continue
			}
			err := h.ApplyApproved(ctx, row)
			if err != nil {
				refused[row.Hash] = true
				t.n.log.Warn("a plan that was approved cannot be applied as it is; its source is planned for again", "plan", row.Hash, "error", err)
				err = t.ask(ctx, "cycle", row.Inputs.Source, "an approved plan is out of date")
			}
			if err != nil && ctx.Err() == nil {
				t.n.log.Warn("a source is read by its schedule", "source", row.Inputs.Source, "error", err)
			}
		}
	})
}
