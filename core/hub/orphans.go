package hub

import (
	"context"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/reconcile"
	"github.com/provhub/provhub/core/store"
)

// orphanSource is what plans that come from no source are filed under.
func orphanSource(c *config.Connector) string { return "reconcile/" + c.Name }

// planOrphans makes a plan that disables accounts which belong to nobody. It goes
// the way of every plan: under the connector's guards, held where they trip.
func (h *Hub) planOrphans(ctx context.Context, c *config.Connector, fs []reconcile.Finding) (*Planned, error) {
	p := &plan.Plan{Inputs: plan.Inputs{Source: orphanSource(c), Config: rulesHash(c), Partial: true}}
	for _, f := range fs {
		p.Operations = append(p.Operations, plan.Orphan(orphanSource(c), c.Name, f.Kind, f.Ref))
	}
	if len(p.Operations) == 0 {
		return nil, nil
	}
	var err error
	if p.Inputs.Generation, err = h.org.Generation(ctx); err != nil {
		return nil, err
	}
	pop, err := h.org.Population(ctx, c.Name, "", h.now())
	if err != nil {
		return nil, err
	}
	p.Verdicts = c.Guards.Check(c.Name, p.Operations, pop)
	plan.Seal(p)
	out := &Planned{Source: p.Inputs.Source, Status: store.PlanProposed, Plan: p}
	if len(p.Verdicts) > 0 {
		out.Status = store.PlanHeld
	}
	if out.Existed, err = h.org.SavePlan(ctx, p, out.Status, h.opt.Actor, h.now()); err != nil {
		return nil, err
	}
	row, err := h.org.Plan(ctx, p.Hash)
	if err != nil {
		return nil, err
	}
	if out.Status = row.Status; row.Status == store.PlanProposed {
		plans := []Planned{*out}
		err = h.applyAll(ctx, plans)
		out.Status = plans[0].Status
	}
	return out, err
}
