package hub

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/wording"
)

// UsageError is a mistake of whoever typed a command: a name that nothing goes by,
// or more than one; a flag that does not go with the rest. Its text says what does.
type UsageError struct{ text string }

// Error implements error.
func (e *UsageError) Error() string { return e.text }

// unknown is the error for a name that the config does not have.
func unknown(what, name string, have []string) error {
	return &UsageError{fmt.Sprintf("there is no %s %q%s; the config has %s", what, name, wording.DidYouMean(name, have), strings.Join(have, ", "))}
}
