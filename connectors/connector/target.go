package connector

import "context"

// Target is one configured target system. Everything else a target can do is
// an optional interface; what it implements is what the hub plans with.
type Target interface {
	// Schema returns the object types as the target has them now.
	Schema(ctx context.Context) (Schema, error)
	// Check proves that the target can be reached and used. It changes nothing.
	// Implement [Checker] as well to report step by step.
	Check(ctx context.Context) error
}

// Creator is implemented by a target that can make objects.
type Creator interface {
	// Create makes one object and returns its reference: the id the target gave
	// it, and its version.
	//
	// Create must be repeatable: the hub sends the same c.Key again when a reply
	// was lost, and sets c.MaybeApplied when an earlier try may have gone
	// through; then look by c.Correlate before writing. ALREADY_EXISTS when
	// another object holds a unique value, AMBIGUOUS when several match
	// c.Correlate; an error that is not an [*Error] leaves the outcome unknown.
	Create(ctx context.Context, c Create) (Ref, error)
}

// Updater is implemented by a target that can change attributes.
type Updater interface {
	// Update makes all changes in one call. [Unchanged] when nothing differed,
	// NOT_FOUND when the object is gone, VERSION_CONFLICT when u.IfVersion is stale.
	Update(ctx context.Context, u Update) error
}

// Enabler is implemented by a target that can disable an account and enable it
// again, keeping its attributes and grants.
type Enabler interface {
	// SetEnabled returns [Unchanged] when the account was so already.
	SetEnabled(ctx context.Context, s SetEnabled) error
}

// Deleter is implemented by a target that can remove objects.
type Deleter interface {
	// Delete returns [Unchanged] or NOT_FOUND when the object is gone already;
	// both are success.
	Delete(ctx context.Context, d Delete) error
}

// Granter is implemented by a target with groups or roles.
type Granter interface {
	// Grant returns [Unchanged] when held already, NOT_FOUND when the account is
	// gone, DEPENDENCY_MISSING when the entitlement does not exist.
	Grant(ctx context.Context, g Grant) error
	// Revoke returns [Unchanged] when not held. It touches no other account.
	Revoke(ctx context.Context, r Revoke) error
}

// Credentialer is implemented by a target whose passwords can be set.
type Credentialer interface {
	// SetCredential returns POLICY when the target refuses the password.
	SetCredential(ctx context.Context, s SetCredential) error
}

// Renamer is implemented by a target where a rename is a call of its own.
type Renamer interface {
	// Rename returns the reference that is valid from now on.
	Rename(ctx context.Context, r Rename) (Ref, error)
}

// Poller is implemented by a target that answers later ([Pending]).
type Poller interface {
	// Poll returns nil when the work is done, [Pending] when it still runs.
	Poll(ctx context.Context, p Poll) error
}

// Getter is implemented by a target that can read one object.
type Getter interface {
	// Get reads the object that ref names by ID, else by ref.By. attributes
	// limits what is read; nil means all. NOT_FOUND when there is none,
	// AMBIGUOUS when ref.By matches several.
	Get(ctx context.Context, ref Ref, attributes []string) (Object, error)
}

// ListQuery says what to list.
type ListQuery struct {
	Type       string
	Attributes []string // nil: all
	PageSize   int      // 0: the connector's choice
	// PageToken goes on after an earlier page; nil starts from the beginning.
	PageToken []byte
}

// ListEnd says how a listing ended.
type ListEnd struct {
	// Complete: whatever was not listed is not in the target. Only then does
	// the hub draw conclusions from absence.
	Complete bool
	// SyncToken lets [Follower] go on from here without a gap; nil: not offered.
	SyncToken []byte
}

// Lister is implemented by a target that can list its objects.
type Lister interface {
	// List calls yield for each object, in a stable order, and stops at yield's
	// first error, which it returns.
	List(ctx context.Context, q ListQuery, yield func(Object) error) (ListEnd, error)
}

// ChangesQuery says from where to follow.
type ChangesQuery struct {
	Type      string
	SyncToken []byte // nil: from now
	Follow    bool   // keep waiting for more
}

// TargetChange is one object that somebody changed or deleted in the target.
type TargetChange struct {
	Ref       Ref
	Object    *Object // nil: deleted
	SyncToken []byte  // safe to store once this change is handled
}

// Follower is implemented by a target that can tell what changed since a token.
type Follower interface {
	// Changes calls yield for each change and returns the last token. expired
	// tells that the token is too old and a full list is needed.
	Changes(ctx context.Context, q ChangesQuery, yield func(TargetChange) error) (token []byte, expired bool, err error)
}

// Batcher takes the place of the single-operation interfaces where the target
// works better in batches: a SQL transaction for one account, a file for many.
//
// A target that implements Batcher also declares its [Verbs].
type Batcher interface {
	// ApplyBatch carries out ops and answers each of them, by id, in any order.
	// Operations with the same [Call.Group] are the steps of one account and
	// arrive together, in order; they take effect together or not at all, except
	// that a step answered DEPENDENCY_MISSING holds back only itself.
	ApplyBatch(ctx context.Context, ops []Operation) []Result
	// Verbs lists what ApplyBatch can do.
	Verbs() []Verb
}

// Rotator is implemented by a target that can take new secrets while it runs.
type Rotator interface {
	RotateSecrets(ctx context.Context, secrets map[string]Secret) error
}

// Planner is implemented by a target that can say what it would do.
type Planner interface {
	// Preview returns the SQL, LDIF or HTTP that op would send, redacted.
	Preview(ctx context.Context, op Operation) (string, error)
}

// Closer is implemented by a target that holds connections.
type Closer interface {
	Close(ctx context.Context) error
}
