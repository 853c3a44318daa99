package dispatch

import (
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Sighting is what a lookup of an operation's account came to.
type Sighting struct {
	// Object is what was found, when Err is nil and Blind is false.
	Object connector.Object
	// Err is why nothing was found: NOT_FOUND when the target says so.
	Err *connector.Error
	// Blind: the target cannot be asked.
	Blind bool
	// Lagged: nothing was found before either, longer ago than the target takes
	// to show what was written.
	Lagged bool
}

// Settle decides about an operation that may have gone through (QUIRKS Q-3):
//
//	seen                              operation            next
//	───────────────────────────────── ──────────────────── ─────────────────────────────
//	found, made by us or to be taken  create               Done: go on with what is left
//	found, somebody else's            create               Park
//	found, somebody else's            any other            Replan
//	found                             any other            Done: go on with what is left
//	not there                         create               Settle: look again, then Retry
//	not there                         disable, delete      Gone
//	not there                         any other            Replan
//	several match                     any                  Park
//	lookup failed                     any                  as [Classify] says, or Settle
//	cannot be asked, idempotency none create               Park: a person looks
//	cannot be asked                   any other            Retry: send it again
//
// The account is w's with what was seen; "what is left" is [Steps] of it. Done
// and Retry go out with MaybeApplied.
func Settle(w Work, shape Shape, seen Sighting, now time.Time) (Verdict, identity.Account) {
	making := w.Operation.Kind == plan.Create && !exists(w.Account)
	switch {
	case seen.Blind && making && shape.Idempotency == connector.IdempotencyNone:
		return Verdict{Next: NextPark, Err: connector.Errorf(connector.CodeTimeout,
			"nobody can tell whether the account was made: the target cannot be searched and does not recognise a repeated create; look there, then retry or skip")}, w.Account
	case seen.Blind:
		return Verdict{Next: NextRetry}, w.Account
	case seen.Err != nil && seen.Err.Code == connector.CodeNotFound:
		return settleMissing(w, making, seen), w.Account
	case seen.Err != nil:
		return settleFailed(seen.Err), w.Account
	case making && !ours(w, shape, seen.Object):
		return Verdict{Next: NextPark, Err: taken(&seen.Object.Ref)}, w.Account
	case !making && seen.Object.Ref.ID != w.Account.Ref.ID && !ours(w, shape, seen.Object):
		return Verdict{Next: NextReplan, Err: connector.Errorf(connector.CodeNotFound,
			"the account is gone, and another one has its name")}, w.Account
	}
	a := w.Account
	if making {
		begun(&a)
	}
	if making && w.AdoptExisting {
		a.Ownership = identity.Adopted
	}
	observe(&a, w, shape, seen.Object, now)
	return Verdict{Next: NextDone}, a
}

func settleMissing(w Work, making bool, seen Sighting) Verdict {
	switch {
	case removes(w.Operation):
		return Verdict{Next: NextGone}
	case !making:
		return Verdict{Next: NextReplan, Err: seen.Err}
	case seen.Lagged:
		return Verdict{Next: NextRetry}
	}
	return Verdict{Next: NextSettle, Free: true, Err: seen.Err}
}

// taken is the conflict of a create with another account.
func taken(by *connector.Ref) *connector.Error {
	return &connector.Error{Code: connector.CodeAlreadyExists, Conflicting: by,
		Message: "another account holds a value that must be unique; change one of them, or let the connector take over existing accounts (match: {then: adopt}), then retry"}
}

func settleFailed(err *connector.Error) Verdict {
	v := failed(connector.VerbPoll, err)
	if v.Next == NextRetry {
		v.Next, v.Free = NextSettle, true
	}
	return v
}

// ours reports whether obj is the account that w is about. The anchor decides
// where the account carries it; else it must be just as w asked for, because a
// natural key alone may be a namesake's.
func ours(w Work, shape Shape, obj connector.Object) bool {
	if w.AdoptExisting {
		return true
	}
	typ := shape.typeOf(w.AccountKey.Kind)
	for _, want := range w.wanted() {
		attr := attrOf(typ, want.Name)
		has := obj.Attributes.Get(want.Name)
		if carriesAnchor(w, want) && len(has) > 0 {
			return same(attr, has, want.Values)
		}
	}
	for _, c := range w.Changes {
		attr := attrOf(typ, c.Name)
		after, ok := w.Refs.resolve(w.Source, shape, attr, c.After)
		if ok && !attr.WriteOnly && !attr.Secret && !same(attr, obj.Attributes.Get(c.Name), after) {
			return false
		}
	}
	return true
}

// wanted is what the account holds once w is done, references as anchors.
func (w Work) wanted() connector.Attributes {
	as := w.Account.Applied
	for _, c := range w.Changes {
		as = set(as, c.Name, c.After)
	}
	return as
}

func carriesAnchor(w Work, a connector.Attribute) bool {
	return len(a.Values) == 1 && connector.Text(a.Values[0]) == w.Anchor
}

// correlation says how w's account is found without its id: as the plan says,
// else by an attribute of its type that carries the anchor. A name alone, which
// may be what is being changed, does not do.
func correlation(w Work, typ connector.ObjectType) connector.Correlation {
	if !w.Correlate.IsZero() {
		return w.Correlate
	}
	for _, a := range w.wanted() {
		if carriesAnchor(w, a) && slices.Contains(typ.Correlation, a.Name) {
			return connector.Correlation{Attribute: a.Name, Value: w.Anchor}
		}
	}
	return connector.Correlation{}
}

// observe records in a what the target was seen to hold of what w is about.
func observe(a *identity.Account, w Work, shape Shape, obj connector.Object, now time.Time) {
	typ := shape.typeOf(w.AccountKey.Kind)
	a.Ref = mergeRef(a.Ref, obj.Ref)
	for _, c := range w.Changes {
		attr := attrOf(typ, c.Name)
		at := slices.IndexFunc(obj.Attributes, func(x connector.Attribute) bool { return x.Name == c.Name })
		if attr.WriteOnly || attr.Secret || at >= 0 && obj.Attributes[at].Incomplete {
			continue // not told
		}
		has := obj.Attributes.Get(c.Name)
		if after, ok := w.Refs.resolve(w.Source, shape, attr, c.After); ok && same(attr, has, after) {
			has = c.After // in the ledger's own form
		}
		a.Applied = set(a.Applied, c.Name, has)
	}
	if obj.Enabled != connector.EnabledUnknown {
		setEnabled(a, obj.Enabled, now)
	}
	for _, g := range w.Grants {
		// A revoke is sent again rather than taken as done because of a name that
		// the target spells in another way.
		want := entitlementRef(shape, typ, g.Entitlement)
		if !g.Remove && slices.ContainsFunc(obj.Grants, func(r connector.Ref) bool {
			return (r.Type == "" || r.Type == want.Type) && (r.ID == want.Name || r.Name == want.Name)
		}) {
			a.Grants = setGrant(a.Grants, g.Grant, true)
		}
	}
}
