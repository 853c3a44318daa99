package dispatch

import (
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Begin returns what the target is known to hold at the start of an attempt:
// the ledger's row, and until the first confirmed step what the operation was
// worked out from where that is newer (a drift found by reading the target back,
// an account to be taken over).
func Begin(row store.OpRow, ledger identity.Account) identity.Account {
	a := ledger
	a.AccountKey = row.AccountKey
	a.Applied, a.Grants = slices.Clone(a.Applied), slices.Clone(a.Grants)
	if row.StepsDone > 0 {
		return a
	}
	if takes := row.Operation.Kind == plan.Adopt || row.Operation.Cause == plan.CauseOrphan; takes && !exists(a) {
		a.Ref, a.Ownership, a.Absent = row.Target, identity.Adopted, false
	}
	for _, c := range row.Changes {
		a.Applied = set(a.Applied, c.Name, c.Before)
	}
	for _, g := range row.Grants {
		a.Grants = setGrant(a.Grants, g.Grant, g.Remove)
	}
	if row.Operation.Kind != plan.Update {
		a.Enabled = connector.EnabledUnknown
	}
	return a
}

// confirm records in w's account that the target answered s with success.
func (w *Work) confirm(s Step, r connector.Result, shape Shape, now time.Time) {
	a := &w.Account
	if s.Verb() == connector.VerbCreate {
		begun(a)
		setEnabled(a, s.enabled, now)
	}
	switch {
	case r.Outcome == connector.OutcomeAdopted && r.Object != nil:
		observe(a, *w, shape, *r.Object, now)
		if w.AdoptExisting || !w.MaybeApplied {
			a.Ownership = identity.Adopted // else it is what our own lost attempt made
		}
		return
	case r.Object != nil:
		a.Ref = mergeRef(a.Ref, r.Object.Ref)
	}
	s.confirmChanges(a, nil)
	switch s.Verb() {
	case connector.VerbCreate:
		if r.Object != nil && r.Object.Enabled != connector.EnabledUnknown {
			setEnabled(a, r.Object.Enabled, now)
		}
	case connector.VerbEnable, connector.VerbDisable:
		setEnabled(a, s.enabled, now)
	case connector.VerbGrant, connector.VerbRevoke:
		a.Grants = setGrant(a.Grants, s.grant.Grant, !s.grant.Remove)
	case connector.VerbDelete:
		vanish(a)
	}
}

// begun makes a the row of an account that we have just made. Nothing stays of
// one that was there before.
func begun(a *identity.Account) {
	a.Ref, a.Applied, a.Grants = connector.Ref{}, nil, nil
	a.Absent, a.Ownership = false, identity.Created
}

// confirmChanges records the changes of s that only names, or all for nil.
func (s Step) confirmChanges(a *identity.Account, only []string) {
	for _, c := range s.changes {
		if only == nil || slices.Contains(only, c.Name) {
			a.Applied = set(a.Applied, c.Name, c.After)
		}
	}
}

// vanish records that the account is not in the target any more. Its reference
// stays, as evidence of which one it was.
func vanish(a *identity.Account) {
	a.Absent, a.Applied, a.Grants, a.Enabled = true, nil, nil, connector.EnabledUnknown
}

func setEnabled(a *identity.Account, e connector.Enabled, now time.Time) {
	a.Enabled = e
	switch {
	case e != connector.IsDisabled:
		a.DisabledAt = time.Time{}
	case a.DisabledAt.IsZero():
		a.DisabledAt = now
	}
}

// setGrant returns gs with or without g, sorted by entitlement.
func setGrant(gs []identity.Grant, g identity.Grant, held bool) []identity.Grant {
	gs = slices.DeleteFunc(slices.Clone(gs), func(x identity.Grant) bool { return x.Entitlement == g.Entitlement })
	if !held {
		return gs
	}
	at, _ := slices.BinarySearchFunc(gs, g.Entitlement, func(x identity.Grant, e string) int { return strings.Compare(x.Entitlement, e) })
	return slices.Insert(gs, at, g)
}

// mergeRef keeps what an answer did not repeat.
func mergeRef(old, is connector.Ref) connector.Ref {
	if is.Type == "" {
		is.Type = old.Type
	}
	if is.ID == "" {
		is.ID = old.ID
	}
	if is.Name == "" {
		is.Name = old.Name
	}
	is.By = connector.Correlation{}
	return is
}
