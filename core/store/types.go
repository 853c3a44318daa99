package store

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Errors by name. Those that carry more are types of their own below.
var (
	// ErrNotFound: no such row in this org.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous: a shortened hash or id matches several.
	ErrAmbiguous = errors.New("matches several; give more characters")
	// ErrFenced: the lease was lost to another worker; nothing was written.
	ErrFenced = errors.New("lease lost to another worker")
	// ErrBusy: another process works on this state.
	ErrBusy = errors.New("another provhub works on this state")
	// ErrPlanState: the plan's status does not allow this.
	ErrPlanState = errors.New("the plan's status does not allow this")
	// ErrMoved: the source was read by somebody else since; nothing was taken over.
	ErrMoved = errors.New("the source was read by somebody else meanwhile")
	// ErrState: the operation's state does not allow this.
	ErrState = errors.New("the operation's state does not allow this")
)

// DriftError refuses a plan whose inputs have changed since it was made.
type DriftError struct {
	Hash string
	// What lists up to ten things that changed, one plain sentence each; Count is all of them.
	What  []string
	Count int
}

// TamperedError tells that the audit trail is not as it was written.
type TamperedError struct {
	// Seq is the first entry that does not fit.
	Seq int64
	// What is one plain sentence.
	What string
}

// PlanStatus is where a plan stands.
//
//	proposed ─► applied            held ─► approved ─► applied
//	    └─► superseded              └─► rejected
type PlanStatus string

// The statuses of a plan.
const (
	PlanProposed   PlanStatus = "proposed"
	PlanHeld       PlanStatus = "held"
	PlanApproved   PlanStatus = "approved"
	PlanRejected   PlanStatus = "rejected"
	PlanApplied    PlanStatus = "applied"
	PlanSuperseded PlanStatus = "superseded"
)

// Approval is a named person's decision about one held plan.
type Approval struct {
	By     string
	Reason string
	At     time.Time
	// Until ends an approval that was not used; required.
	Until time.Time
}

// PlanRow is a stored plan without its operations.
type PlanRow struct {
	Hash   string      `json:"hash"`
	Inputs plan.Inputs `json:"inputs"`
	Status PlanStatus  `json:"status"`
	// Rules are the rule hashes of the connectors it was made with.
	Rules      map[string]string `json:"rules,omitempty"`
	Counts     plan.Counts       `json:"counts"`
	Verdicts   []plan.Verdict    `json:"verdicts,omitempty"`
	Notes      []plan.Note       `json:"notes,omitempty"`
	Faults     []plan.Note       `json:"faults,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	AppliedAt  time.Time         `json:"applied_at,omitzero"`
	ApprovedBy string            `json:"approved_by,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	ApprovedAt time.Time         `json:"approved_at,omitzero"`
	Until      time.Time         `json:"until,omitzero"`
}

// OpState is where an operation stands (DESIGN's picture):
//
//	planned ─► ready ─► leased ─► sent ─► done
//	             ▲                 │ ├─► retry ─► ready
//	             │                 │ └─► unknown ─► settled by lookup
//	          parked ◄─────────────┘     any unsent state ─► superseded, skipped
type OpState string

// The states. Ready, leased, sent, retry, unknown and parked are open: at most
// one open operation per account.
const (
	OpPlanned    OpState = "planned" // in a plan that is not applied
	OpReady      OpState = "ready"
	OpLeased     OpState = "leased"
	OpSent       OpState = "sent" // committed before the call; after a crash it means unknown
	OpRetry      OpState = "retry"
	OpUnknown    OpState = "unknown"
	OpParked     OpState = "parked"
	OpDone       OpState = "done"
	OpSuperseded OpState = "superseded" // by a newer desired state
	OpSkipped    OpState = "skipped"    // by a person
)

// OpenStates are the states of an operation that is not finished.
var OpenStates = []OpState{OpReady, OpLeased, OpSent, OpRetry, OpUnknown, OpParked}

