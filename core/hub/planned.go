package hub

import (
	"fmt"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Summary is one sentence about a plan: "plan 5f0c2e91a3b4 applied: 3 creates, 1 disable".
func (p *Planned) Summary() string {
	name := fmt.Sprintf("plan %.12s %s", p.Plan.Hash, p.Status)
	if len(p.Plan.Operations) == 0 && p.Status == store.PlanApplied {
		return "nothing to do"
	}
	return name + ": " + plan.CountsOf(p.Plan.Operations).String()
}
