// Package plan compares what accounts should hold with what they hold and gives
// the operations between the two, in a total order. It is pure: no I/O, no
// clock, no randomness.
package plan

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

// Policy says what may be done in one connector, and what happens to whoever leaves.
type Policy struct {
	// Forbid lists kinds that are never planned here.
	Forbid []Kind
	// OnLeave, OnSuspend and OutOfScope say what happens to the account of a
	// leaver, of somebody on leave and of somebody the scope no longer covers
	// (QUIRKS HR-6, HR-25).
	OnLeave, OnSuspend, OutOfScope Reaction
	// DeleteAfter deletes a leaver's account that long after it was disabled; 0: never.
	DeleteAfter time.Duration
	// RevokeOnLeave also takes away all grants of a leaver.
	RevokeOnLeave bool
	// PreCreate makes accounts of pre-hires, disabled.
	PreCreate bool
	// Match lists the target attributes that tie an existing account to an
	// identity, tried in order. OnMatch says what to do with a single match.
	Match   []string
	OnMatch MatchReaction
	// Protected anchors and target names are never disabled nor deleted. They are
	// compared without regard to case.
	Protected []string
	// Recreate makes a new account at once for somebody who is back after we
	// deleted the earlier one; otherwise the create waits, parked, for a person
	// to decide (QUIRKS HR-11).
	Recreate bool
}

// Reaction is what happens to an account whose reason to exist ended; "" is
// ReactDisable.
type Reaction string

// The reactions.
const (
	ReactDisable Reaction = "disable"
	ReactDelete  Reaction = "delete"
	ReactKeep    Reaction = "keep"
)

// MatchReaction is what happens when one existing account matches; "" is MatchPark.
type MatchReaction string

// The reactions to a match.
const (
	MatchAdopt   MatchReaction = "adopt"   // take it over and bring it in line
	MatchObserve MatchReaction = "observe" // remember it, never touch it
	MatchPark    MatchReaction = "park"    // a person decides
)

// Subject is one account to be compared: what it should be and what it is.
type Subject struct {
	Connector string
	identity.Key
	IdentityRev int64
	State       identity.State
	// Want is what the account should hold. It is not needed, and may be nil, for
	// whoever has left or is gone.
	Want *mapping.Result
	// Have is the ledger's row; Rev 0 when there is none.
	Have identity.Account
	// Found are existing target accounts that match, looked up while Have.Rev is 0.
	Found []connector.Object
	// HeldBy is another identity that the one found account belongs to already, of this
	// source or another; the zero Key: it is nobody's.
	HeldBy identity.Key
	// Former is the ledger's row of HeldBy when that identity has left, or its source
	// feeds the connector no more: then it may be the same person under another anchor.
	// nil otherwise.
	Former *identity.Account
	// Unfed: Former is of a source that feeds the connector no more; nobody knows
	// whether HeldBy is still there.
	Unfed bool
	// Unfindable says why existing accounts cannot be found as the rules want, so that
	// none is made; "": they can.
	Unfindable string
	// Unasked: the target could not be asked for matches.
	Unasked bool
	// Open is the operation of this account that is not finished yet; nil: none.
	Open *OpenOperation
	// Incomplete: the last reading of the source was not complete, or had a record of
	// this identity that could not be used. Then nobody loses anything for being
	// absent, and nothing is deleted because time passed.
	Incomplete bool
	// Hold: the person is under a legal hold, and nothing of theirs is deleted.
	Hold bool
	// Pushed: this is about news that did not wait for the schedule; it goes out
	// before what did.
	Pushed bool
	// Now is the time of the cycle; timed deletes are due by it.
	Now time.Time
}

// OpenOperation is an unfinished operation that stands in the queue.
type OpenOperation struct {
	Operation
	// Sent: it may have reached the target, so it cannot be replaced.
	Sent bool
	// Pending: of what was sent, the target has accepted it and is to be asked later.
	Pending bool
	// Doubt: an attempt may have had an effect that nobody has seen, so only what
	// overwrites that can take its place.
	Doubt  bool
	Parked bool
}

