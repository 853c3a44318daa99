package plan

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// lose does to an account that should no longer be used what the policy says.
func (d *differ) lose(cause Cause, reaction Reaction) *Operation {
	left := cause == CauseLeave || cause == CauseGone
	switch {
	case d.Have.Ownership == identity.Observed:
		d.note(NoteObserved, "%s; the account is only observed and stays as it is", because[cause])
		return nil
	case reaction == ReactKeep:
		if left && d.policy.RevokeOnLeave {
			return d.revoke(cause)
		}
		return nil
	case d.protected():
		d.note(NoteProtected, "%s; the account is protected and stays as it is", because[cause])
		return nil
	case reaction == ReactDelete:
		return d.remove(cause)
	case left && d.expired():
		return d.remove(CauseExpired)
	}
	return d.disable(cause)
}

// postpone leaves an account as it is whose owner is gone, and may be in what could
// not be read now. It is looked at again, and what stands in the queue stays.
func (d *differ) postpone(cause Cause, reaction Reaction) *Operation {
	op := d.lose(cause, reaction)
	if op == nil {
		return nil
	}
	d.note(NoteDoubtful, "%s is due (%s), and waits: the source could not be read completely now, or has a bad record of theirs", op.Kind, because[cause])
	if d.Open == nil {
		return nil
	}
	return &d.Open.Operation
}

// protected reports whether the policy names the identity or its account.
func (d *differ) protected() bool {
	return slices.ContainsFunc(d.policy.Protected, func(p string) bool {
		return p != "" && (strings.EqualFold(p, d.Anchor) || strings.EqualFold(p, d.Have.Ref.Name) || strings.EqualFold(p, d.Have.Ref.ID))
	})
}

// expired reports whether the account has been disabled for as long as the
// policy keeps it. Only a complete reading says so: who is missing from a part
// of the source may be back in the rest.
func (d *differ) expired() bool {
	return d.policy.DeleteAfter > 0 && !d.Incomplete && d.Have.Enabled == connector.IsDisabled &&
		!d.Have.DisabledAt.IsZero() && !d.Now.Before(d.Have.DisabledAt.Add(d.policy.DeleteAfter))
}

// remove deletes the account. Where that is not possible, or the person is under a legal
// hold, it is disabled, so that it cannot be used.
func (d *differ) remove(cause Cause) *Operation {
	op := d.operation(Delete, cause)
	if d.Hold {
		d.note(NoteHold, "%s; the person is under a legal hold, so the account is disabled at most, and not deleted; `provhub account release` ends the hold", because[cause])
	} else if !can(&d.object, connector.VerbDelete) {
		d.note(NoteUnable, "%s; the target cannot delete accounts, so it is disabled instead", because[cause])
	} else if op = d.allowed(op); op != nil {
		return op
	}
	if cause == CauseExpired {
		cause = CauseLeave
	}
	return d.disable(cause)
}

// disable takes the account out of use, and a leaver's grants with it when the
// policy says so; nil when that is done already.
func (d *differ) disable(cause Cause) *Operation {
	if d.Have.Enabled == connector.IsDisabled {
		return d.revoke(cause)
	}
	if d.Kind == identity.Group || !can(&d.object, connector.VerbDisable) {
		d.note(NoteUnable, "%s; the target cannot disable a %s, so it stays in use: let the policy say delete or keep, or take it away by hand", because[cause], d.object.Name)
		return d.revoke(cause)
	}
	if d.protected() {
		d.note(NoteProtected, "%s; the account is protected and stays as it is", because[cause])
		return nil
	}
	op := d.operation(Disable, cause)
	op.Enabled = connector.IsDisabled
	op.Grants = d.revocations(cause)
	return d.allowed(op)
}

// revoke takes a leaver's grants away and leaves the account alone; nil when
// there are none or the policy keeps them.
func (d *differ) revoke(cause Cause) *Operation {
	op := d.operation(Update, cause)
	if op.Grants = d.revocations(cause); len(op.Grants) == 0 {
		return nil
	}
	return d.allowed(op)
}

func (d *differ) revocations(cause Cause) []GrantChange {
	if !d.policy.RevokeOnLeave || cause != CauseLeave && cause != CauseGone {
		return nil
	}
	return d.grants(d.held(), nil)
}
