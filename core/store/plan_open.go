package store

import "github.com/provhub/provhub/core/plan"

// standing is an open operation of an account that the plan has one for, too.
type standing struct {
	ID, Planned                     string
	Source, Connector, Kind, Anchor string
	InFlight                        bool `db:"in_flight"`
	MaybeApplied                    bool `db:"maybe_applied"`
	// Overtaken: the target has accepted it, and the planned one takes the access away.
	Overtaken bool `db:"overtaken"`
	// Sooner: the plan did not see it, and it goes out before the planned one would.
	Sooner bool `db:"sooner"`
}

// clearTheWay ends the open operations that the plan replaces, also one that the
// target has accepted where the access is to be taken away, and leaves out
// accounts whose open operation may have reached the target, or was pushed while the
// plan was made and goes out sooner: those are looked at again by the next plan, and so are those for which nothing was planned for
// that reason.
func (a *application) clearTheWay() error {
	var open []standing
	// Locked: a worker may be about to send one of them.
	err := a.t.all(&open, `SELECT o.id, n.id AS planned, o.source, o.connector, o.kind, o.anchor, o.maybe_applied,
			CASE WHEN `+inFlight+` THEN 1 ELSE 0 END AS in_flight, CASE WHEN `+accepted+` AND n.op IN ('disable', 'delete') THEN 1 ELSE 0 END AS overtaken,
			CASE WHEN o.lane < n.lane AND EXISTS (SELECT 1 FROM plan p WHERE p.org_id = o.org_id AND p.hash = o.plan AND p.generation >= ?) THEN 1 ELSE 0 END AS sooner
		FROM operation n CROSS JOIN operation o WHERE n.org_id = ? AND n.plan = ? AND n.state = 'planned'
			AND o.org_id = n.org_id AND o.source = n.source AND o.kind = n.kind AND o.anchor = n.anchor AND o.connector = n.connector AND o.state IN `+openStates+
		a.t.s.dialect.lock("o"), a.plan.Inputs.Generation, a.org, a.plan.Hash)
	if err != nil {
		return err
	}
	var skip, replace, carry []string
	var again [][]any
	for _, s := range open {
		switch {
		case s.InFlight && !s.Overtaken, s.Sooner:
			skip = append(skip, s.Planned)
			again = append(again, []any{a.org, s.Source, s.Connector, s.Kind, s.Anchor})
		default:
			replace = append(replace, s.ID)
			if s.MaybeApplied {
				// What an earlier attempt may have done, it may have done for the new one.
				carry = append(carry, s.Planned)
			}
		}
	}
	for _, n := range a.plan.Notes {
		if n.Code == plan.NoteInFlight {
			again = append(again, []any{a.org, n.Source, n.Connector, string(n.Kind), n.Anchor})
		}
	}
	a.skipped, a.superseded = int64(len(skip)), int64(len(replace))
	if err := a.setAll(superseded, append(skip, replace...)); err != nil {
		return err
	}
	if err := a.setAll(`maybe_applied = 1`, carry); err != nil {
		return err
	}
	return a.t.markReplan(a.org, again)
}

// superseded ends an operation, and the lease of a worker that had not sent it yet.
const superseded = `state = 'superseded', next_attempt_at = 0, fence = fence + 1, lease_owner = '', lease_until = 0`

// setAll changes the operations with these ids.
func (a *application) setAll(set string, ids []string) error {
	return a.t.s.dialect.inChunks(ids, func(marks string, args []any) error {
		_, err := a.t.exec(`UPDATE operation SET `+set+`, updated_at = ? WHERE org_id = ? AND id IN (`+marks+`)`,
			append([]any{micros(a.now), a.org}, args...)...)
		return err
	})
}

// withdraw ends operations that are no longer wanted. The account is looked at again by
// the next plan where that is too late or too early: the operation has ended since the
// plan was made, it may have reached the target, or there are news of the person.
func (a *application) withdraw() error {
	return a.t.s.dialect.inChunks(a.plan.withdraw, func(marks string, args []any) error {
		var of []struct {
			ID, Source, Connector, Kind, Anchor string
			Ends                                bool
		}
		err := a.t.all(&of, `SELECT o.id, o.source, o.connector, o.kind, o.anchor, CASE WHEN o.state IN `+openStates+` AND NOT `+inDoubt+`
				AND NOT EXISTS (SELECT 1 FROM identity i WHERE i.org_id = o.org_id AND i.source = o.source AND i.kind = o.kind AND i.anchor = o.anchor AND i.changed_gen > ?)
				THEN 1 ELSE 0 END AS ends
			FROM operation o WHERE o.org_id = ? AND o.id IN (`+marks+`)`+a.t.s.dialect.forUpdate, append([]any{a.plan.Inputs.Generation, a.org}, args...)...)
		if err != nil {
			return err
		}
		var end []string
		var again [][]any
		for _, o := range of {
			if o.Ends {
				end = append(end, o.ID)
			} else {
				again = append(again, []any{a.org, o.Source, o.Connector, o.Kind, o.Anchor})
			}
		}
		a.withdrawn += int64(len(end))
		if err := a.setAll(superseded, end); err != nil {
			return err
		}
		return a.t.markReplan(a.org, again)
	})
}

// markReplan has accounts (org, source, connector, kind, anchor) looked at again by the
// next plan.
func (t *tx) markReplan(org string, accounts [][]any) error {
	if len(accounts) == 0 {
		return nil
	}
	g, err := t.bump(org)
	if err != nil {
		return err
	}
	seen := map[[4]any]bool{}
	rows := make([][]any, 0, len(accounts))
	for _, a := range accounts {
		key := [4]any{a[1], a[2], a[3], a[4]}
		if !seen[key] {
			seen[key] = true
			rows = append(rows, append(a[:5:5], g))
		}
	}
	return t.insert(`INSERT INTO replan (org_id, source, connector, kind, anchor, generation)`, rows,
		`ON CONFLICT (org_id, source, connector, kind, anchor) DO UPDATE SET generation = excluded.generation`)
}
