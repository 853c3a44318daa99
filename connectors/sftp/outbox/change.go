package outbox

import "time"

// ChangeState is what became of a change.
type ChangeState string

// The states of a change.
const (
	Accepted  ChangeState = "accepted"
	Published ChangeState = "published" // and not confirmed
	Confirmed ChangeState = "confirmed"
	Rejected  ChangeState = "rejected"
)

// Change is one operation that was accepted.
type Change struct {
	Key string
	ID  string
	// At is when it was accepted; PublishedAt when it was published, zero before.
	At, PublishedAt time.Time
	State           ChangeState
	// Sealed: its publication has its number, and is on its way or was in doubt.
	Sealed  bool
	Code    int    // of a rejection
	Message string // of a rejection: the receiver's words
	Seq     int64  // of its publication; 0: it has none
}
