package dispatch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

// builder makes the calls of one operation.
type builder struct {
	w         Work
	shape     Shape
	typ       connector.ObjectType
	groupSize int // 0: every step stands alone

	steps   []Step
	waiting []string
	err     *connector.Error
}

// changesLeft returns the changes that the target has not confirmed.
func (b *builder) changesLeft() []plan.Change {
	var left []plan.Change
	for _, c := range b.w.Changes {
		attr := attrOf(b.typ, c.Name)
		if !same(attr, b.w.Account.Applied.Get(c.Name), c.After) {
			left = append(left, c)
		}
	}
	return left
}

// resolved is a change with its values in the target's form, which differs from
// the ledger's where they are references.
type resolved struct {
	plan.Change
	attr          connector.Attr
	before, after connector.Values
}

// resolve turns references into the target's own and holds back the changes
// whose reference is not there yet.
func (b *builder) resolve(changes []plan.Change) []resolved {
	var out []resolved
	for _, c := range changes {
		attr := attrOf(b.typ, c.Name)
		after, ok := b.w.Refs.resolve(b.w.Source, b.shape, attr, c.After)
		if !ok {
			b.waiting = append(b.waiting, c.Name)
			continue
		}
		// An old reference that is gone makes the change a replacement.
		before, _ := b.w.Refs.resolve(b.w.Source, b.shape, attr, b.w.Account.Applied.Get(c.Name))
		out = append(out, resolved{Change: c, attr: attr, before: before, after: after})
	}
	return out
}

// lacksRequired reports whether an attribute without which the account cannot
// be made is held back.
func (b *builder) lacksRequired() bool {
	return slices.ContainsFunc(b.waiting, func(name string) bool {
		attr := attrOf(b.typ, name)
		return attr.Required
	})
}

func (b *builder) create(changes []resolved) {
	var as connector.Attributes
	s := Step{enabled: b.w.Enabled}
	for _, c := range changes {
		as = set(as, c.Name, c.after)
		s.changes = append(s.changes, c.Change)
	}
	b.add(s, "create", connector.VerbCreate, func(c connector.Call) connector.Operation {
		return connector.Create{Call: c, Type: b.typ.Name, Attributes: as, Enabled: b.w.Enabled,
			Correlate: b.w.Correlate, Adopt: b.w.AdoptExisting}
	})
}

// rename takes the change of the object's name out of changes and makes it a
// step of its own, where the target renames by a call of its own.
func (b *builder) rename(changes []resolved) []resolved {
	at := slices.IndexFunc(changes, func(c resolved) bool { return c.attr.Naming && len(c.after) > 0 })
	if at < 0 || !b.shape.can(b.typ, connector.VerbRename) {
		return changes
	}
	name := changes[at]
	b.add(Step{changes: []plan.Change{name.Change}}, "rename", connector.VerbRename, func(c connector.Call) connector.Operation {
		return connector.Rename{Call: c, Target: b.ref(), NewName: connector.Text(name.after[0])}
	})
	return slices.Delete(slices.Clone(changes), at, at+1)
}

func (b *builder) update(changes []resolved) {
	if len(changes) == 0 {
		return
	}
	var s Step
	var send []connector.Change
	for _, c := range changes {
		send = append(send, c.toSend())
		s.changes = append(s.changes, c.Change)
	}
	// The name carries the content: a later update of the same operation, of a
	// reference that had to wait, is not a repetition of this one.
	b.add(s, "update-"+digest(send), connector.VerbUpdate, func(c connector.Call) connector.Operation {
		return connector.Update{Call: c, Target: b.ref(), Changes: send}
	})
}

// toSend makes a delta of a set whose old values we know, so that what others
// keep there stays (QUIRKS Q-8); everything else is replaced.
func (c resolved) toSend() connector.Change {
	if !c.attr.Multi || c.attr.Ordered || c.attr.Type == "" || len(c.before) == 0 {
		return connector.Change{Name: c.Name, Replace: c.after}
	}
	return connector.Change{Name: c.Name, Delta: true,
		Add: without(c.attr, c.after, c.before), Remove: without(c.attr, c.before, c.after)}
}

// setEnabled adds the step to the state on, when it is wanted and not so already.
func (b *builder) setEnabled(on connector.Enabled) {
	if wanted(b.w.Operation) != on || b.w.Account.Enabled == on {
		return
	}
	verb := connector.VerbEnable
	if on == connector.IsDisabled {
		verb = connector.VerbDisable
	}
	b.add(Step{enabled: on}, string(verb), verb, func(c connector.Call) connector.Operation {
		return connector.SetEnabled{Call: c, Target: b.ref(), Enabled: on == connector.IsEnabled, Reason: b.w.Reason}
	})
}

