package store

import "github.com/provhub/provhub/connectors/connector/span"

// makeReady lets the operations out, except those of which a person decides.
func (a *application) makeReady() (err error) {
	if a.parked, err = a.t.exec(`UPDATE operation SET state = 'parked', updated_at = ?, failing_since = ? WHERE org_id = ? AND plan = ? AND state = 'planned'
		AND code <> ''`, micros(a.now), micros(a.now), a.org, a.plan.Hash); err != nil {
		return err
	}
	a.ready, err = a.t.exec(`UPDATE operation SET state = 'ready', updated_at = ?, trace = ? WHERE org_id = ? AND plan = ? AND state = 'planned'`,
		micros(a.now), span.Traceparent(a.t.ctx), a.org, a.plan.Hash)
	return err
}

// rememberRules remembers what everyone of the source was evaluated with. A connector
// that this plan is not for, because the source feeds it no more, does not see what
// the plan is about: should it come back, it must look at everyone.
func (a *application) rememberRules() error {
	if a.plan.Inputs.Partial {
		return nil
	}
	source := a.plan.Inputs.Source
	fed := sortedNames(a.plan.Rules)
	left, args := `UPDATE connector_rules SET rules_hash = '' WHERE org_id = ? AND source = ? AND rules_hash <> ''`, []any{a.org, source}
	if len(fed) > 0 {
		marks, names := list(fed)
		left, args = left+` AND connector NOT IN (`+marks+`)`, append(args, names...)
	}
	if _, err := a.t.exec(left, args...); err != nil {
		return err
	}
	rows := make([][]any, 0, len(fed))
	for _, connector := range fed {
		rows = append(rows, []any{a.org, connector, source, a.plan.Rules[connector]})
	}
	return a.t.insert(`INSERT INTO connector_rules (org_id, connector, source, rules_hash)`, rows,
		`ON CONFLICT (org_id, connector, source) DO UPDATE SET rules_hash = excluded.rules_hash WHERE connector_rules.rules_hash <> excluded.rules_hash`)
}

// moveGeneration remembers up to where everything is planned. The state's own
// generation moves with every plan that does something, so that a later plan from
// the same inputs is another plan.
func (a *application) moveGeneration() error {
	if a.plan.Inputs.Partial {
		return a.moveState()
	}
	_, err := a.t.exec(`INSERT INTO source_state (org_id, source, snapshot, dated, read_at, people, groups_count, applied_generation, applied_plan, report)
		VALUES (?, ?, '', 0, 0, 0, 0, ?, ?, '') ON CONFLICT (org_id, source) DO UPDATE SET applied_plan = excluded.applied_plan,
			applied_generation = CASE WHEN source_state.applied_generation < excluded.applied_generation
				THEN excluded.applied_generation ELSE source_state.applied_generation END`,
		a.org, a.plan.Inputs.Source, a.plan.Inputs.Generation, a.plan.Hash)
	if err != nil {
		return err
	}
	if _, err := a.t.exec(`DELETE FROM replan WHERE org_id = ? AND source = ? AND generation <= (
		SELECT applied_generation FROM source_state WHERE org_id = ? AND source = ?)`,
		a.org, a.plan.Inputs.Source, a.org, a.plan.Inputs.Source); err != nil {
		return err
	}
	return a.moveState()
}

func (a *application) moveState() (err error) {
	if a.ready+a.parked+a.withdrawn+a.skipped+a.moved > 0 {
		_, err = a.t.bump(a.org)
	}
	return err
}

// rememberFaults has those looked at again whom the plan could not work out, and
// nobody else any more: only now is what it did for the others in the queue.
func (a *application) rememberFaults() error {
	if a.plan.Inputs.Partial {
		return nil // those it was made for are looked at again with all others
	}
	return a.t.setFaults(a.org, a.plan.Inputs.Source, a.plan.Faults)
}

func (a *application) markApplied() error {
	_, err := a.t.exec(`UPDATE plan SET status = 'applied', applied_at = ? WHERE org_id = ? AND hash = ?`,
		micros(a.now), a.org, a.plan.Hash)
	return err
}
