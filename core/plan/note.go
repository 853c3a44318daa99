package plan

import (
	"slices"

	"github.com/provhub/provhub/core/identity"
)

// Note is something a person should know that is not an operation.
type Note struct {
	identity.AccountKey
	// Code is a stable word, one of the Note constants.
	Code string `json:"code"`
	// Text says in plain words what is the matter and what to do, with no
	// attribute values in it.
	Text string `json:"text"`
}

// The codes of notes.
const (
	NoteProtected   = "protected"    // a protected account was not disabled or deleted
	NoteHold        = "legal_hold"   // the person is under a legal hold, and the account was not deleted
	NoteForbidden   = "forbidden"    // the policy forbids this kind of operation
	NoteObserved    = "observed"     // the account is not ours to touch
	NoteUnable      = "unable"       // the target cannot do it
	NoteNotSettable = "not_settable" // read-only, create-only or secret attribute
	NoteAmbiguous   = "ambiguous"    // several accounts match
	NoteConflict    = "conflict"     // the account is another identity's (QUIRKS HR-2)
	NoteRehire      = "rehire"       // perhaps the account of the same person under an earlier anchor
	NoteNotAsked    = "not_asked"    // the target could not be asked for matches
	// NoteInFlight: an earlier operation may have reached the target. The account is
	// looked at again once the plan is applied.
	NoteInFlight      = "in_flight"
	NoteInvalid       = "invalid"        // a mapped value does not fit the schema
	NoteUnknownObject = "unknown_object" // the schema has no type for this kind of identity
	NoteDoubtful      = "doubtful"       // gone since an earlier reading, and this one is in doubt
)

// unsettled are the codes after which the identity must be looked at again
// though nothing about it changes.
var unsettled = []string{NoteAmbiguous, NoteConflict, NoteRehire, NoteNotAsked, NoteInvalid, NoteUnknownObject, NoteDoubtful}

// Unsettled reports whether the account could not be worked out now, so that it
// must be looked at again in the next cycle: such a note is a fault of the plan.
func (n Note) Unsettled() bool { return slices.Contains(unsettled, n.Code) }
