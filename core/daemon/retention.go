package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/jobs"
	"github.com/provhub/provhub/core/schedule"
)

// nightly is when history is pruned.
var nightly = schedule.Spec{Cron: "30 2 * * *", Jitter: time.Hour}

func retention(*hub.Hub) []jobs.Entry {
	s, err := schedule.New(nightly)
	if err != nil {
		panic(fmt.Sprintf("daemon: %v", err)) // it is written above
	}
	return []jobs.Entry{{Kind: "retention", Subject: "history", Schedule: s}}
}

// prune takes out history that is older than the config keeps it.
func (n *Node) prune(ctx context.Context, _ jobs.Job) (jobs.Result, error) {
	p, err := n.Hub().Prune(ctx)
	if err != nil {
		return jobs.Result{}, err
	}
	return jobs.Result{Summary: fmt.Sprintf("taken out: %d operations, %d plans, %d runs, %d findings", p.Operations, p.Plans, p.Runs, p.Findings)}, nil
}
