package connector

import (
	"context"
	"time"
)

// CheckStep is one step of a check: "resolve", "connect", "tls", "login".
type CheckStep struct {
	Name    string
	Status  CheckStatus
	Message string
	Err     *Error
	Took    time.Duration
}

// CheckStatus is how a step ended.
type CheckStatus string

// The ends of a check step.
const (
	CheckPass    CheckStatus = "pass"
	CheckWarn    CheckStatus = "warn"
	CheckFail    CheckStatus = "fail"
	CheckSkipped CheckStatus = "skipped"
)

// Checker is implemented by a target that reports its check step by step.
type Checker interface {
	// CheckSteps changes nothing. product is the target's name and version as it
	// tells them, "" when it does not.
	CheckSteps(ctx context.Context) (steps []CheckStep, product string)
}

// CheckFailure returns the error of the step that failed, nil when none did. It is
// what [Target.Check] of a [Checker] returns.
func CheckFailure(steps []CheckStep) error {
	for _, s := range steps {
		if s.Status == CheckFail {
			return s.Err
		}
	}
	return nil
}

// CheckRun carries out the steps of a check one after another, until one fails:
// those after it are skipped. The zero value is ready; a run is for one check, in
// one goroutine.
type CheckRun struct {
	// Classify gives the error of a step its code; nil: [AsError].
	Classify func(error) error

	steps  []CheckStep
	failed bool
	warned bool // by the step under way
}

// Step carries out one step. look changes nothing, and says in message what it
// found, in words for a person.
func (r *CheckRun) Step(ctx context.Context, name string, look func(context.Context) (message string, err error)) {
	if r.failed {
		r.steps = append(r.steps, CheckStep{Name: name, Status: CheckSkipped})
		return
	}
	r.warned = false
	begin := time.Now()
	message, err := look(ctx)
	s := CheckStep{Name: name, Status: CheckPass, Message: message, Took: time.Since(begin)}
	switch {
	case err != nil:
		s.Status, s.Err = CheckFail, r.classified(err)
		s.Message = s.Err.Message
		r.failed = true
	case r.warned:
		s.Status = CheckWarn
	}
	r.steps = append(r.steps, s)
}

func (r *CheckRun) classified(err error) *Error {
	if r.Classify != nil {
		err = r.Classify(err)
	}
	return AsError(err)
}

// Warn makes the step under way one that passes with a warning, and returns
// message: `return c.Warn("the connection is not encrypted"), nil`.
func (r *CheckRun) Warn(message string) string {
	r.warned = true
	return message
}

// Steps returns what the steps found, in order.
func (r *CheckRun) Steps() []CheckStep { return r.steps }
