package hub

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Summary is one sentence about a plan: "plan 5f0c2e91a3b4 applied: 3 create, 1 disable".
func (p *Planned) Summary() string {
	name := fmt.Sprintf("plan %.12s %s", p.Plan.Hash, p.Status)
	counts := map[plan.Kind]int{}
	for i := range p.Plan.Operations {
		counts[p.Plan.Operations[i].Kind]++
	}
	var parts []string
	for kind, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, kind))
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		if p.Status == store.PlanApplied {
			return "nothing to do"
		}
		parts = []string{"nothing to do"}
	}
	return name + ": " + strings.Join(parts, ", ")
}
