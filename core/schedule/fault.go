package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// FieldError says what is wrong with one field of a [Spec] or a [Window].
type FieldError struct {
	Field string // as the config calls it: cron, zone, jitter, for
	Text  string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Text }

func fault(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

func neverComes(cron string) error {
	return fault("cron", "cron %q never comes: no day is like that", cron)
}

// FieldErrors returns the errors that err, of [New] or [Window.Check], holds. What is no
// fault of one field has no Field.
func FieldErrors(err error) []*FieldError {
	var one *FieldError
	var several interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &several):
		var out []*FieldError
		for _, e := range several.Unwrap() {
			out = append(out, FieldErrors(e)...)
		}
		return out
	case errors.As(err, &one):
		return []*FieldError{one}
	}
	return []*FieldError{{Text: err.Error()}}
}

// cronText says in words for people what the library has against an expression.
func cronText(err error) string {
	text := err.Error()
	if word, ok := strings.CutPrefix(text, "failed to parse int from "); ok {
		word, _, _ = strings.Cut(word, ": strconv")
		return fmt.Sprintf("%q is neither a number nor a name such as Mon or Jan", word)
	}
	if counted, ok := strings.CutPrefix(text, "expected exactly 5 fields, found "); ok {
		n, _, _ := strings.Cut(counted, ":")
		return "it has " + n + " fields"
	}
	if text == "empty spec string" {
		return "it is empty"
	}
	return text
}

// gapsLooked bounds how many times in a row are looked at, within a year, for the
// shortest wait between two.
const gapsLooked = 300

// shortest returns the shortest time from one time of next to the following; false
// when there is no time.
func shortest(next func(time.Time) time.Time, zone *time.Location) (gap time.Duration, comes bool) {
	at := next(time.Date(2000, 1, 1, 0, 0, 0, 0, zone))
	if at.IsZero() {
		return 0, false
	}
	year := at.AddDate(1, 0, 0)
	for range gapsLooked {
		following := next(at)
		if following.IsZero() || gap > 0 && following.After(year) {
			break // a 29 February may be followed by none within the years that are looked at
		}
		if d := following.Sub(at); gap == 0 || d < gap {
			gap = d
		}
		at = following
	}
	return gap, true
}

// span is a duration as people write it: 30m, 25h, 7d.
func span(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	text := d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, nothing) {
			text = text[:len(text)-2]
		}
	}
	return text
}
