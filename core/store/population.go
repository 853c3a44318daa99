package store

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// Population returns what the guards of connector take their percentages of, and
// what went out in the 24 hours before now or still waits to go out (QUIRKS HR-9).
func (o *Org) Population(ctx context.Context, connector string, now time.Time) (plan.Population, error) {
	p := plan.Population{Last24h: map[plan.Guarded]int{}}
	err := o.get(ctx, &p.Accounts, `SELECT COUNT(*) FROM account
		WHERE org_id = ? AND connector = ? AND absent = 0 AND enabled <> 'disabled'`, o.id, connector)
	if err != nil {
		return p, o.s.fail("count accounts", err)
	}
	var rows []struct {
		Op                              string
		Total, Revokes, Clears, Renames int
	}
	day := micros(now.Add(-24 * time.Hour))
	err = o.all(ctx, &rows, `SELECT op, COUNT(*) AS total, SUM(revokes) AS revokes, SUM(clears) AS clears, SUM(renames) AS renames FROM (
			SELECT op, revokes, clears, renames FROM operation WHERE org_id = ? AND connector = ? AND sent_at > ? AND sent_at > 0
			UNION ALL
			SELECT op, revokes, clears, renames FROM operation WHERE org_id = ? AND connector = ? AND state IN `+openStates+` AND sent_at = 0
		) q GROUP BY op`, o.id, connector, day, o.id, connector)
	if err != nil {
		return p, o.s.fail("count operations", fmt.Errorf("of the last 24 hours: %w", err))
	}
	for _, r := range rows {
		p.Last24h[plan.Guarded(r.Op)] += r.Total
		p.Last24h[plan.GuardRevoke] += r.Revokes
		p.Last24h[plan.GuardClear] += r.Clears
		p.Last24h[plan.GuardRename] += r.Renames
	}
	return p, nil
}
