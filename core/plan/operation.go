package plan

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// Kind is the one word for what an operation does to an account.
type Kind string

// The kinds of operations.
const (
	Create  Kind = "create"
	Adopt   Kind = "adopt"  // take over an account that is in the target already
	Update  Kind = "update" // attributes, grants
	Enable  Kind = "enable" // and attributes and grants with it
	Disable Kind = "disable"
	Delete  Kind = "delete"
)

// Kinds lists all kinds, in the order people read them.
var Kinds = []Kind{Create, Adopt, Update, Enable, Disable, Delete}

// Cause says what made an operation necessary.
type Cause string

// The causes.
const (
	CauseJoin       Cause = "join"         // somebody new in scope
	CauseChange     Cause = "change"       // attributes or grants changed
	CauseReturn     Cause = "return"       // back: from leave, rehired, in scope again
	CauseSuspend    Cause = "suspend"      // on leave
	CausePreHire    Cause = "pre-hire"     // the start moved into the future
	CauseOutOfScope Cause = "out_of_scope" // still here, but gets no account in this connector
	CauseLeave      Cause = "leave"        // status or end date say so
	CauseGone       Cause = "gone"         // no longer in the source
	CauseExpired    Cause = "expired"      // the time between disable and delete is over
	CauseOrphan     Cause = "orphan"       // found in the target, and nobody's
)

// Lane orders operations of different urgency; a lower lane goes first.
type Lane int

// The lanes.
const (
	LaneUrgent Lane = iota // leavers who were pushed, and whom a person locked out
	LaneLeaver             // all other leavers
	LanePushed             // whoever else was pushed: somebody waits for it
	LaneRevoke             // grants removed
	LaneNormal
)

// Lanes lists all lanes, the most urgent first.
var Lanes = []Lane{LaneUrgent, LaneLeaver, LanePushed, LaneRevoke, LaneNormal}

// Leaver reports whether l is of those who must not use an account any more.
func (l Lane) Leaver() bool { return l <= LaneLeaver }

// pushed is the lane of what would be in l, and did not wait for the schedule.
func (l Lane) pushed() Lane {
	if l.Leaver() {
		return LaneUrgent
	}
	return LanePushed
}

// Operation is one intended change of one account, as data: it is shown,
// stored, sent and retried. It is carried out as ordered steps: create or
// rename, attributes, enable, then grants; grants are lost before any are
// gained, and a leaver is disabled first.
type Operation struct {
	// ID is a UUID made from the plan's hash and the account, so that the same
	// plan has the same operations. It stays the same on every attempt.
	ID string `json:"id,omitempty"`
	identity.AccountKey
	Kind  Kind  `json:"op"`
	Cause Cause `json:"cause,omitempty"`
	Lane  Lane  `json:"lane"`
	// Target is the account in the target; the zero Ref for a create.
	Target connector.Ref `json:"target,omitzero"`
	// AccountRev and IdentityRev are the ledger's and the identity's revisions
	// the operation was worked out from; 0: there was none.
	AccountRev  int64 `json:"account_rev"`
	IdentityRev int64 `json:"identity_rev"`
	// Changes are sorted by attribute name.
	Changes []Change `json:"changes,omitempty"`
	// Enabled is the state wanted; EnabledUnknown: leave it.
	Enabled connector.Enabled `json:"enabled,omitempty"`
	// Grants are the entitlements to remove and to add, removals first, then by name.
	Grants []GrantChange `json:"grants,omitempty"`
	// Correlate finds the account in the target while its id is not known.
	Correlate connector.Correlation `json:"correlate,omitzero"`
	// AdoptExisting lets a create take over the one account that Correlate finds.
	AdoptExisting bool `json:"adopt_existing,omitempty"`
	// Replaces is the identity that an adopted account belonged to until now: the same
	// person under an earlier number, or in another source. The zero Key: nobody.
	Replaces identity.Key `json:"replaces,omitzero"`
	// Reason says in plain words why, with no attribute values in it.
	Reason string `json:"reason"`
	// Park, when set, says what a person has to decide: the operation enters the
	// queue parked, and goes out when somebody releases it.
	Park string `json:"park,omitempty"`
}

// Change is one attribute before and after. After empty means "clear it".
// An adoption lists every attribute that is mapped: where Before equals After
// there is nothing to send, but the ledger takes note of it.
type Change struct {
	Name   string           `json:"name"`
	Before connector.Values `json:"before,omitempty"`
	After  connector.Values `json:"after,omitempty"`
	// Naming: the attribute is part of the object's name.
	Naming bool `json:"naming,omitempty"`
	// Rule is the place of the rule that made it: "provhub.yaml:31".
	Rule string `json:"rule,omitempty"`
}

// GrantChange is one entitlement to add or to remove.
type GrantChange struct {
	identity.Grant
	Remove bool `json:"remove,omitempty"`
}
