package connectortest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// patience is how long a check waits for what a sound plugin does at once. What a
// check looks for does not happen at all; a busy machine only makes it late.
const patience = 15 * time.Second

// Check is one thing that every connector must do.
type Check struct {
	ID, Title string
	// Group is the first letter of ID.
	// Process: it makes sense for a plugin process only.
	Process bool
	// Own: it needs a process, or a server, that nobody uses after it.
	Own bool
	// Bare: it opens its instances itself.
	Bare bool
	// Limit bounds the check; 0: [defaultLimit].
	Limit time.Duration
	Func  func(ctx context.Context, e *Env) error
}

// Checks returns all checks, in order.
func Checks() []Check {
	var all []Check
	for _, group := range [][]Check{processChecks, configChecks, instanceChecks, schemaChecks, writeChecks, streamChecks, faultChecks, readChecks, hygieneChecks} {
		all = append(all, group...)
	}
	return all
}

// skipped is why a check does not apply.
type skipped struct{ reason string }

// Error implements error.
func (s skipped) Error() string { return "skipped: " + s.reason }

// skip makes the error that skips a check.
func skip(format string, args ...any) error { return skipped{fmt.Sprintf(format, args...)} }

// skipReason returns why err skips a check.
func skipReason(err error) (string, bool) {
	var s skipped
	if errors.As(err, &s) {
		return s.reason, true
	}
	return "", false
}
