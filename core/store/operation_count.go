package store

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
)

// Count is a number of rows that was counted up to a bound.
type Count struct {
	N int
	// More: there are more than N.
	More bool
}

// String gives "12", or "1000+".
func (c Count) String() string {
	if c.More {
		return strconv.Itoa(c.N) + "+"
	}
	return strconv.Itoa(c.N)
}

// Add returns the sum of two counts.
func (c Count) Add(d Count) Count { return Count{c.N + d.N, c.More || d.More} }

// MarshalJSON gives {"n": 1000, "more": true}.
func (c Count) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		N    int  `json:"n"`
		More bool `json:"more,omitempty"`
	}{c.N, c.More})
}

// OpenCounts counts the open operations by connector and state, each up to most; 0:
// all. With a bound it takes a time that depends on it and on the number of
// connectors, and not on how many operations there are. States without any are left
// out.
func (o *Org) OpenCounts(ctx context.Context, most int) (map[string]map[OpState]Count, error) {
	bound := int64(most)
	if most <= 0 {
		bound = math.MaxInt64 - 1
	}
	var rows []struct {
		Connector string
		State     OpState
		N         int64
	}
	err := o.all(ctx, &rows, `WITH RECURSIVE c(name) AS (
			SELECT MIN(connector) FROM operation WHERE org_id = ?
			UNION ALL SELECT (SELECT MIN(connector) FROM operation WHERE org_id = ? AND connector > c.name) FROM c WHERE c.name IS NOT NULL),
		s(state) AS (VALUES ('ready'), ('leased'), ('sent'), ('retry'), ('unknown'), ('parked'))
		SELECT c.name AS connector, s.state, (SELECT COUNT(*) FROM (
				SELECT 1 FROM operation o WHERE o.org_id = ? AND o.connector = c.name AND o.state = s.state LIMIT ?) x) AS n
			FROM c CROSS JOIN s WHERE c.name IS NOT NULL`, o.id, o.id, o.id, bound+1)
	if err != nil {
		return nil, o.s.fail("count operations", err)
	}
	counts := map[string]map[OpState]Count{}
	for _, r := range rows {
		if r.N == 0 {
			continue
		}
		if counts[r.Connector] == nil {
			counts[r.Connector] = map[OpState]Count{}
		}
		counts[r.Connector][r.State] = Count{int(min(r.N, bound)), r.N > bound}
	}
	return counts, nil
}
