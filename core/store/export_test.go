package store

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// QueryPlans returns how SQLite carries out each statement that o's writer has
// run so far, by statement.
func QueryPlans(ctx context.Context, o *Org) (map[string][]string, error) {
	plans := map[string][]string{}
	for _, q := range slices.Sorted(maps.Keys(o.s.stmts)) {
		rows, err := o.s.reader.QueryContext(ctx, "EXPLAIN QUERY PLAN "+q, make([]any, strings.Count(q, "?"))...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return nil, err
			}
			plans[q] = append(plans[q], detail)
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return plans, nil
}
