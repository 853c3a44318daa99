package store

import (
	"context"

	"github.com/provhub/provhub/core/plan"
)

// Waiting returns how many operations of a connector are ready and not sent, and how
// many of them are leavers', each counted up to most.
func (o *Org) Waiting(ctx context.Context, connector string, most int) (all, leavers Count, err error) {
	for _, c := range []struct {
		of     *Count
		before plan.Lane
	}{{&all, plan.LaneNormal + 1}, {&leavers, plan.LaneLeaver + 1}} {
		var n int
		err := o.get(ctx, &n, `SELECT COUNT(*) FROM (SELECT 1 FROM operation WHERE org_id = ? AND connector = ? AND state = 'ready'
			AND lane IN (`+lanesBefore(c.before)+`) LIMIT ?) w`, o.id, connector, most+1)
		if err != nil {
			return all, leavers, o.s.fail("count what waits", err)
		}
		*c.of = Count{min(n, most), n > most}
	}
	return all, leavers, nil
}
