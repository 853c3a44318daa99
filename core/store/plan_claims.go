package store

import "github.com/provhub/provhub/core/plan"

// checkClaims refuses the plan when it makes or takes over an account that a plan of
// another source, applied since this one was made, claims too (QUIRKS HR-2).
func (a *application) checkClaims() error {
	others, err := a.appliedSince()
	if err != nil || len(others) == 0 {
		return err
	}
	marks, hashes := list(others)
	args := append([]any{a.org}, hashes...)
	theirs, err := a.making(`org_id = ? AND plan IN (`+marks+`) AND state NOT IN ('superseded', 'skipped')`, args...)
	if err != nil || len(theirs) == 0 {
		return err
	}
	ours, err := a.making(`org_id = ? AND plan = ? AND state = 'planned'`, a.org, a.plan.Hash)
	if err != nil {
		return err
	}
	drift := &DriftError{Hash: a.plan.Hash}
	for _, n := range plan.Claimed(ours, theirs) {
		if drift.Count++; len(drift.What) < driftShown {
			drift.What = append(drift.What, n.Connector+": "+n.Anchor+" "+n.Text)
		}
	}
	if drift.Count > 0 {
		return drift
	}
	return nil
}

// appliedSince returns the plans of other sources that were applied since this one
// was made.
func (a *application) appliedSince() (hashes []string, err error) {
	err = a.t.all(&hashes, `SELECT hash FROM plan p WHERE org_id = ? AND source <> ? AND applied_at > 0 AND applied_at >= ? AND operations > 0`,
		a.org, a.plan.Inputs.Source, micros(a.plan.CreatedAt))
	return hashes, err
}

// making reads the operations that make or take over accounts.
func (a *application) making(where string, args ...any) ([]plan.Operation, error) {
	var bodies []string
	if err := a.t.all(&bodies, `SELECT body FROM operation WHERE `+where+` AND op IN ('create', 'adopt')`, args...); err != nil {
		return nil, err
	}
	ops := make([]plan.Operation, len(bodies))
	for i, b := range bodies {
		if err := decode(b, &ops[i]); err != nil {
			return nil, err
		}
	}
	return ops, nil
}
