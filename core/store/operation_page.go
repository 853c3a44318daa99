package store

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/provhub/provhub/core/plan"
)

// Operations returns what f selects, in its order. It searches as long as it takes
// to fill the limit; pages for people are [Org.OperationPage].
func (o *Org) Operations(ctx context.Context, f OpFilter) ([]OpRow, error) {
	var out []OpRow
	for n := limit(f.Limit); ; {
		f.Limit = n - len(out)
		p, err := o.OperationPage(ctx, f)
		if err != nil {
			return nil, err
		}
		if f.Before != 0 {
			out, f.Before = append(p.Operations, out...), p.Prev
		} else {
			out, f.After = append(out, p.Operations...), p.Next
		}
		if len(out) >= n || f.After+f.Before == 0 {
			return out, nil
		}
	}
}

// OperationPage returns one page of what f selects. Whatever is in the queue, it
// takes a time that does not grow with it: a search among finished operations ends
// after searchMax of them, and the next page goes on there.
func (o *Org) OperationPage(ctx context.Context, f OpFilter) (OpPage, error) {
	p, err := o.operationPage(ctx, f)
	return p, o.s.fail("read operations", err)
}

// searchMax is how many operations of a state are looked at for one page where no
// index leads to those that match.
const searchMax = 5_000

func (o *Org) operationPage(ctx context.Context, f OpFilter) (OpPage, error) {
	s, err := o.search(ctx, f)
	if err != nil || s == nil {
		return OpPage{}, err
	}
	for _, b := range o.branches(f) {
		if err := s.run(ctx, b); err != nil {
			return OpPage{}, err
		}
	}
	places, more := s.places()
	ops, err := o.operationsAt(ctx, places)
	if err != nil {
		return OpPage{}, err
	}
	p := OpPage{Operations: ops}
	back := f.Before != 0
	if back {
		slices.Reverse(p.Operations)
	}
	// Behind the page in the direction of the search there is more, or not; before it
	// is what the cursor was for.
	ahead, behind := &p.Next, &p.Prev
	if back {
		ahead, behind = behind, ahead
	}
	if more != 0 {
		*ahead = more
	}
	if from := f.After + f.Before; from != 0 {
		*behind = from
		if len(places) > 0 {
			*behind = places[0].Seq
		}
	}
	return p, nil
}

// search is the search for one page: where in the queue, in which direction, and
// what was found so far.
type search struct {
	o *Org
	// lo and hi are the places between which it searches, neither of them included.
	lo, hi int64
	down   bool // from the last one backwards
	limit  int
	found  []place
	// ends are where the parts of the search gave up.
	ends []int64
}

// place is where an operation stands. State and Seq lead to it.
type place struct {
	State OpState
	Seq   int64
}

// search returns nil when nothing can match.
func (o *Org) search(ctx context.Context, f OpFilter) (*search, error) {
	s := &search{o: o, hi: math.MaxInt64, limit: limit(f.Limit), down: f.Newest != (f.Before != 0)}
	from := f.After
	if f.Before != 0 {
		from = f.Before
	}
	switch {
	case from == 0:
	case s.down:
		s.hi = from
	default:
		s.lo = from
	}
	if f.Plan != "" {
		var of struct{ First, Last int64 }
		err := o.get(ctx, &of, `SELECT COALESCE(MIN(seq), 0) AS first, COALESCE(MAX(seq), 0) AS last FROM operation WHERE org_id = ? AND plan = ?`, o.id, f.Plan)
		if err != nil || of.Last == 0 {
			return nil, err
		}
		// The operations of a plan stand side by side.
		s.lo, s.hi = max(s.lo, of.First-1), min(s.hi, of.Last+1)
	}
	return s, o.between(ctx, s, f)
}

// plansNear is how many plans at the edge of a time are looked at for where that is
// in the queue: the clocks of two nodes may differ by that much.
const plansNear = 64

// between narrows the search to what was planned in the time of f.
func (o *Org) between(ctx context.Context, s *search, f OpFilter) error {
	const of = ` FROM (SELECT hash FROM plan WHERE org_id = ? AND operations > 0 AND created_at `
	var edge int64
	if !f.From.IsZero() {
		err := o.get(ctx, &edge, `SELECT COALESCE(MIN((SELECT MIN(seq) FROM operation x WHERE x.org_id = ? AND x.plan = p.hash)), ?)`+of+
			`>= ? ORDER BY created_at LIMIT ?) p`, o.id, int64(math.MaxInt64), o.id, micros(f.From), plansNear)
		if err != nil {
			return err
		}
		s.lo = max(s.lo, edge-1)
	}
	if !f.Until.IsZero() {
		err := o.get(ctx, &edge, `SELECT COALESCE(MAX((SELECT MAX(seq) FROM operation x WHERE x.org_id = ? AND x.plan = p.hash)), 0)`+of+
			`< ? ORDER BY created_at DESC LIMIT ?) p`, o.id, o.id, micros(f.Until), plansNear)
		if err != nil {
			return err
		}
		s.hi = min(s.hi, edge+1)
	}
	return nil
}

