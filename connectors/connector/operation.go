package connector

import "time"

// Verb names what an operation does to the target.
type Verb string

// The verbs of the protocol.
const (
	VerbCreate        Verb = "create"
	VerbUpdate        Verb = "update"
	VerbEnable        Verb = "enable"
	VerbDisable       Verb = "disable"
	VerbDelete        Verb = "delete"
	VerbGrant         Verb = "grant"
	VerbRevoke        Verb = "revoke"
	VerbSetCredential Verb = "set_credential"
	VerbRename        Verb = "rename"
	VerbPoll          Verb = "poll"
)

// Operation is one call to the target: a [Create], [Update], [SetEnabled],
// [Delete], [Grant], [Revoke], [SetCredential], [Rename] or [Poll], by value.
type Operation interface {
	// Meta returns what all operations carry.
	Meta() Call
	// Verb returns what the operation does.
	Verb() Verb
}

// Call is what every operation carries, whatever it does.
type Call struct {
	// ID names the operation; the same on every attempt, across restarts. From the hub
	// it is one step of an operation: "2f6c…/create"; see [Call.Operation].
	ID string
	// Key is what the target sees as idempotency key. The same key again must
	// not do the work twice.
	Key string
	// Attempt counts from 1.
	Attempt int
	// MaybeApplied is set when an earlier attempt may have gone through: look
	// before you write.
	MaybeApplied bool
	// OrderingKey: operations with the same key run one after the other, in the
	// order sent. "" means no order is needed.
	OrderingKey string
	// Group ties the steps of one account's change together; GroupSize says how
	// many there are. "" means the operation stands alone. A [Batcher] gets a
	// group whole.
	Group     string
	GroupSize int
	// Timeout bounds the attempt; 0 means the connector's default.
	Timeout time.Duration
	// IfVersion, when set, makes the write conditional on [Ref.Version].
	IfVersion string
	// Trace is a W3C traceparent, "" when not traced.
	Trace string
	// DryRun asks what would be done; nothing may be changed (see [Planner]).
	DryRun bool
}

// Meta implements [Operation] for everything that embeds a Call.
func (c Call) Meta() Call { return c }

// Create makes one object.
type Create struct {
	Call
	Type       string
	Attributes Attributes
	Enabled    Enabled // EnabledUnknown: the target's default
	Credential Secret  // initial password; zero: none
	// Correlate says how to find the object again, or one that exists already.
	Correlate Correlation
	// Adopt takes over the one object that Correlate finds, in place of an
	// ALREADY_EXISTS error.
	Adopt bool
}

// Verb implements [Operation].
func (Create) Verb() Verb { return VerbCreate }

// Update changes attributes of one object, in one call to the target.
type Update struct {
	Call
	Target  Ref
	Changes []Change // each attribute once
}

// Verb implements [Operation].
func (Update) Verb() Verb { return VerbUpdate }

// Change is the new content of one attribute: either Replace is set and is the
// whole content (empty: clear it), or Add and Remove hold a delta. Removing a
// value that is not there is not an error.
type Change struct {
	Name    string
	Delta   bool
	Replace Values // with Delta false
	Add     Values // with Delta true
	Remove  Values // with Delta true
}

// SetEnabled enables or disables one account.
type SetEnabled struct {
	Call
	Target  Ref
	Enabled bool
	Reason  string // plain words, for targets that keep one
}

// Verb implements [Operation].
func (s SetEnabled) Verb() Verb {
	if s.Enabled {
		return VerbEnable
	}
	return VerbDisable
}

// Delete removes one object. What is gone already is success.
type Delete struct {
	Call
	Target Ref
}

// Verb implements [Operation].
func (Delete) Verb() Verb { return VerbDelete }

// Grant gives an entitlement to an account.
type Grant struct {
	Call
	Principal   Ref
	Entitlement Ref
	Attributes  Attributes
	ExpiresAt   time.Time // zero: never
}

// Verb implements [Operation].
func (Grant) Verb() Verb { return VerbGrant }

// Revoke takes an entitlement from an account.
type Revoke struct {
	Call
	Principal   Ref
	Entitlement Ref
}

// Verb implements [Operation].
func (Revoke) Verb() Verb { return VerbRevoke }

// SetCredential sets a password or key.
type SetCredential struct {
	Call
	Target     Ref
	Credential Secret
	MustChange bool // at next sign-in
}

// Verb implements [Operation].
func (SetCredential) Verb() Verb { return VerbSetCredential }

// Rename changes the name or the place of an object, and with it perhaps its id.
type Rename struct {
	Call
	Target       Ref
	NewName      string
	NewContainer string // "": stay
}

// Verb implements [Operation].
func (Rename) Verb() Verb { return VerbRename }

// Poll asks after an operation whose outcome was [OutcomePending].
type Poll struct {
	Call
	Continuation []byte
}

// Verb implements [Operation].
func (Poll) Verb() Verb { return VerbPoll }
