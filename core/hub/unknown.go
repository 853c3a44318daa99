package hub

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/core/suggest"
)

// UnknownError is a name given to a command that nothing goes by, or more than
// one: a mistake of whoever typed it. Its text says what there is.
type UnknownError struct{ text string }

// Error implements error.
func (e *UnknownError) Error() string { return e.text }

// unknown is the error for a name that the config does not have.
func unknown(what, name string, have []string) error {
	return &UnknownError{fmt.Sprintf("there is no %s %q%s; the config has %s", what, name, suggest.DidYouMean(name, have), strings.Join(have, ", "))}
}