// OpRow is an operation in the queue.
type OpRow struct {
	plan.Operation
	Plan     string  `json:"plan"`
	Seq      int64   `json:"seq"`
	State    OpState `json:"state"`
	Attempts int     `json:"attempts"`
	// StepsDone counts the steps the target has confirmed: a retry goes on there.
	StepsDone int `json:"steps_done,omitempty"`
	// MaybeApplied: an earlier attempt may have gone through.
	MaybeApplied  bool      `json:"maybe_applied,omitempty"`
	NextAttemptAt time.Time `json:"next_attempt_at,omitzero"`
	// LastError is why it is not done, for helpdesk.
	LastError *connector.Error `json:"last_error,omitempty"`
	CreatedAt time.Time        `json:"created_at"`
	UpdatedAt time.Time        `json:"updated_at"`
	// ToldAt is, of an operation that locks out who left or is on leave, since when that
	// is known; zero: it is another operation.
	ToldAt time.Time `json:"told_at,omitzero"`
	// Pending: it is unknown because the target has accepted it and not finished;
	// Continuation asks after it at NextAttemptAt. nil: nothing is pending.
	Pending      bool   `json:"pending,omitempty"`
	Continuation []byte `json:"-"`
	// Edited counts edits by a person; it is part of the idempotency key.
	Edited int `json:"edited,omitempty"`
	// FailsFor is the key of the [Cause] it fails for, since FailingSince; "": it does not fail.
	FailsFor     string    `json:"fails_for,omitempty"`
	FailingSince time.Time `json:"failing_since,omitzero"`
	// Handed says who handed it to the operators of the hub; nil: nobody.
	Handed *Handed `json:"handed,omitempty"`
	// Trace is the traceparent of the run that put it into the queue; "": that was not traced.
	Trace string `json:"-"`
	// Fence is the token of the lease it is worked on under; 0: none.
	Fence int64 `json:"-"`
}

// Attempt is one try of an operation.
type Attempt struct {
	N         int               `json:"n"`
	StartedAt time.Time         `json:"started_at"`
	Took      time.Duration     `json:"took"`
	Outcome   connector.Outcome `json:"outcome"`
	Class     connector.Class   `json:"class,omitempty"`
	Code      string            `json:"code,omitempty"`
	// Answer is what the target said, redacted, 2 kB at most.
	Answer string `json:"answer,omitempty"`
}

// Finish records what became of one operation: the operation's new state, the
// attempt, the account and the audit entry go into one transaction.
type Finish struct {
	ID    string
	Fence int64
	// Operation is what the worker took; nil: it is read from the queue once more.
	Operation *plan.Operation
	// ToldAt is the operation's, for who is told of the outcome; it is not written.
	ToldAt    time.Time
	State     OpState // OpDone, OpRetry, OpUnknown, OpParked, OpReady (given back unsent), OpSuperseded (with Replan)
	StepsDone int
	// CountAttempt: an outage of the whole target costs an operation no attempt.
	CountAttempt bool
	MaybeApplied bool
	// NextAttemptAt is when a retry goes out, or when an unknown operation is looked up again.
	NextAttemptAt time.Time
	// Continuation is kept with the operation; nil takes away what it had.
	Continuation []byte
	Err          *connector.Error
	Attempt      *Attempt // nil: nothing was tried
	// Account is the ledger's row as it is now known to be; nil: unchanged. Its
	// Rev is set by the store.
	Account *identity.Account
	// Replan: the account was not as we thought; look at it again in the next cycle.
	Replan bool
	Now    time.Time
}

// SourceState is what is known of a source since the last reading.
type SourceState struct {
	Source   string
	Snapshot string
	Dated    time.Time
	ReadAt   time.Time
	// People and Groups are the present identities.
	People, Groups int
	// AppliedGeneration is up to where changes have been planned and applied.
	AppliedGeneration int64
	Report            json.RawMessage
	// Rev counts the readings; 0 before the first one.
	Rev int64
}

