package daemon

import (
	"context"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/jobs"
	"github.com/provhub/provhub/core/store"
)

// reconciliations are the comparisons of targets that have a schedule.
func reconciliations(h *hub.Hub) (out []jobs.Entry) {
	connectors := h.Config().Connectors
	for i := range connectors {
		if s := connectors[i].Reconcile.Schedule; s != nil {
			out = append(out, jobs.Entry{Kind: "reconcile", Subject: connectors[i].Name, Schedule: s.Schedule})
		}
	}
	return out
}

// reconcile compares one target with the ledger. What is to be mended is planned at
// once, where the connector's source can be read.
func (n *Node) reconcile(ctx context.Context, j jobs.Job) (jobs.Result, error) {
	h := n.Hub()
	r, err := h.ReconcileOne(ctx, j.Subject, hub.ReconcileOptions{})
	if err != nil {
		return jobs.Result{Trace: r.Trace}, err
	}
	out := jobs.Result{Outcome: store.RunDone, Summary: r.Summary(), Trace: r.Trace}
	if r.Plan != nil {
		n.wake(*r.Plan)
		out.Plan, out.Outcome = r.Plan.Plan.Hash, outcomeOf(r.Plan)
	}
	return out, n.planFor(ctx, &r)
}

// planFor has the sources planned for whose accounts were found not to be as they should.
func (n *Node) planFor(ctx context.Context, r *hub.Reconciled) error {
	if r.Corrected+r.Considered == 0 {
		return nil
	}
	c, err := n.Hub().Connector(r.Connector)
	if err != nil {
		return err
	}
	for _, s := range c.Sources {
		if err := n.Ask(ctx, "cycle", s, "reconciliation of "+c.Name); err != nil {
			return err
		}
	}
	return nil
}
