package plan

import (
	"strings"

	"github.com/provhub/provhub/core/identity"
)

// because says in plain words what a cause is.
var because = map[Cause]string{
	CauseJoin:       "joined: in scope and has no account yet",
	CauseReturn:     "back: in scope and active again",
	CauseSuspend:    "on leave: the source says suspended",
	CausePreHire:    "not started: the start date is ahead",
	CauseOutOfScope: "out of scope: the connector's scope rule no longer holds",
	CauseLeave:      "left: status or end date in the source say so",
	CauseGone:       "gone: not in the source any more, which was read completely",
	CauseExpired:    "expired: disabled for as long as the policy keeps accounts",
	CauseOrphan:     "orphan: in the target, and nobody we know has it",
}

// reasonOf says in plain words why op is to be done and what it does, with no
// attribute values in it.
func reasonOf(op *Operation) string {
	var b strings.Builder
	b.WriteString(because[op.Cause])
	part := func(format string, names []string) {
		if len(names) == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(format)
		b.WriteString(strings.Join(names, ", "))
	}
	var lost, gained, changed, cleared []string
	for _, g := range op.Grants {
		switch {
		case !g.Remove:
			gained = append(gained, g.Entitlement)
		case g.Reason != "" && op.Cause == CauseChange:
			lost = append(lost, g.Entitlement+" ("+g.Reason+" no longer applies)")
		default:
			lost = append(lost, g.Entitlement)
		}
	}
	for _, c := range op.Changes {
		if len(c.After) == 0 {
			cleared = append(cleared, c.Name)
		} else {
			changed = append(changed, c.Name)
		}
	}
	if op.Kind == Create || op.Kind == Adopt {
		changed = nil // that it has attributes goes without saying
	}
	part(map[bool]string{true: "moved: loses ", false: "loses "}[op.Cause == CauseChange], lost)
	part("gains ", gained)
	part("changed: ", changed)
	part("cleared by rule: ", cleared)
	switch {
	case op.Replaces != (identity.Key{}):
		b.WriteString("; takes over the account of " + op.Replaces.In(op.Source))
	case op.Kind == Adopt:
		b.WriteString("; one existing account matches")
	case op.Kind == Create && op.Cause == CauseReturn:
		b.WriteString("; the earlier account was deleted")
	}
	return b.String()
}

// laneOf returns the lane of op: whoever must not use an account any more goes
// first, then whoever loses grants.
func laneOf(op *Operation) Lane {
	switch op.Cause {
	case CauseLeave, CauseGone, CauseSuspend, CauseOrphan:
		return LaneLeaver
	case CauseOutOfScope, CausePreHire:
		return LaneRevoke
	case CauseExpired:
		return LaneNormal
	}
	for _, g := range op.Grants {
		if g.Remove {
			return LaneRevoke
		}
	}
	return LaneNormal
}
