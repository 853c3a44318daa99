package store

import (
	"fmt"
	"math"
	"slices"
)

// driftShown bounds how many changes a DriftError lists.
const driftShown = 10

// moving is what an operation of a plan is compared with: what, and the query that
// finds those for which it is not as it was.
type moving struct {
	what, from string
	args       []any
}

// movings are what a plan was made from.
func (a *application) movings() []moving {
	of := []any{a.org, a.plan.Hash}
	// Whom a record refers to counts, too, where nobody looks at it again by themselves: a
	// plan for some people does not say up to where everything is planned.
	changed := int64(math.MaxInt64)
	if a.plan.Inputs.Partial {
		changed = a.plan.Inputs.Generation
	}
	return []moving{
		{"account", ` FROM operation o LEFT JOIN account x ON x.org_id = o.org_id AND x.source = o.source AND x.connector = o.connector AND x.kind = o.kind AND x.anchor = o.anchor
			WHERE COALESCE(x.rev, 0) <> o.account_rev AND o.org_id = ? AND o.plan = ? AND o.state = 'planned'`, of},
		{"source record", ` FROM operation o LEFT JOIN identity x ON x.org_id = o.org_id AND x.source = o.source AND x.kind = o.kind AND x.anchor = o.anchor
			WHERE (COALESCE(x.rev, 0) <> o.identity_rev OR x.changed_gen > ?) AND o.org_id = ? AND o.plan = ? AND o.state = 'planned'`, append([]any{changed}, of...)},
	}
}

// checkDrift refuses the plan when what it was made from has moved on.
func (a *application) checkDrift() error {
	drift := &DriftError{Hash: a.plan.Hash}
	for _, m := range a.movings() {
		var n int
		if err := a.t.get(&n, `SELECT COUNT(*)`+m.from, m.args...); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		drift.Count += n
		var moved []struct{ Connector, Kind, Anchor string }
		err := a.t.all(&moved, `SELECT o.connector, o.kind, o.anchor`+m.from+` ORDER BY o.seq LIMIT ?`, append(slices.Clone(m.args), driftShown)...)
		if err != nil {
			return err
		}
		for _, at := range moved {
			if len(drift.What) < driftShown {
				drift.What = append(drift.What, fmt.Sprintf("the %s of %s %s changed (%s)", m.what, at.Kind, at.Anchor, at.Connector))
			}
		}
	}
	if drift.Count > 0 {
		return drift
	}
	return nil
}

// leaveMoved leaves out the accounts that have moved on, where that is wanted. It
// comes before an older operation makes way: what another plan wants of such an
// account since, such as to disable it, stays.
func (a *application) leaveMoved() error {
	if !a.unmoved {
		return nil
	}
	for _, m := range a.movings() {
		if err := a.leaveOut(m); err != nil {
			return err
		}
	}
	return nil
}

// leaveOut ends the plan's operations for accounts that have moved, and has these
// looked at again by the next plan.
func (a *application) leaveOut(m moving) error {
	var moved []struct{ ID, Source, Connector, Kind, Anchor string }
	if err := a.t.all(&moved, `SELECT o.id, o.source, o.connector, o.kind, o.anchor`+m.from, m.args...); err != nil {
		return err
	}
	ids, again := make([]string, len(moved)), make([][]any, len(moved))
	for i, at := range moved {
		ids[i], again[i] = at.ID, []any{a.org, at.Source, at.Connector, at.Kind, at.Anchor}
	}
	a.moved += int64(len(moved))
	if err := a.setAll(superseded, ids); err != nil {
		return err
	}
	return a.t.markReplan(a.org, again)
}