// ReadingEnd ends a reading.
type ReadingEnd struct {
	Snapshot string
	Dated    time.Time
	// Vanished are present identities that a complete reading did not have.
	Vanished []identity.Key
	// Drop are staged identities that must not be taken over: duplicates.
	Drop   []identity.Key
	Report json.RawMessage
	Now    time.Time
	// Partial: only some records were read, so that what names somebody who was
	// renamed may not have been.
	Partial bool
	// After is the Rev of the state that the reading was compared with; nil: it does not
	// matter who has read the source since.
	After *int64
}

// AuditEntry is one line of the audit trail.
type AuditEntry struct {
	Seq    int64           `json:"seq"`
	At     time.Time       `json:"at"`
	Actor  string          `json:"actor"`  // "alice", "provhub"
	Action string          `json:"action"` // "plan.approve", "operation.done", …
	Object string          `json:"object"` // a plan's hash, an operation's id, "crm/1001"
	Detail json.RawMessage `json:"detail,omitempty"`
	Hash   string          `json:"hash"`
}

// AuditFilter selects audit entries; zero fields do not restrict.
type AuditFilter struct {
	Actor, Action, Object string
	Since                 time.Time
	After                 int64
	Limit                 int // 0: 100
}

// ConnectorState is what stops or slows one connector.
type ConnectorState struct {
	Connector string
	// Stopped says why no operation is sent ("AUTHENTICATION: …"); "": running.
	Stopped   string
	StoppedAt time.Time
	// Paused by a person; "": not.
	PausedBy string
	// ResumeAt: the target asked to be left alone, or the breaker is open, until then.
	ResumeAt time.Time
	Failures int // consecutive failures of the target as a whole
	// Unusable says why the plugin could not be used when it was last needed, at
	// UnusableAt; "": it could.
	Unusable   string
	UnusableAt time.Time
	// Target is how the target that the ledger is about names itself, "" when it
	// never did. OtherTarget is another one that the config leads to now; "": none.
	Target, OtherTarget string
	// Quarantined says why too many operations failed, since QuarantinedAt: only single
	// ones are tried, the next at ProbeAt; "": not. ProbesFailed and ProbesPassed count
	// those that were tried since, in a row.
	Quarantined                string
	QuarantinedAt, ProbeAt     time.Time
	ProbesFailed, ProbesPassed int
	// DrainedBy says who has the connector drained, and why; "": nobody. See [Org.Drain].
	DrainedBy string
	// Everything says why nothing is sent to any target; "": it is. It is not the
	// connector's, and not written with it; see [Org.SetStopped].
	Everything string
	// Reason is why a person changes Target; it is kept in the audit trail alone.
	Reason string

	// read is the row as it was read; see SetConnectorState.
	read connectorRow
}

// Pause says who paused the connector, or stopped everything, and why; "": nobody.
func (s ConnectorState) Pause() string {
	switch {
	case s.Everything != "":
		return "everything is stopped by " + s.Everything
	case s.PausedBy != "":
		return "paused by " + s.PausedBy
	}
	return ""
}

// Quarantine says why the connector is in quarantine, and when the next operation is
// tried; "": it is not.
func (s ConnectorState) Quarantine() string {
	if s.Quarantined == "" {
		return ""
	}
	return "in quarantine since " + s.QuarantinedAt.UTC().Format(time.DateTime) + " UTC: " + s.Quarantined +
		"; single operations are tried, the next at " + s.ProbeAt.UTC().Format(time.DateTime) + " UTC"
}

// Held says that the config leads to another target than the one the ledger is
// about, and what to do; "": it does not.
func (s ConnectorState) Held() string {
	if s.OtherTarget == "" {
		return ""
	}
	return "held: the config or a secret leads to another target than before (" + s.OtherTarget + ", it was " + s.Target +
		"); lead it back, give the other target a connector of its own, or, where its accounts are the same, run `provhub connector accept " + s.Connector + "`"
}
