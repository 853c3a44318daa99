// Package reconcile compares what a target holds with the ledger, which says what
// the target last took from us, and the ledger with what the rules and the source
// want today.
//
//	target ─► list, in pages ──┐
//	                           ├─► situation ─► looked at again ─► reaction ─► findings
//	ledger ─► by target id ────┘      (missing: only after a complete listing)
//	   │
//	   └────► everybody, worked out anew ─► situation ─► reaction ─► findings
//
// It changes nothing in the target. What it corrects is the ledger; the next plan
// then finds the difference and mends it, with its reasons and under its guards.
package reconcile

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// Situation is how one account stands.
type Situation string

// The situations. InSync and Busy are counted and not kept.
const (
	InSync Situation = "in_sync"
	// Busy: an operation is under way; what the target holds is about to change.
	Busy Situation = "busy"
	// Drifted: somebody changed in the target what we wrote.
	Drifted Situation = "drifted"
	// Enabled: we disabled the account, and it is enabled.
	Enabled Situation = "enabled_again"
	// Missing: the ledger has an account that the target has not.
	Missing Situation = "missing"
	// Returned: we deleted the account, and it is there.
	Returned Situation = "there_again"
	// Unlinked: the account is in no ledger, and matches one person who has none.
	Unlinked Situation = "unlinked"
	// Ambiguous: it matches several people, or somebody who has another account.
	Ambiguous Situation = "ambiguous"
	// Orphan: it belongs to nobody we know.
	Orphan Situation = "orphan"
)

// The situations of the ledger against what is wanted: what we missed.
const (
	// LeftOver: the account should be out of use, or gone, and is not.
	LeftOver Situation = "left_over"
	// Excess: it has grants that no rule gives any more.
	Excess Situation = "excess_grants"
	// Owed: somebody should have an account, or the use of it, and has not.
	Owed Situation = "owed"
	// Outdated: it does not hold what the rules say now.
	Outdated Situation = "outdated"
	// Unclear: what it should be cannot be worked out, or not be done.
	Unclear Situation = "unclear"
	// NewRules: the rules are not the ones that were last applied, or nobody was ever
	// planned for.
	NewRules Situation = "rules_changed"
)

// Situations are those that become findings, the most urgent first: first of the
// target against the ledger, then of the ledger against what is wanted.
var Situations = append(slices.Clone(OfTarget), OfLedger...)

var (
	OfTarget = []Situation{Enabled, Returned, Orphan, Ambiguous, Unlinked, Missing, Drifted}
	OfLedger = []Situation{LeftOver, Excess, Owed, Outdated, Unclear, NewRules}
)

// Reaction is what is done about a situation.
type Reaction string

// The reactions.
const (
	// Report notes the finding and does nothing.
	Report Reaction = "report"
	// Ignore does not even note it.
	Ignore Reaction = "ignore"
	// Fix writes what was seen into the ledger, where that is wrong, and has the account
	// planned anew.
	Fix Reaction = "fix"
	// Adopt has the person planned anew, whose rules say what becomes of a match.
	Adopt Reaction = "adopt"
	// Disable takes an orphan into a plan that disables it.
	Disable Reaction = "disable"
)

// Allowed are the reactions that make sense in a situation; the first is the
// default.
var Allowed = map[Situation][]Reaction{
	Drifted: {Report, Fix, Ignore}, Enabled: {Report, Fix}, Missing: {Report, Fix, Ignore}, Returned: {Report, Fix, Ignore},
	Unlinked: {Report, Adopt, Ignore}, Ambiguous: {Report, Ignore}, Orphan: {Report, Disable, Ignore},
	LeftOver: {Report, Fix}, Excess: {Report, Fix, Ignore}, Owed: {Report, Fix, Ignore}, Outdated: {Report, Fix, Ignore},
	Unclear: {Report, Ignore}, NewRules: {Report, Ignore},
}

// Finding is one account that is not as it should be.
type Finding struct {
	Connector string        `json:"connector"`
	Kind      identity.Kind `json:"kind"`
	// Ref is the object in the target; of a missing one, what it was.
	Ref       connector.Ref `json:"ref"`
	Situation Situation     `json:"situation"`
	// Source and Anchor are whose account it is, or would be; "": nobody's.
	Source string `json:"source,omitempty"`
	Anchor string `json:"anchor,omitempty"`
	// Others are further people it could belong to.
	Others      []identity.Key `json:"others,omitempty"`
	Differences []Difference   `json:"differences,omitempty"`
	// Text says in one sentence what is the matter.
	Text string `json:"text"`
	// Reaction is what was done about it.
	Reaction Reaction `json:"reaction"`

	// have is the ledger's row that it was compared with.
	have identity.Account
	seen connector.Object
}

// Who is the identity whose account it is, or would be.
func (f *Finding) Who() identity.Key {
	return identity.Key{Source: f.Source, Kind: f.Kind, Anchor: f.Anchor}
}

// About names what a finding is about, one for each connector and kind: the object in the
// target, or what somebody of a source should have.
func (f *Finding) About() string {
	if slices.Contains(OfLedger, f.Situation) {
		return "wanted:" + f.Source + "/" + f.Anchor
	}
	return f.Ref.ID
}

// Difference is one thing that the target holds otherwise than the ledger says, or the
// ledger otherwise than the rules.
type Difference struct {
	// Attribute is what differs; "" for Enabled and grants.
	Attribute string `json:"attribute,omitempty"`
	// Grant is an entitlement that only one of the two has.
	Grant  string           `json:"grant,omitempty"`
	Ledger connector.Values `json:"ledger,omitempty"`
	Target connector.Values `json:"target,omitempty"`
	// Wanted is what the rules say now, where that is compared with the ledger.
	Wanted connector.Values `json:"wanted,omitempty"`
	// Text says what differs without values: "title", "enabled", "grant admins: extra".
	Text string `json:"text"`
	// Unmanaged: an entitlement that no rule of ours gives to anybody; it is only told.
	Unmanaged bool `json:"unmanaged,omitempty"`
}
