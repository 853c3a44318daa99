package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// Population returns what the guards of connector take their percentages of where
// they look at a plan of source, and what went out for people of that source in the
// 24 hours before now or still waits to go out (QUIRKS HR-9). source "": all.
func (o *Org) Population(ctx context.Context, connector, source string, now time.Time) (plan.Population, error) {
	p := plan.Population{Last24h: map[plan.Guarded]int{}}
	of, args := `org_id = ? AND connector = ? AND `, []any{o.id, connector}
	if source != "" {
		of, args = of+`source = ? AND `, append(args, source)
	}
	err := o.get(ctx, &p.Accounts, `SELECT COUNT(*) FROM account WHERE `+of+`absent = 0 AND enabled <> 'disabled'`, args...)
	if err != nil {
		return p, o.s.fail("count accounts", err)
	}
	var rows []struct {
		Op, Changed                               string
		Total, Revokes, Clears, Renames, Unscoped int
	}
	counted := `SELECT op, changed, revokes, clears, renames, out_of_scope FROM operation WHERE ` + of
	err = o.all(ctx, &rows, `SELECT op, changed, COUNT(*) AS total, SUM(revokes) AS revokes, SUM(clears) AS clears,
			SUM(renames) AS renames, SUM(out_of_scope) AS unscoped
		FROM (`+counted+`sent_at > ? AND sent_at > 0 UNION ALL `+counted+`state IN `+openStates+` AND sent_at = 0) q GROUP BY op, changed`,
		slices.Concat(args, []any{micros(now.Add(-24 * time.Hour))}, args)...)
	if err != nil {
		return p, o.s.fail("count operations of the last 24 hours", err)
	}
	attributes := map[string]int{}
	for _, r := range rows {
		p.Last24h[plan.Guarded(r.Op)] += r.Total
		p.Last24h[plan.GuardRevoke] += r.Revokes
		p.Last24h[plan.GuardClear] += r.Clears
		p.Last24h[plan.GuardRename] += r.Renames
		p.Last24h[plan.GuardOutOfScope] += r.Unscoped
		var changed []string
		if err := decode(r.Changed, &changed); err != nil {
			return p, o.s.fail("count operations of the last 24 hours", err)
		}
		for _, name := range changed {
			attributes[name] += r.Total
			p.Last24h[plan.GuardAttribute] = max(p.Last24h[plan.GuardAttribute], attributes[name])
		}
	}
	return p, nil
}

// guardCounts are what the guards count of one operation.
type guardCounts struct {
	revokes, clears, renames, outOfScope int
	changed                              string
}

// countGuarded counts as [plan.Guards] does: a create changes nothing, and an
// attribute that has the wanted content already is not a change.
func countGuarded(op *plan.Operation) (c guardCounts, err error) {
	for _, g := range op.Grants {
		if g.Remove {
			c.revokes++
		}
	}
	c.outOfScope = int(flag(op.Cause == plan.CauseOutOfScope))
	var changed []string
	for _, ch := range op.Changes {
		if op.Kind == plan.Create {
			break
		}
		before, err := encode(ch.Before)
		if err != nil {
			return c, fmt.Errorf("attribute %s: %w", ch.Name, err)
		}
		after, err := encode(ch.After)
		if err != nil {
			return c, fmt.Errorf("attribute %s: %w", ch.Name, err)
		}
		switch {
		case len(ch.After) == 0:
			c.clears++
		case before == after:
			continue
		}
		if ch.Naming {
			c.renames = 1
		}
		changed = append(changed, ch.Name)
	}
	if changed != nil {
		c.changed, err = encode(changed)
	}
	return c, err
}
