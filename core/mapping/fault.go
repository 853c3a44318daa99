package mapping

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/provhub/provhub/core/mapping/library"
)

// The codes of faults: stable words.
const (
	CodeMapping    = "mapping_failed"  // a rule refused this person's values
	CodeScopeData  = "no_scope_data"   // scope cannot be decided
	CodeGrantData  = "no_grant_data"   // a grant cannot be decided
	CodeLimit      = "mapping_limit"   // a rule took too much work
	CodeNamesTaken = "names_exhausted" // unique() found nothing free
)

// Fault is why one rule could not be worked out for one person. It stops this
// person in this connector and nobody else. It holds no personal values.
type Fault struct {
	Code  string
	Place string // of the rule: "provhub.yaml:31"
	Rule  string // "attribute userName"
	Text  string
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %s: %s", f.Place, f.Rule, f.Text) }

// Faults are all faults of one person in one connector.
type Faults []*Fault

func (fs Faults) Error() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap lists the faults, for errors.As.
func (fs Faults) Unwrap() []error {
	out := make([]error, len(fs))
	for i, f := range fs {
		out[i] = f
	}
	return out
}

// errNothing: the rule gives an optional without a value.
var errNothing = errors.New("the rule gives no value")

// withoutCEL takes CEL's wrapping off: its errors compare by text, and ours
// must not be taken for one another.
func withoutCEL(err error) error {
	var e *types.Err
	for errors.As(err, &e) {
		err = e.Unwrap()
	}
	return err
}

// valueless reports whether err only means that there is no value, and which.
func valueless(err error) (missing string, ok bool) {
	err = withoutCEL(err)
	var m *library.MissingError
	switch {
	case errors.As(err, &m):
		return m.Error(), true
	case errors.Is(err, library.ErrUnset), errors.Is(err, library.ErrClear), errors.Is(err, errNothing):
		return err.Error(), true
	}
	return "", false
}

// faultOf puts what went wrong into words without values: CEL's own messages
// repeat what they were given.
func (r *rule) faultOf(err error) *Fault {
	out := &Fault{Code: CodeMapping, Place: r.Place, Rule: r.what}
	err = withoutCEL(err)
	var own *library.Fault
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &own):
		out.Text = own.Text
	case errors.As(err, &cancelled), errors.As(err, &interpreter.InterruptError{}), errors.Is(err, context.DeadlineExceeded):
		out.Code = CodeLimit
		out.Text = fmt.Sprintf("the rule takes too much work for this person (more than %d steps or %v)", costMax, timeMax)
	default:
		out.Text = celReason(err)
	}
	return out
}

// celReasons are the failures of CEL's own operations that people meet.
var celReasons = []struct{ message, text string }{
	{"no such key", "a map has no such key; lookup() takes a default"},
	{"index out of bounds", "a list has no such item; at() gives a missing value instead"},
	{"invalid index", "a list has no such item; at() gives a missing value instead"},
	{"division by zero", "division by zero"},
	{"modulus by zero", "division by zero"},
	{"overflow", "a number or time is out of range"},
	{"range", "a number or time is out of range"},
	{"conversion", "the value cannot be converted to the type asked for"},
	{"parsing", "the value cannot be converted to the type asked for"},
	{"optional.none() dereference", "an optional without a value is used; write orValue(…)"},
	{"no such overload", "a value is not of the type that the rule takes it for"},
}

func celReason(err error) string {
	message := err.Error()
	for _, r := range celReasons {
		if strings.Contains(message, r.message) {
			return r.text
		}
	}
	return "the expression cannot be worked out for this person's values"
}
