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
		return jobs.Result{}, err
	}
	out := jobs.Result{Outcome: store.RunDone, Summary: r.Summary()}
	if r.Plan != nil {
		out.Plan = r.Plan.Plan.Hash
		if n.wake(*r.Plan); r.Plan.Status == store.PlanHeld {
			out.Outcome = store.RunHeld
		}
	}
	if r.Corrected+r.Considered == 0 {
		return out, nil
	}
	c, err := h.Connector(j.Subject)
	if err != nil {
		return out, err
	}
	for _, s := range h.SourcesOf(c) {
		if err := n.Ask(ctx, "cycle", s, "reconciliation of "+c.Name); err != nil {
			return out, err
		}
	}
	return out, nil
}
