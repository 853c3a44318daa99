package store

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

// Cause is one thing that operations fail for, or wait for.
type Cause struct {
	// Key is what [OpFilter].Cause takes.
	Key       string `json:"key"`
	Connector string `json:"connector"`
	// Code, Message and Attributes are those of the error. In Message an ellipsis
	// stands for what differs from one operation to the next.
	Code       string   `json:"code"`
	Message    string   `json:"message"`
	Attributes []string `json:"attributes,omitempty"`
	// Count operations fail for it, each of another account; Leavers of them are in the
	// lane of leavers: access that is still to be taken away. Handed are with the
	// operators of the hub.
	Count   int `json:"count"`
	Leavers int `json:"leavers"`
	Handed  int `json:"handed"`

	States map[OpState]int `json:"states"`
	// Kinds counts them by what they do.
	Kinds map[plan.Kind]int `json:"kinds"`
	// First is when the first of them began to fail for it, Last the last one.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Examples are a few of the operations, the most urgent lane first.
	Examples []OpRow `json:"examples"`
	// Standstill says why the connector sends nothing: then none of the operations has
	// failed, all of them wait. Key is "" and Count may be bounded (More).
	Standstill Standstill `json:"standstill,omitzero"`
	More       bool       `json:"more,omitempty"`
}

// Standstill is why a connector sends nothing; the zero value: it sends.
type Standstill struct {
	Kind StillKind `json:"kind"`
	Why  string    `json:"why"`
}

// StillKind is one of the ways in which a connector stands still.
type StillKind string

// The ways.
const (
	StillStopped     StillKind = "stopped"     // an error that concerns all: Why begins with its code, or says which
	StillUnusable    StillKind = "unusable"    // the plugin does not start
	StillHeld        StillKind = "held"        // the config leads to another target
	StillPaused      StillKind = "paused"      // by a person
	StillQuarantined StillKind = "quarantined" // too much failed: only single ones are tried
	StillMaintained  StillKind = "maintenance" // the target is worked on: Why says until when
	StillEverything  StillKind = "everything"  // a person has stopped everything
)

// CauseFilter selects causes; zero fields do not restrict.
type CauseFilter struct {
	Connector string
	Code      string
	Key       string
	States    []OpState // of retry, unknown, parked; nil: all three
	With      string    // as in [OpFilter]
	Limit     int       // 0: 100
}

// Causes are what operations fail for. Those with leavers come first, then those
// with most operations.
type Causes struct {
	Causes []Cause `json:"causes"`
	// More causes there are than Limit allows.
	More int `json:"more,omitempty"`
}

// causeRow is one cause in one state, lane and kind.
type causeRow struct {
	Cause       string
	State       OpState
	Lane        plan.Lane
	Op          plan.Kind
	N, Handed   int
	First, Last int64
	FromSeq     int64 `db:"from_seq"`
	ToSeq       int64 `db:"to_seq"`
}

// Causes groups the operations that failed, or wait, by what they fail for. It
// reads an index that holds nothing else.
func (o *Org) Causes(ctx context.Context, f CauseFilter) (Causes, error) {
	rows, err := o.causeRows(ctx, f)
	if err != nil {
		return Causes{}, o.s.fail("group what failed", err)
	}
	groups, out := grouped(rows), Causes{}
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(flag(b.Leavers > 0), flag(a.Leavers > 0)), cmp.Compare(b.Count, a.Count), a.First.Compare(b.First))
	})
	if n := limit(f.Limit); len(groups) > n {
		out.More, groups = len(groups)-n, groups[:n]
	}
	if err := o.addExamples(ctx, groups); err != nil {
		return Causes{}, o.s.fail("group what failed", err)
	}
	for _, g := range groups {
		if g.Connector != "" { // else all of its examples have moved on meanwhile
			out.Causes = append(out.Causes, g.Cause)
		}
	}
	return out, nil
}