// run adds what one part of the search finds.
func (s *search) run(ctx context.Context, b branch) error {
	from := `FROM operation` + s.o.s.by(b.index) + ` WHERE org_id = ?` + b.where.sql + ` AND seq > ? AND seq < ?`
	args := append(append([]any{s.o.id}, b.where.args...), s.lo, s.hi)
	order := ` ORDER BY seq LIMIT ?`
	if s.down {
		order = ` ORDER BY seq DESC LIMIT ?`
	}
	var found []place
	if b.rest.sql == "" {
		err := s.o.all(ctx, &found, `SELECT state, seq `+from+order, append(args, s.limit+1)...)
		s.found = append(s.found, found...)
		return err
	}
	q := `SELECT state, seq FROM (SELECT state, seq, source, connector, anchor, code, cause, op, lane, handed_at, created_at ` + from + order + `) looked
		WHERE 1 = 1` + b.rest.sql + order
	inner := append(slices.Clone(args), searchMax)
	if err := s.o.all(ctx, &found, q, append(append(inner, b.rest.args...), s.limit+1)...); err != nil {
		return err
	}
	s.found = append(s.found, found...)
	if len(found) > s.limit {
		return nil
	}
	var end []int64
	if err := s.o.all(ctx, &end, `SELECT seq `+from+order+` OFFSET ?`, append(args, 1, searchMax-1)...); err != nil {
		return err
	}
	s.ends = append(s.ends, end...)
	return nil
}

// places returns the page, in the direction of the search, and from where the
// search goes on; 0: there is nothing more.
func (s *search) places() (page []place, more int64) {
	sign := 1
	if s.down {
		sign = -1
	}
	compare := func(a, b int64) int { return sign * cmp.Compare(a, b) }
	slices.SortFunc(s.found, func(a, b place) int { return compare(a.Seq, b.Seq) })
	if len(s.ends) > 0 {
		// Behind the first part that gave up, others may have found what comes later.
		more = slices.MinFunc(s.ends, compare)
		s.found = slices.DeleteFunc(s.found, func(p place) bool { return compare(p.Seq, more) > 0 })
	}
	if len(s.found) > s.limit {
		s.found = s.found[:s.limit]
		more = s.found[s.limit-1].Seq
	}
	return s.found, more
}

// operationsAt reads the operations at these places, in their order. One that has
// moved on meanwhile is left out.
func (o *Org) operationsAt(ctx context.Context, places []place) ([]OpRow, error) {
	found := map[int64]OpRow{}
	for chunk := range slices.Chunk(places, 64) {
		args := []any{o.id}
		for _, p := range chunk {
			args = append(args, string(p.State), p.Seq)
		}
		ops, err := o.operations(ctx, o.s.reader, `WHERE org_id = ? AND (state, seq) IN (`+values(len(chunk), "TEXT", "BIGINT")+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, op := range ops {
			found[op.Seq] = op
		}
	}
	out := make([]OpRow, 0, len(found))
	for _, p := range places {
		if op, ok := found[p.Seq]; ok {
			out = append(out, op)
		}
	}
	return out, nil
}

// branch is one part of a search: an index, what it leads to in the order of the
// queue, and what the rows found there must be like besides.
type branch struct {
	index       string
	where, rest conditions
}

// branches are the parts of the search for f:
//
//	somebody's                        operation_anchor
//	failed, by anything but state     operation_failed, which holds all that is asked for
//	of one connector                  operation_state, a part for each state and lane
//	all others                        operation_list, a part for each state
func (o *Org) branches(f OpFilter) (out []branch) {
	rest, states := f.rest(), f.states()
	if f.Anchor != "" {
		b := branch{index: "operation_anchor", where: conditions{" AND anchor = ?", []any{f.Anchor}}, rest: rest}
		marks, args := list(states)
		b.rest.and("state IN ("+marks+")", args...)
		return []branch{b}
	}
	if failed := f.failed(); rest.sql != "" && len(failed) > 0 {
		b := branch{index: "operation_failed", where: conditions{" AND state IN " + failedStates, nil}}
		if len(failed) < 3 {
			marks, args := list(failed)
			// The state is in the name of the index already; said twice as it is, PostgreSQL
			// takes it for a rare one, and walks another.
			b.where.and("state || '' IN ("+marks+")", args...)
		}
		b.where.sql, b.where.args = b.where.sql+rest.sql, append(b.where.args, rest.args...)
		out = append(out, b)
		states = slices.DeleteFunc(slices.Clone(states), func(s OpState) bool { return slices.Contains(failed, s) })
	}
	if f.Connector != "" {
		return append(out, connectorBranches(f, states)...)
	}
	for _, s := range states {
		out = append(out, branch{"operation_list", conditions{" AND state = ?", []any{string(s)}}, rest})
	}
	return out
}

// connectorBranches are the parts of a search in one connector for what has not
// failed: that has no time for its next attempt, so it stands in operation_state in
// the order of the queue, lane by lane.
func connectorBranches(f OpFilter, states []OpState) []branch {
	lanes := f.Lanes
	if len(lanes) == 0 {
		lanes = plan.Lanes
	}
	connector := f.Connector
	f.Connector, f.Lanes = "", nil
	rest := f.rest()
	var out []branch
	for _, s := range states {
		for _, lane := range lanes {
			w := conditions{" AND connector = ? AND state = ? AND lane = ? AND next_attempt_at = 0", []any{connector, string(s), int(lane)}}
			out = append(out, branch{"operation_state", w, rest})
		}
	}
	return out
}

// by has a select use one index on SQLite, which plans by fixed numbers and cannot
// see when an order costs less than a filter. PostgreSQL sees that for itself.
func (s *Store) by(index string) string {
	if s.gate == nil {
		return ""
	}
	return " INDEXED BY " + index
}