// Step is what Diff decided for one account: at most one operation.
type Step struct {
	Operation *Operation
	// Withdraw is the id of an open, unsent operation that is no longer wanted.
	Withdraw string
	// Observe is an account to be remembered and never touched; nil: none.
	Observe *identity.Account
	Notes   []Note
}

// Counts counts operations by kind.
type Counts map[Kind]int

// Inputs name what a plan was made from.
type Inputs struct {
	Source   string `json:"source"`
	Snapshot string `json:"snapshot"`
	// Config is the hash of the rules and policies of all connectors.
	Config string `json:"config"`
	// Generation is the state's generation the identities were read at.
	Generation int64 `json:"generation"`
	// Partial: it was made for single people. Who else changed is still to be looked
	// at, and other plans of the source stay as they are.
	Partial bool `json:"partial,omitempty"`
	// Refused is the snapshot of a reading of which nothing was taken over, so that the
	// plan speaks of the one before it; "": the reading was taken over.
	Refused string `json:"refused,omitempty"`
}

// Plan is the stored result of a cycle. Hash names what it does: the same
// inputs give the same hash, whatever the time and the order of the file. It
// covers everything but the snapshot, which knows the order of the file, and the
// Verdicts, which depend on what went out before.
type Plan struct {
	Hash       string      `json:"hash"`
	Inputs     Inputs      `json:"inputs"`
	Operations []Operation `json:"operations"`
	Withdraw   []string    `json:"withdraw,omitempty"`
	// Names are the reservations that go with it.
	Names    []NameReservation `json:"names,omitempty"`
	Notes    []Note            `json:"notes,omitempty"`
	Verdicts []Verdict         `json:"verdicts,omitempty"`
	// Faults are identities that could not be worked out, and why; each account
	// once. They are looked at again in the next cycle.
	Faults []Note `json:"faults,omitempty"`
	// Rules are the rule hashes of each connector, remembered when applied so that
	// a changed connector looks at everyone again.
	Rules map[string]string `json:"rules,omitempty"`
}

// NameReservation keeps a value for one account.
type NameReservation struct {
	identity.AccountKey
	mapping.Reservation
}

// Limit bounds how many operations of one kind may go out. 0 means "no limit of
// that sort"; both given: either trips.
type Limit struct {
	Max     int     `json:"max,omitempty"`     // absolute
	Percent float64 `json:"percent,omitempty"` // of the population
	// MinPopulation: Percent is taken of at least this many, so that 5 % of a small
	// population is still a few people and a small population is still guarded; 0: 100.
	MinPopulation int `json:"min_population,omitempty"`
}

// Guarded names what a guard counts: a Kind, or one of the others below.
type Guarded string

// What is guarded besides the kinds themselves.
const (
	GuardRevoke Guarded = "revoke" // grants removed
	GuardRename Guarded = "rename" // a naming attribute changes
	GuardClear  Guarded = "clear"  // attributes emptied
	// GuardAttribute counts the updates that change one and the same attribute.
	GuardAttribute Guarded = "attribute"
	// GuardOutOfScope counts accounts that are disabled or deleted because the
	// scope no longer covers their owner (QUIRKS HR-6).
	GuardOutOfScope Guarded = "out_of_scope"
)

// What the guards of a source itself count; verdicts only.
const (
	GuardVanish Guarded = "vanish" // people missing from a reading
	GuardClock  Guarded = "clock"  // people who leave because the clock jumped
	// GuardQuality counts what is suspicious about a reading.
	GuardQuality Guarded = "quality"
)

// Guards are the limits of one connector. Window24h counts what went out in the
// last 24 hours too (QUIRKS HR-9).
type Guards struct {
	Run map[Guarded]Limit
	Day map[Guarded]Limit
}

// Population is what the percentages are taken of.
type Population struct {
	Accounts int             // enabled accounts of the connector
	Last24h  map[Guarded]int // operations of the last 24 hours
}

// Verdict is one guard that tripped: the whole plan is held.
type Verdict struct {
	Connector string  `json:"connector"` // "" : the source's own guard
	Guarded   Guarded `json:"guarded"`
	Count     int     `json:"count"`
	Limit     string  `json:"limit"`  // "max 20", "5 % of 310"
	Window    string  `json:"window"` // "run", "24h"
	Text      string  `json:"text"`   // one plain sentence: what, how many, and the limit
}
