package plan

import (
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// Diff compares one account as it is with what it should be and gives at most
// one operation. What comes of it follows from where the identity stands; the
// first line that fits decides:
//
//	left, or gone from a complete reading   Policy.OnLeave, then DeleteAfter
//	on leave                                Policy.OnSuspend
//	out of scope                            Policy.OutOfScope
//	before the start date                   a disabled account, or none
//	active                                  create or adopt; else enable, update
//
// An account that is only observed is never touched; a protected one is never
// disabled or deleted. What a person should know is in the notes; a note that is
// Unsettled asks for another look in the next cycle.
func Diff(s Subject, p Policy, schema connector.Schema) Step {
	d := differ{Subject: &s, policy: &p, key: s.Account(s.Connector)}
	var ok bool
	if d.object, ok = ObjectType(schema, s.Kind); !ok {
		d.note(NoteUnknownObject, "the connector has no object type for a %s", s.Kind)
		return d.step
	}
	d.settle(d.decide())
	return d.step
}

// differ carries what the decisions about one account share.
type differ struct {
	*Subject
	policy *Policy
	key    identity.AccountKey
	object connector.ObjectType
	step   Step
}

func (d *differ) decide() *Operation {
	switch loss, reaction := d.loss(); {
	case loss != "" && !d.exists():
		return nil
	case d.State == identity.Gone && d.Incomplete:
		return d.postpone(loss, reaction)
	case loss != "":
		return d.lose(loss, reaction)
	case d.Want == nil:
		return nil
	case !d.exists() && d.State == identity.PreHire && !d.policy.PreCreate:
		return nil
	case !d.exists():
		return d.join()
	case d.Have.Ownership == identity.Observed:
		return nil
	case d.State == identity.PreHire:
		return d.await()
	}
	return d.align()
}

// loss returns why the account should no longer be used, "" when it should, and
// what the policy says about that.
func (d *differ) loss() (Cause, Reaction) {
	switch {
	case d.State == identity.Gone:
		return CauseGone, d.policy.OnLeave
	case d.State == identity.Leaver:
		return CauseLeave, d.policy.OnLeave
	case d.State == identity.Suspended && d.policy.OnSuspend != ReactKeep:
		return CauseSuspend, d.policy.OnSuspend
	case d.Want != nil && !d.Want.InScope:
		return CauseOutOfScope, d.policy.OutOfScope
	}
	return "", ""
}

// Needed reports whether Diff needs the mapping's result for an identity in
// state: for whoever has left a rule that fails must not keep the account open.
func (p *Policy) Needed(state identity.State) bool {
	switch state {
	case identity.Leaver, identity.Gone:
		return false
	case identity.Suspended:
		return p.OnSuspend == ReactKeep
	}
	return true
}

// exists reports whether the ledger knows an account in the target.
func (d *differ) exists() bool { return d.Have.Rev > 0 && !d.Have.Absent }

// await keeps the account of somebody who is before the start date from use.
func (d *differ) await() *Operation {
	switch {
	case d.Have.Enabled == connector.IsDisabled && d.policy.PreCreate:
		return d.update(CauseChange)
	case d.Have.Enabled == connector.IsDisabled:
		return nil
	}
	op := d.disable(CausePreHire)
	if op != nil && d.policy.PreCreate {
		op.Changes, op.Grants = d.changes(d.Have.Applied, true), d.regrant()
	}
	return op
}

// align brings the account of somebody active in line.
func (d *differ) align() *Operation {
	if d.Have.Enabled != connector.IsDisabled {
		return d.update(CauseChange)
	}
	if !can(&d.object, connector.VerbEnable) {
		d.note(NoteUnable, "the account is disabled and the target cannot enable accounts; enable it by hand")
		return d.update(CauseChange)
	}
	op := d.operation(Enable, CauseReturn)
	op.Enabled = connector.IsEnabled
	op.Changes, op.Grants = d.changes(d.Have.Applied, true), d.regrant()
	return d.allowed(op)
}

// update changes attributes and grants; nil when they are as wanted.
func (d *differ) update(cause Cause) *Operation {
	op := d.operation(Update, cause)
	op.Changes, op.Grants = d.changes(d.Have.Applied, true), d.regrant()
	if len(op.Changes) == 0 && len(op.Grants) == 0 {
		return nil
	}
	return d.allowed(op)
}

// operation begins an operation on the account.
func (d *differ) operation(kind Kind, cause Cause) *Operation {
	return &Operation{AccountKey: d.key, Kind: kind, Cause: cause, Target: d.Have.Ref, AccountRev: d.Have.Rev, IdentityRev: d.IdentityRev}
}

// allowed returns op with its reason and lane, or nil and a note when the policy
// forbids its kind.
func (d *differ) allowed(op *Operation) *Operation {
	op.Reason = reasonOf(op)
	if op.Kind == Disable && d.object.DisableMeans != "" {
		op.Reason += "; disabling " + d.object.DisableMeans
	}
	if slices.Contains(d.policy.Forbid, op.Kind) {
		d.note(NoteForbidden, "%s is due (%s), and the policy forbids %s here", op.Kind, op.Reason, op.Kind)
		return nil
	}
	op.Lane = laneOf(op)
	if d.Pushed {
		op.Lane = op.Lane.pushed()
	}
	return op
}

func (d *differ) note(code, format string, args ...any) {
	d.step.Notes = append(d.step.Notes, Note{AccountKey: d.key, Code: code, Text: fmt.Sprintf(format, args...)})
}
