package plan

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

// changes returns what differs between the attributes that are there and those
// wanted, sorted by name. A value that the source does not give clears nothing;
// only a rule that says so does. exists: the account is there, so that what is
// for creating alone stays as it is.
func (d *differ) changes(have connector.Attributes, exists bool) []Change {
	var out []Change
	for i := range d.Want.Attributes {
		w := &d.Want.Attributes[i]
		if exists && w.Apply == mapping.OnCreate {
			continue
		}
		at := attr(&d.object, w.Name)
		c, differs := d.change(w, at, have.Get(w.Name))
		if !differs || !d.settable(w, at, exists) {
			continue
		}
		out = append(out, c)
	}
	return out
}

// change compares one attribute.
func (d *differ) change(w *mapping.Desired, at *connector.Attr, before connector.Values) (Change, bool) {
	c := Change{Name: w.Name, Before: before, Rule: w.Rule, Naming: at.Naming}
	if w.Clear {
		return c, len(before) > 0
	}
	if w.Apply == mapping.IfEmpty && len(before) > 0 {
		return c, false
	}
	after, err := canonical(at, w.Values)
	if err != nil {
		d.note(NoteInvalid, "attribute %q (rule at %s): %s; it stays as it is", w.Name, w.Rule, err)
		return c, false
	}
	if len(after) == 0 {
		return c, false
	}
	c.After = after
	was, err := canonical(at, before)
	// What is there and no longer fits the schema is replaced.
	return c, err != nil || !same(at, was, after)
}

// settable reports whether the schema lets the attribute be written, and notes
// it when not.
func (d *differ) settable(w *mapping.Desired, at *connector.Attr, exists bool) bool {
	var why string
	switch {
	case at.Secret:
		why = "is a secret and cannot come from a rule"
	case at.ReadOnly:
		why = "is set by the target alone"
	case exists && at.CreateOnly:
		why = "cannot be changed once the account is there"
	case exists && at.Naming && can(&d.object, connector.VerbRename):
	case exists && !can(&d.object, connector.VerbUpdate):
		why = "differs, and the target cannot change attributes"
	}
	if why != "" {
		d.note(NoteNotSettable, "attribute %q (rule at %s) %s", w.Name, w.Rule, why)
	}
	return why == ""
}

// regrant returns the grants to take away and to give so that the account holds
// what the rules say now, whatever it held before (QUIRKS HR-12).
func (d *differ) regrant() []GrantChange { return d.grants(d.held(), d.Want.Grants) }

// held returns the grants that the ledger knows of the account.
func (d *differ) held() []identity.Grant {
	if d.Have.Absent {
		return nil
	}
	return d.Have.Grants
}

// grants compares the grants of the ledger with those wanted. Grants that others
// gave are not in the ledger and stay.
func (d *differ) grants(have, want []identity.Grant) []GrantChange {
	var out []GrantChange
	for _, g := range have {
		if !holds(want, g.Entitlement) {
			out = append(out, GrantChange{Grant: g, Remove: true})
		}
	}
	for _, g := range want {
		if !holds(have, g.Entitlement) {
			out = append(out, GrantChange{Grant: g})
		}
	}
	if len(out) > 0 && (!can(&d.object, connector.VerbGrant) || !can(&d.object, connector.VerbRevoke)) {
		d.note(NoteUnable, "grants differ, and the target cannot give or take them")
		return nil
	}
	sortGrantChanges(out)
	return out
}

// sortGrantChanges sorts removals first, since a mover loses before gaining, then
// by entitlement.
func sortGrantChanges(gs []GrantChange) {
	slices.SortFunc(gs, func(x, y GrantChange) int {
		if x.Remove != y.Remove {
			if x.Remove {
				return -1
			}
			return 1
		}
		return strings.Compare(x.Entitlement, y.Entitlement)
	})
}

func holds(gs []identity.Grant, entitlement string) bool {
	return slices.ContainsFunc(gs, func(g identity.Grant) bool { return g.Entitlement == entitlement })
}
