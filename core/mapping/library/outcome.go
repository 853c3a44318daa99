// Package library holds the functions that mapping rules may use beside CEL's
// own, and the types they work on. All are pure: the same arguments give the
// same result, and none reads a clock, a file or a random number.
package library

import (
	"errors"
	"fmt"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// What an expression gives when it gives no value. They travel through an
// expression as CEL errors do: whatever is computed from one is that one, until
// coalesce, is_empty, join, compact or has() ask about it.
var (
	// ErrUnset: leave the target as it is.
	ErrUnset = errors.New("unset()")
	// ErrClear: empty the attribute in the target.
	ErrClear = errors.New("clear()")
)

// MissingError says that the source has no value there. A rule that meets it is
// unset: a missing source value never clears a target value.
type MissingError struct {
	// Name is what was read: "person.middle_name".
	Name string
}

func (e *MissingError) Error() string { return e.Name + " is missing" }

// Fault says why a function refused its arguments. Text has no personal values.
type Fault struct {
	Text string
}

func (e *Fault) Error() string { return e.Text }

// made marks an error value as already placed, so that the interpreter does not
// write the node's id into a value that many evaluations share.
const made = -1

var (
	unset = types.NewErrWithNodeID(made, "%w", ErrUnset)
	clear = types.NewErrWithNodeID(made, "%w", ErrClear)
)

// Missing returns the value that reading a missing attribute gives. It is safe
// to share.
func Missing(name string) ref.Val {
	return types.NewErrWithNodeID(made, "%w", &MissingError{Name: name})
}

// IsMissing reports whether v stands for a value that the source does not have.
func IsMissing(v ref.Val) bool {
	err, ok := v.(*types.Err)
	if !ok {
		return false
	}
	var missing *MissingError
	return errors.As(err.Unwrap(), &missing)
}

// faultf is a fault of the arguments. Its text must not repeat them.
func faultf(format string, args ...any) error {
	return &Fault{Text: fmt.Sprintf(format, args...)}
}
