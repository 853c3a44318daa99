package connector

import (
	"context"
	"encoding/json"
)

// Action describes something that a target can do besides carrying out
// operations, and that a person starts: a probe, a self-test.
type Action struct {
	Name        string // [a-z][a-z0-9_]*
	Description string // one line, for people
	// Arguments is the closed JSON Schema of what it takes, as [SchemaFor] makes
	// it; nil: nothing.
	Arguments json.RawMessage
	// Destructive: it may change the target, whatever its arguments say.
	Destructive bool
}

// Invocation is one use of an action.
type Invocation struct {
	ID        string // names it in logs
	Name      string // of the action
	Arguments json.RawMessage
}

// Progress tells how far long work has come. Total 0: not known.
type Progress struct {
	Done, Total int64
	Message     string // what is being done now, one line
}

// Actor is implemented by a target whose definition declares actions.
type Actor interface {
	// Invoke runs an action to its end and returns its result, a JSON document
	// (nil: nothing). progress may be called from time to time, from any
	// goroutine, until Invoke returns. UNSUPPORTED for an action it does not know.
	Invoke(ctx context.Context, in Invocation, progress func(Progress)) (json.RawMessage, error)
}
