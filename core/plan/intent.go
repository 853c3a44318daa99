package plan

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// settle decides between the operation that is wanted now, nil for none, and
// the one that stands in the queue:
//
//	open      wanted             result
//	none      any                the wanted one
//	sent      same end           nothing: it is under way
//	pending   the access goes    the wanted one, which goes out after it: that does not wait
//	sent      another end        a note; looked at again when its outcome is known
//	not sent  none               the open one is withdrawn
//	in doubt  leaves it as is    as sent: what an attempt may have done would stay
//	not sent  same end           nothing, also when the open one is parked
//	not sent  same end, sooner   the wanted one, which goes out before the other would
//	not sent  another end        the wanted one, which replaces it
func (d *differ) settle(op *Operation) {
	if d.Open == nil {
		d.step.Operation = op
		return
	}
	same := d.sameEnd(&d.Open.Operation, op)
	switch {
	case d.Open.Sent && same:
	case d.Open.Sent && d.overtake():
	case d.Open.Sent, d.Open.Doubt && !same && !overwrites(op, &d.Open.Operation):
		d.note(NoteInFlight, "an earlier %s may have reached the target; this account is looked at again once its outcome is known", d.Open.Kind)
	case op == nil:
		d.step.Withdraw = d.Open.ID
	case !same, op.Lane < d.Open.Lane && !d.Open.Parked:
		d.step.Operation = op
	}
}

// overtake plans what takes the access away from an account for which the target has
// accepted an operation and not finished it: locking somebody out does not wait for a
// target that answers tomorrow. It is worked out from what the account is afterwards.
func (d *differ) overtake() bool {
	if !d.Open.Pending {
		return false
	}
	s := *d.Subject
	s.Have, s.Open = After(d.Have, &d.Open.Operation), nil
	after := differ{Subject: &s, policy: d.policy, key: d.key, object: d.object}
	op := after.decide()
	if op == nil || op.Kind != Disable && op.Kind != Delete {
		return false
	}
	d.step.Operation = op
	return true
}

// overwrites reports whether op sets all that open sets, so that it does not matter
// whether open has had an effect. Who is to be locked out does not wait for that.
func overwrites(op, open *Operation) bool {
	switch {
	case op == nil, op.Enabled == connector.EnabledUnknown && open.Enabled != connector.EnabledUnknown && op.Kind != Delete:
		return false
	case op.Kind == Disable, op.Kind == Delete:
		return true
	}
	for _, c := range open.Changes {
		if !slices.ContainsFunc(op.Changes, func(x Change) bool { return x.Name == c.Name }) {
			return false
		}
	}
	for _, g := range open.Grants {
		if !slices.ContainsFunc(op.Grants, func(x GrantChange) bool { return x.Entitlement == g.Entitlement }) {
			return false
		}
	}
	return true
}

// sameEnd reports whether two operations leave the account in the same state;
// nil leaves it as it is.
func (d *differ) sameEnd(x, y *Operation) bool {
	a, b := After(d.Have, x), After(d.Have, y)
	if a.Absent != b.Absent || a.Enabled != b.Enabled || a.Ref.ID != b.Ref.ID || len(a.Grants) != len(b.Grants) || a.Ownership != b.Ownership {
		return false
	}
	for _, g := range a.Grants {
		if !holds(b.Grants, g.Entitlement) {
			return false
		}
	}
	for _, pair := range [][2]connector.Attributes{{a.Applied, b.Applied}, {b.Applied, a.Applied}} {
		for _, v := range pair[0] {
			at := attr(&d.object, v.Name)
			p, errP := canonical(at, v.Values)
			q, errQ := canonical(at, pair[1].Get(v.Name))
			if errP != nil || errQ != nil || !same(at, p, q) {
				return false
			}
		}
	}
	return true
}

// After returns the ledger's row as it is once op is done; op nil leaves it as
// it is. Absent is true when there is no account. Rev, times and errors stay.
func After(have identity.Account, op *Operation) identity.Account {
	a := have
	if have.Rev == 0 {
		a.Absent = true
	}
	if op == nil {
		return a
	}
	a.AccountKey = op.AccountKey
	switch op.Kind {
	case Delete:
		a.Absent, a.Enabled, a.Grants = true, connector.IsDisabled, nil
		return a
	case Create:
		a = identity.Account{AccountKey: op.AccountKey, Ownership: identity.Created, Rev: have.Rev}
	case Adopt:
		a = identity.Account{AccountKey: op.AccountKey, Ref: op.Target, Ownership: identity.Adopted, Rev: have.Rev}
	}
	a.Absent = false
	if op.Enabled != connector.EnabledUnknown {
		a.Enabled = op.Enabled
	}
	a.Applied = applied(a.Applied, op.Changes)
	a.Grants = granted(a.Grants, op.Grants)
	return a
}

// applied returns attributes with changes made, sorted by name; have stays as it is.
func applied(have connector.Attributes, changes []Change) connector.Attributes {
	out := make(connector.Attributes, 0, len(have)+len(changes))
	i := 0
	for _, c := range changes {
		for i < len(have) && have[i].Name < c.Name {
			out = append(out, have[i])
			i++
		}
		if i < len(have) && have[i].Name == c.Name {
			i++
		}
		if len(c.After) > 0 {
			out = append(out, connector.Attribute{Name: c.Name, Values: c.After})
		}
	}
	return append(out, have[i:]...)
}

// granted returns grants with changes made, sorted by entitlement.
func granted(have []identity.Grant, changes []GrantChange) []identity.Grant {
	var out []identity.Grant
	for _, g := range have {
		gone := false
		for _, c := range changes {
			gone = gone || c.Remove && c.Entitlement == g.Entitlement
		}
		if !gone {
			out = append(out, g)
		}
	}
	for _, c := range changes {
		if !c.Remove && !holds(out, c.Entitlement) {
			out = append(out, c.Grant)
		}
	}
	sortGrants(out)
	return out
}
