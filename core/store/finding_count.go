package store

import "context"

// FindingCounts counts the open findings by connector and situation.
func (o *Org) FindingCounts(ctx context.Context) (map[string]map[string]int, error) {
	var rows []struct {
		Connector, Situation string
		N                    int
	}
	err := o.all(ctx, &rows, `SELECT connector, situation, COUNT(*) AS n FROM finding WHERE org_id = ? AND resolved_at = 0 GROUP BY connector, situation`, o.id)
	out := map[string]map[string]int{}
	for _, r := range rows {
		if out[r.Connector] == nil {
			out[r.Connector] = map[string]int{}
		}
		out[r.Connector][r.Situation] = r.N
	}
	return out, o.s.fail("count findings", err)
}

// FindingCount is how many open findings of one situation a connector has.
type FindingCount struct {
	Connector, Situation string
	N                    int
}

// FindingCountsTo counts the open findings like [Org.FindingCounts], by connector and
// situation, each up to most.
func (o *Org) FindingCountsTo(ctx context.Context, most int) (out []FindingCount, err error) {
	names, err := o.findingConnectors(ctx, openOrder, "")
	for _, name := range names {
		var some []FindingCount
		if some, err = o.FindingCountsOf(ctx, name, most); err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, o.s.fail("count findings", err)
}

// FindingCountsOf counts the open findings of one connector by situation, each up to most.
func (o *Org) FindingCountsOf(ctx context.Context, connector string, most int) (out []FindingCount, err error) {
	const of = `FROM finding WHERE org_id = ? AND connector = ? AND resolved_at = 0`
	err = o.all(ctx, &out, `WITH RECURSIVE s(name) AS (SELECT (SELECT MIN(situation) `+of+`)
		UNION ALL SELECT (SELECT MIN(situation) `+of+` AND situation > s.name) FROM s WHERE s.name IS NOT NULL)
		SELECT s.name AS situation, (SELECT COUNT(*) FROM (SELECT 1 `+of+` AND situation = s.name LIMIT ?) counted) AS n
		FROM s WHERE s.name IS NOT NULL`, o.id, connector, o.id, connector, o.id, connector, most)
	for i := range out {
		out[i].Connector = connector
	}
	return out, o.s.fail("count findings", err)
}

// FindingTotal counts the open findings up to most.
func (o *Org) FindingTotal(ctx context.Context, most int) (n int, err error) {
	err = o.get(ctx, &n, `SELECT COUNT(*) FROM (SELECT 1 FROM finding WHERE org_id = ? AND resolved_at = 0 LIMIT ?) counted`, o.id, most)
	return n, o.s.fail("count findings", err)
}
