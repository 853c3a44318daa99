package dispatch

import (
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Work is one operation with what is needed to carry it out.
type Work struct {
	store.OpRow
	// Account is what the target is known to hold; the zero Account when there
	// is none. [Begin] makes it from the ledger's row.
	Account identity.Account
	// Had is whether the ledger has the account enabled, which Account forgets until it
	// is confirmed.
	Had connector.Enabled
	// Refs are the target's references of the identities that the changes name.
	Refs References
	// Timeout bounds each call to the target.
	Timeout time.Duration
	// Taken is when its lease began.
	Taken time.Time

	batch *span.Span // of taking it; nil: that is not traced
}

// Shape is what the target can do and what its objects look like.
type Shape struct {
	connector.Capabilities
	connector.Schema
}

// typeOf returns the object type that identities of a kind have in the target.
func (s Shape) typeOf(kind identity.Kind) connector.ObjectType {
	t, _ := plan.ObjectType(s.Schema, kind)
	return t
}

// can reports whether the target does verb to objects of type t.
func (s Shape) can(t connector.ObjectType, verb connector.Verb) bool {
	return s.Can(verb) && (len(t.Verbs) == 0 || slices.Contains(t.Verbs, verb))
}

// Step is one call to the target, and what the ledger knows once it is confirmed.
type Step struct {
	// Name is the same on every attempt: "create", "disable", "grant-1f3a…".
	Name string
	connector.Operation

	changes []plan.Change     // create, rename, update
	enabled connector.Enabled // create, enable, disable
	grant   plan.GrantChange  // grant, revoke
}

// Steps returns the calls that are left to do for w, in order:
//
//	disable ─► revokes ─► create | rename ─► attributes ─► enable ─► grants ─► delete
//
// A leaver is locked out before anything else, and a mover loses before it
// gains. What the target is known to hold is left out, so that an operation has
// fewer steps after each confirmed one, and none when it is done.
//
// Attributes that refer to an identity without an account in the target yet are
// held back and named in waiting (QUIRKS HR-26); where such an attribute is
// required to create the account, the whole operation waits. The error says
// that there is no account to change (NOT_FOUND), or that the target cannot do
// what is asked at all (UNSUPPORTED).
func Steps(w Work, shape Shape) (steps []Step, waiting []string, err *connector.Error) {
	b := builder{w: w, shape: shape, typ: shape.typeOf(w.AccountKey.Kind)}
	b.build()
	if shape.Atomic && len(b.steps) > 1 {
		b = builder{w: w, shape: shape, typ: b.typ, groupSize: len(b.steps)}
		b.build()
	}
	if b.err != nil {
		return nil, nil, b.err
	}
	return b.steps, b.waiting, nil
}

// build puts the steps in order.
func (b *builder) build() {
	op := b.w.Operation
	switch {
	case op.Kind == plan.Create && !exists(b.w.Account):
		changes := b.resolve(b.changesLeft())
		if !b.lacksRequired() {
			b.create(changes)
			b.grants(false)
		}
	case !exists(b.w.Account) && removes(op): // gone is as wanted
	case !exists(b.w.Account):
		b.err = &connector.Error{Code: connector.CodeNotFound,
			Message: "the account is not in the target any more; the next cycle plans it anew"}
	case op.Kind == plan.Delete:
		b.setEnabled(connector.IsDisabled)
		b.grants(true)
		b.delete()
	default:
		b.setEnabled(connector.IsDisabled)
		b.grants(true)
		b.update(b.rename(b.resolve(b.changesLeft())))
		b.setEnabled(connector.IsEnabled)
		b.grants(false)
	}
}

// exists reports whether a is in the target.
func exists(a identity.Account) bool { return a.Ref.ID != "" && !a.Absent }

// removes reports whether op takes access away altogether.
func removes(op plan.Operation) bool { return op.Kind == plan.Delete || op.Kind == plan.Disable }

// wanted returns the state that op leads to.
func wanted(op plan.Operation) connector.Enabled {
	switch op.Kind {
	case plan.Enable:
		return connector.IsEnabled
	case plan.Disable:
		return connector.IsDisabled
	}
	return op.Enabled
}

// unconfirmed returns how the account is to be taken to be while nobody knows whether it
// is enabled: not as w wants it. Should another operation take w's place, it has to see
// to that, too.
func (w Work) unconfirmed() connector.Enabled {
	switch wanted(w.Operation) {
	case connector.IsEnabled:
		return connector.IsDisabled
	case connector.IsDisabled:
		return connector.IsEnabled
	}
	return w.Had
}

// holds reports whether a is known to have the entitlement.
func holds(a identity.Account, entitlement string) bool {
	return slices.ContainsFunc(a.Grants, func(g identity.Grant) bool { return g.Entitlement == entitlement })
}
