package plan

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

// join gives somebody an account: one that matches, or a new one.
func (d *differ) join() *Operation {
	disabled := d.State == identity.PreHire
	if disabled && !d.switchable() {
		d.note(NoteUnable, "not started yet; the target cannot disable accounts, so none is made before the start date")
		return nil
	}
	switch {
	case d.Unfindable != "":
		d.note(NoteNotAsked, "no account is made: %s", d.Unfindable)
		return nil
	case len(d.Found) > 1:
		d.note(NoteAmbiguous, "several existing accounts match; make the match unique in the target, or link one by hand")
		return nil
	case d.Former != nil && len(d.Found) == 1:
		return d.rehire(&d.Found[0])
	case d.HeldBy != (identity.Key{}):
		d.note(NoteConflict, "the existing account that matches belongs to %s; two people cannot share an account", d.HeldBy.In(d.Source))
		return nil
	case len(d.Found) == 1:
		return d.match(&d.Found[0])
	case d.Unasked && len(d.policy.Match) > 0 && d.policy.OnMatch != MatchAdopt:
		d.note(NoteNotAsked, "the target could not be asked whether an account is there already")
		if d.Open != nil && d.Open.Kind != Delete {
			return &d.Open.Operation // it was decided on when the target could be asked
		}
		return nil
	}
	return d.create()
}

// switchable reports whether accounts of this kind can be disabled at all.
func (d *differ) switchable() bool {
	return d.Kind != identity.Group && can(&d.object, connector.VerbDisable)
}

func (d *differ) create() *Operation {
	op := d.operation(Create, CauseJoin)
	op.Target = connector.Ref{}
	op.Changes, op.Grants = d.changes(nil, false), d.regrant()
	if missing := d.missing(op.Changes); len(missing) > 0 {
		d.note(NoteInvalid, "no account is made: the target requires %s and no rule gives a value", strings.Join(missing, ", "))
		return nil
	}
	if d.switchable() {
		op.Enabled = connector.EnabledIf(d.State != identity.PreHire)
	}
	op.Correlate = d.correlation(op.Changes)
	op.AdoptExisting = d.Unasked && d.policy.OnMatch == MatchAdopt && !op.Correlate.IsZero()
	if d.Have.Absent {
		op.Cause = CauseReturn
		if !d.policy.Recreate {
			op.Park = "the earlier account was deleted; retry this operation to make a new one, or skip it"
		}
	}
	return d.allowed(op)
}

// missing returns the required attributes that changes do not set.
func (d *differ) missing(changes []Change) []string {
	var out []string
	for _, a := range d.object.Attributes {
		if a.Required && !a.ReadOnly && !a.Secret && !slices.ContainsFunc(changes, func(c Change) bool { return c.Name == a.Name && len(c.After) > 0 }) {
			out = append(out, a.Name)
		}
	}
	return out
}

// correlation says how the account is found while its id is not known: by the
// first matching or correlating attribute that has a value.
func (d *differ) correlation(changes []Change) connector.Correlation {
	for _, names := range [][]string{d.policy.Match, d.object.Correlation} {
		for _, name := range names {
			for _, c := range changes {
				if c.Name == name && len(c.After) == 1 {
					return connector.Correlation{Attribute: name, Value: connector.Text(c.After[0])}
				}
			}
		}
	}
	return connector.Correlation{}
}

// match deals with the one existing account that matches.
func (d *differ) match(found *connector.Object) *Operation {
	if d.policy.OnMatch == MatchObserve {
		d.step.Observe = &identity.Account{AccountKey: d.key, Ref: found.Ref, Ownership: identity.Observed, Enabled: found.Enabled}
		d.note(NoteObserved, "an existing account matches; it is observed and never touched")
		return nil
	}
	op := d.adopt(found, CauseJoin)
	if d.policy.OnMatch != MatchAdopt {
		op.Park = "an existing account matches; retry this operation to take it over, or skip it"
	}
	return d.allowed(op)
}

// adopt begins the operation that takes found over.
func (d *differ) adopt(found *connector.Object, cause Cause) *Operation {
	op := d.operation(Adopt, cause)
	op.Target = found.Ref
	op.Changes, op.Grants = d.takeover(found), d.regrant()
	if d.switchable() {
		op.Enabled = connector.EnabledIf(d.State != identity.PreHire)
	}
	op.Correlate = d.correlation(op.Changes)
	return op
}

// rehire relinks the account of somebody who left, for the same person under
// another anchor or in another source. Whether it is the same person, a person must
// say; until then it is looked at in every cycle, since the first one may be back
// (QUIRKS HR-8, HR-10).
func (d *differ) rehire(found *connector.Object) *Operation {
	op := d.adopt(found, CauseReturn)
	op.Replaces = d.HeldBy
	for _, g := range d.grants(d.Former.Grants, d.Want.Grants) {
		if g.Remove { // QUIRKS HR-12: what the rules give now, and nothing from then
			op.Grants = append(op.Grants, g)
		}
	}
	sortGrantChanges(op.Grants)
	op.Park = "the account that matches belongs to " + d.HeldBy.In(d.Source) + ", who has left; retry this operation if that is the same person, or skip it"
	if d.Unfed {
		op.Park = "the account that matches belongs to " + d.HeldBy.In(d.Source) + ", whose source feeds this connector no more; retry this operation if that is the same person, or skip it"
	}
	d.note(NoteRehire, "%s", op.Park)
	return d.allowed(op)
}

// takeover lists every attribute that an adopted account shall hold, those that
// it holds already too, so that the ledger knows them all.
func (d *differ) takeover(found *connector.Object) []Change {
	var out []Change
	for i := range d.Want.Attributes {
		w := &d.Want.Attributes[i]
		at := attr(&d.object, w.Name)
		before := found.Attributes.Get(w.Name)
		c, differs := d.change(w, at, before)
		switch {
		case differs && w.Apply != mapping.OnCreate && d.settable(w, at, true):
			out = append(out, c)
		case len(before) > 0 && !at.Secret:
			c.After = before
			out = append(out, c)
		}
	}
	return out
}