// grants adds the revokes that are left, or else the grants.
func (b *builder) grants(remove bool) {
	for _, g := range b.w.Grants {
		if g.Remove != remove || holds(b.w.Account, g.Entitlement) != remove {
			continue
		}
		entitlement := entitlementRef(b.shape, b.typ, g.Entitlement)
		if remove {
			b.add(Step{grant: g}, "revoke-"+digest(g.Entitlement), connector.VerbRevoke, func(c connector.Call) connector.Operation {
				return connector.Revoke{Call: c, Principal: b.ref(), Entitlement: entitlement}
			})
			continue
		}
		b.add(Step{grant: g}, "grant-"+digest(g.Entitlement), connector.VerbGrant, func(c connector.Call) connector.Operation {
			return connector.Grant{Call: c, Principal: b.ref(), Entitlement: entitlement}
		})
	}
}

func (b *builder) delete() {
	b.add(Step{}, "delete", connector.VerbDelete, func(c connector.Call) connector.Operation {
		return connector.Delete{Call: c, Target: b.ref()}
	})
}

// add appends s with the call that call makes, or notes that the target cannot.
func (b *builder) add(s Step, name string, verb connector.Verb, call func(connector.Call) connector.Operation) {
	if !b.shape.can(b.typ, verb) {
		if b.err == nil {
			b.err = &connector.Error{Code: connector.CodeUnsupported,
				Message: fmt.Sprintf("the target cannot %s an object of type %q", verb, b.typ.Name)}
		}
		return
	}
	id := b.w.ID + "/" + name
	c := connector.Call{
		ID: id, Key: fmt.Sprintf("%s/%d", id, b.w.Edited), Attempt: b.w.Attempts + 1,
		MaybeApplied: b.w.MaybeApplied, Timeout: b.w.Timeout,
		OrderingKey: string(b.w.AccountKey.Kind) + "/" + b.w.Source + "/" + b.w.Anchor,
	}
	if b.groupSize > 0 {
		c.Group, c.GroupSize = b.w.ID, b.groupSize
	}
	s.Name, s.Operation = name, call(c)
	b.steps = append(b.steps, s)
}

// ref names the account: by id, and while it has none by correlation.
func (b *builder) ref() connector.Ref { return accountRef(b.w, b.typ) }

func accountRef(w Work, typ connector.ObjectType) connector.Ref {
	if exists(w.Account) {
		ref := w.Account.Ref
		ref.Type = typ.Name
		ref.By = proof(w, typ)
		return ref
	}
	return connector.Ref{Type: typ.Name, Name: w.Correlate.Value, By: w.Correlate}
}

// proof is the attribute by which the target itself ties the account to its
// identity: one it can be found by, and that last took the anchor. The zero
// Correlation when there is none.
func proof(w Work, typ connector.ObjectType) connector.Correlation {
	for _, name := range typ.Correlation {
		if vs := w.Account.Applied.Get(name); len(vs) == 1 && connector.Text(vs[0]) == w.Anchor {
			return connector.Correlation{Attribute: name, Value: w.Anchor}
		}
	}
	return connector.Correlation{}
}

// entitlementRef names an entitlement of accounts of a type: by the attribute
// that its own type is found by, or by id where the type declares none. Where
// accounts hold entitlements of several types, "role:admin" names the type; a
// name without one is of the first.
func entitlementRef(shape Shape, account connector.ObjectType, name string) connector.Ref {
	var ref connector.Ref
	if len(account.Grants) > 0 {
		ref.Type = account.Grants[0]
	}
	if typ, rest, ok := strings.Cut(name, ":"); ok && slices.Contains(account.Grants, typ) {
		ref.Type, name = typ, rest
	}
	ref.Name = name
	if t, ok := shape.Type(ref.Type); ok && len(t.Correlation) > 0 {
		ref.By = connector.Correlation{Attribute: t.Correlation[0], Value: name}
	} else {
		ref.ID = name
	}
	return ref
}

// digest names content in sixteen characters.
func digest(content any) string {
	h := sha256.New()
	switch x := content.(type) {
	case string:
		fmt.Fprint(h, x)
	case []connector.Change:
		for _, c := range x {
			fmt.Fprintf(h, "%q %t", c.Name, c.Delta)
			for _, vs := range []connector.Values{c.Replace, c.Add, c.Remove} {
				fmt.Fprintf(h, " %d", len(vs))
				for _, v := range vs {
					fmt.Fprintf(h, " %q", connector.Text(v))
				}
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
