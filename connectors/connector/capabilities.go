package connector

import "slices"

// Idempotency says what makes repeating a create harmless.
type Idempotency string

// The kinds of idempotency.
const (
	IdempotencyNone    Idempotency = "none"    // the hub looks before it repeats a create
	IdempotencyNatural Idempotency = "natural" // a natural key makes a repeat harmless
	IdempotencyKeyed   Idempotency = "keyed"   // the target remembers Call.Key
)

// Capabilities is what a target can do, so that the hub plans with it.
type Capabilities struct {
	Verbs       []Verb      `json:"verbs"`
	Idempotency Idempotency `json:"idempotency"`
	Get         bool        `json:"get"`
	List        bool        `json:"list"`
	Changes     bool        `json:"changes"`
	DryRun      bool        `json:"dry_run"`
	// Atomic: a group of operations takes effect whole or not at all.
	Atomic bool `json:"atomic"`
	// MaxInFlight bounds the operations under way at once, per instance.
	MaxInFlight int `json:"max_in_flight,omitempty"`
	// PreferredBatch is how many operations one call to the target likes to
	// take; 1 or less means that batches do not help.
	PreferredBatch int `json:"preferred_batch,omitempty"`
	// Exclusive: two processes must not hold the same target.
	Exclusive bool `json:"exclusive"`
	Rotate    bool `json:"rotate"`
}

// Can reports whether the target does verb.
func (c Capabilities) Can(verb Verb) bool { return slices.Contains(c.Verbs, verb) }

// CapabilitiesOf derives what t can do from the interfaces it implements. The
// numbers and the idempotency come from the definition of its type.
func CapabilitiesOf(t Target, d *Definition) Capabilities {
	c := Capabilities{Idempotency: d.Idempotency, MaxInFlight: d.MaxInFlight, PreferredBatch: d.PreferredBatch, Exclusive: d.Exclusive}
	if c.Idempotency == "" {
		c.Idempotency = IdempotencyNone
	}
	if b, ok := t.(Batcher); ok {
		c.Verbs, c.Atomic = b.Verbs(), true
	} else {
		c.Verbs = verbsOf(t)
	}
	_, c.Get = t.(Getter)
	_, c.List = t.(Lister)
	_, c.Changes = t.(Follower)
	_, c.DryRun = t.(Planner)
	_, c.Rotate = t.(Rotator)
	return c
}

func verbsOf(t Target) []Verb {
	var vs []Verb
	add := func(ok bool, v ...Verb) {
		if ok {
			vs = append(vs, v...)
		}
	}
	_, ok := t.(Creator)
	add(ok, VerbCreate)
	_, ok = t.(Updater)
	add(ok, VerbUpdate)
	_, ok = t.(Enabler)
	add(ok, VerbEnable, VerbDisable)
	_, ok = t.(Deleter)
	add(ok, VerbDelete)
	_, ok = t.(Granter)
	add(ok, VerbGrant, VerbRevoke)
	_, ok = t.(Credentialer)
	add(ok, VerbSetCredential)
	_, ok = t.(Renamer)
	add(ok, VerbRename)
	_, ok = t.(Poller)
	add(ok, VerbPoll)
	return vs
}
