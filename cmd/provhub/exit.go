package main

import (
	"errors"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// The exit codes, for schedulers to branch on.
const (
	exitOK     = 0 // nothing wrong
	exitFailed = 1 // it did not work
	exitUsage  = 2 // flags, arguments or config
	exitHeld   = 3 // a guard holds the plan: a person must look at it
	exitParked = 4 // finished, but something waits: operations that are parked or to be retried, records that are bad
)

// exitError is an error with an exit code of its own. An empty text prints nothing.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// usageError is a mistake in flags or arguments.
type usageError struct{ error }

// exitCode returns the code of an error; of several with different codes, that it
// did not work.
func exitCode(err error) int {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		codes := map[int]bool{}
		for _, part := range several.Unwrap() {
			codes[exitCode(part)] = true
		}
		if len(codes) > 1 {
			return exitFailed
		}
	}
	var e *exitError
	var u usageError
	var unknown *hub.UsageError
	var faults config.Faults
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &u), errors.As(err, &unknown), errors.As(err, &faults):
		return exitUsage
	case errors.Is(err, store.ErrPlanState):
		return exitHeld
	}
	return exitFailed
}
