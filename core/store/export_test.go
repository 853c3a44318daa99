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
	return explainAll(ctx, o, slices.Sorted(maps.Keys(o.s.stmts)))
}

func explainAll(ctx context.Context, o *Org, queries []string) (map[string][]string, error) {
	plans := map[string][]string{}
	for _, q := range queries {
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

// CommonText is what of a message operations have in common.
var CommonText = commonText

// ReadPlans returns how SQLite carries out each query that read makes, by query.
func ReadPlans(ctx context.Context, o *Org, read func() error) (map[string][]string, error) {
	o.s.rebound.Clear()
	if err := read(); err != nil {
		return nil, err
	}
	var queries []string
	o.s.rebound.Range(func(q, _ any) bool { queries = append(queries, q.(string)); return true })
	return explainAll(ctx, o, queries)
}
