// Package identity holds the values that all rooms share: people and groups as
// the source tells them, and the accounts we keep for them in targets. It does
// no I/O.
package identity

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Kind says what an identity is.
type Kind string

// The kinds.
const (
	Person Kind = "person"
	Group  Kind = "group"
)

// Key names one identity: the anchor is the immutable value that the source
// never reuses and never changes (QUIRKS HR-3).
type Key struct {
	Source string `json:"source"`
	Kind   Kind   `json:"kind"`
	Anchor string `json:"anchor"`
}

// In names k for people who look at source: by its anchor alone, or by "source/anchor"
// where it is of another one, since two sources may have the same anchor.
func (k Key) In(source string) string {
	if k.Source == source {
		return k.Anchor
	}
	return k.Source + "/" + k.Anchor
}

// Attributes are what the source says of an identity. The values are string,
// bool, int64, float64 or []string; dates are text in the form 2026-03-31. A
// name that is missing and one that is "" are different things.
type Attributes map[string]any

// Text returns the attribute called name when it is text, else "".
func (a Attributes) Text(name string) string {
	s, _ := a[name].(string)
	return s
}

// Hash is the first half of the SHA-256 of a record's content.
type Hash [16]byte

// State is where an identity stands in its lifecycle.
//
//	pre-hire ─► active ⇄ suspended (leave) ─► leaver ─► gone
type State string

// The states.
const (
	PreHire   State = "pre-hire"
	Active    State = "active"
	Suspended State = "suspended"
	Leaver    State = "leaver"
	Gone      State = "gone" // vanished from a complete reading
)

// Identity is one person or group as last read from the source.
type Identity struct {
	Key
	Attributes Attributes
	Hash       Hash
	State      State
	// DueAt is when the state changes by itself (a start date, an end date); zero: never.
	DueAt time.Time
	// FirstSeen and AbsentSince bound the presence in the source; AbsentSince is
	// zero while present.
	FirstSeen, AbsentSince time.Time
	// Position is where the source said it: "hr.csv:17", a DN, an id.
	Position string
	// SourceID is the source's own name for it where that is not the anchor, "" else.
	SourceID string
	// Name is what groups and references of the source call it by; "": nobody does.
	Name string
	// Members are the names of a group's members, sorted. They are written with a
	// reading, and read by the store's GroupsOf alone.
	Members []string
	// Reference is the anchor of the identity that this one names (a person's
	// manager); "": none. Where the source names people otherwise it is stored as
	// that Name, and a cycle resolves it.
	Reference string
	// Hold is the legal hold that a person is under; nil: none.
	Hold *Hold
	// Rev counts the changes of the row, from 1.
	Rev int64
}

// Hold keeps what somebody has in the targets from being deleted, whatever else becomes
// of them, until a person ends it.
type Hold struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Ownership says what we may do to an account.
type Ownership string

// The kinds of ownership.
const (
	Created  Ownership = "created"  // we made it
	Adopted  Ownership = "adopted"  // we took it over
	Observed Ownership = "observed" // we know it, and never touch it
)

// AccountKey names one account: an identity in one connector. The source is part of
// it, since several may feed a connector and two of them may have the same anchor.
type AccountKey struct {
	Source    string `json:"source"`
	Connector string `json:"connector"`
	Kind      Kind   `json:"kind"`
	Anchor    string `json:"anchor"`
}

// Account returns the key of the identity's account in a connector.
func (k Key) Account(connector string) AccountKey {
	return AccountKey{Source: k.Source, Connector: connector, Kind: k.Kind, Anchor: k.Anchor}
}

// Identity returns the key of whose account it is.
func (k AccountKey) Identity() Key { return Key{Source: k.Source, Kind: k.Kind, Anchor: k.Anchor} }

// Account is what we know of one identity in one target: the ledger's row. It
// says what the target last took from us, not what we want.
type Account struct {
	AccountKey
	Ref       connector.Ref        `json:"ref,omitzero"` // in the target
	Ownership Ownership            `json:"ownership,omitempty"`
	Applied   connector.Attributes `json:"applied,omitempty"` // as last taken by the target, sorted by name
	Enabled   connector.Enabled    `json:"enabled,omitempty"`
	// Absent: the account is not in the target any more (we deleted it).
	Absent bool `json:"absent,omitempty"`
	// DisabledAt is when we disabled it; zero while enabled. Timed deletes count from here.
	DisabledAt time.Time `json:"disabled_at,omitzero"`
	// Grants are the entitlements the target last took from us, sorted.
	Grants []Grant `json:"grants,omitempty"`
	// Rev counts the changes of the row, from 1; 0: no row yet. A plan remembers
	// it, and is refused when it has moved on.
	Rev           int64     `json:"rev"`
	LastSuccessAt time.Time `json:"last_success_at,omitzero"`
	LastError     string    `json:"last_error,omitempty"`
}

// Grant is one entitlement of one account.
type Grant struct {
	Entitlement string `json:"entitlement"`
	// Reason says by which rule, in plain words.
	Reason string `json:"reason,omitempty"`
}
