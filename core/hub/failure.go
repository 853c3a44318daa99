package hub

import (
	"errors"

	"github.com/provhub/provhub/core/store"
)

// failureKinds are the errors that commands tell apart, by the code under which a node
// hands one over: so a command ends beside a node as it would have without.
var failureKinds = []struct {
	code string
	is   func(error) bool
	of   func(text string) error
}{
	{"usage", func(err error) bool { var e *UsageError; return errors.As(err, &e) }, func(text string) error { return &UsageError{text} }},
	{"push", func(err error) bool { return errors.Is(err, ErrPushRequest) }, func(string) error { return ErrPushRequest }},
	{"plan_state", func(err error) bool { return errors.Is(err, store.ErrPlanState) }, func(string) error { return store.ErrPlanState }},
}

// FailureCode is the code of err's kind; "" for one that nobody tells apart from others.
func FailureCode(err error) string {
	for _, k := range failureKinds {
		if k.is(err) {
			return k.code
		}
	}
	return ""
}

// failure is an error of a node, with its own text.
type failure struct {
	text string
	kind error // nil: one that nobody tells apart from others
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.kind }

// failureOf is the error that a node had. A code that this version does not know is none.
func failureOf(text, code string) error {
	f := &failure{text: text}
	for _, k := range failureKinds {
		if k.code == code {
			f.kind = k.of(text)
		}
	}
	return f
}