func (o *Org) causeRows(ctx context.Context, f CauseFilter) (rows []causeRow, err error) {
	var c conditions
	for _, e := range []struct{ column, value string }{{"connector", f.Connector}, {"code", f.Code}, {"cause", f.Key}} {
		if e.value != "" {
			c.and(e.column+" = ?", e.value)
		}
	}
	if len(f.States) > 0 {
		marks, args := list(f.States)
		c.and("state IN ("+marks+")", args...)
	}
	switch f.With {
	case WithOps:
		c.and("handed_at > 0")
	case WithHelpdesk:
		c.and("handed_at = 0")
	}
	err = o.all(ctx, &rows, `SELECT cause, state, lane, op, COUNT(*) AS n,
			SUM(CASE WHEN handed_at > 0 THEN 1 ELSE 0 END) AS handed, MIN(failing_since) AS first, MAX(failing_since) AS last,
			MIN(seq) AS from_seq, MAX(seq) AS to_seq
		FROM operation`+o.s.by("operation_failed")+` WHERE org_id = ? AND cause > '' AND state IN `+failedStates+c.sql+`
		GROUP BY cause, state, lane, op ORDER BY cause, state, lane, op`, append([]any{o.id}, c.args...)...)
	return rows, err
}

// group is a cause, and where examples of it stand, by lane.
type group struct {
	Cause
	places map[plan.Lane][]place
}

// grouped puts the rows of each cause together; they come sorted by cause.
func grouped(rows []causeRow) (groups []group) {
	for _, r := range rows {
		if len(groups) == 0 || groups[len(groups)-1].Key != r.Cause {
			groups = append(groups, group{Cause: Cause{Key: r.Cause, States: map[OpState]int{}, Kinds: map[plan.Kind]int{},
				First: fromMicros(math.MaxInt64)}, places: map[plan.Lane][]place{}})
		}
		g := &groups[len(groups)-1]
		g.Count += r.N
		g.Handed += r.Handed
		g.States[r.State] += r.N
		g.Kinds[r.Op] += r.N
		if r.Lane.Leaver() {
			g.Leavers += r.N
		}
		if first := fromMicros(r.First); first.Before(g.First) {
			g.First = first
		}
		if last := fromMicros(r.Last); last.After(g.Last) {
			g.Last = last
		}
		g.places[r.Lane] = append(g.places[r.Lane], place{r.State, r.FromSeq})
		if r.ToSeq != r.FromSeq {
			g.places[r.Lane] = append(g.places[r.Lane], place{r.State, r.ToSeq})
		}
	}
	return groups
}

// examplesMax is how many operations a cause is shown with.
const examplesMax = 3

// addExamples reads the examples of all causes at once, and takes the words of each
// cause from the first of its own.
func (o *Org) addExamples(ctx context.Context, groups []group) error {
	var all []place
	of := map[int64]int{}
	for i, g := range groups {
		n := 0
		for _, lane := range plan.Lanes {
			for _, p := range g.places[lane] {
				if n < examplesMax {
					all, of[p.Seq], n = append(all, p), i, n+1
				}
			}
		}
	}
	ops, err := o.operationsAt(ctx, all)
	if err != nil {
		return err
	}
	for _, op := range ops {
		c := &groups[of[op.Seq]].Cause
		c.Examples = append(c.Examples, op)
		if e := op.LastError; e != nil && c.Connector == "" {
			c.Connector, c.Code, c.Message, c.Attributes = op.Connector, e.Code.String(), causeText(c, &op.Operation, e), e.Attributes
		}
	}
	return nil
}

// causeText is the message of a cause: as it came where there is only one.
func causeText(c *Cause, op *plan.Operation, e *connector.Error) string {
	if c.Count == 1 {
		return e.Message
	}
	return commonText(op, e.Message)
}

// CauseKey returns the key of the cause that begins with prefix and that anything
// fails for: [ErrNotFound], [ErrAmbiguous].
func (o *Org) CauseKey(ctx context.Context, prefix string) (string, error) {
	var keys []string
	err := o.all(ctx, &keys, `SELECT DISTINCT cause FROM operation`+o.s.by("operation_failed")+` WHERE org_id = ? AND state IN `+failedStates+`
		AND cause >= ? AND cause < ? ORDER BY cause LIMIT 2`, o.id, prefix, after(prefix))
	switch {
	case err != nil:
		return "", o.s.fail("look for the cause", err)
	case prefix == "" || len(keys) == 0:
		return "", refuse(ErrNotFound, "nothing fails for cause %q, or not any more; `provhub ops causes` lists what does", prefix)
	case len(keys) > 1 && keys[0] != prefix:
		return "", refuse(ErrAmbiguous, "%s fits several causes; give more characters", prefix)
	}
	return keys[0], nil
}
