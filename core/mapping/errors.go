package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is one thing wrong with one rule, found before anything runs.
type Error struct {
	Place string // of the rule: "provhub.yaml:31"
	Rule  string // "attribute userName", "scope", "grant sales"
	Expr  string
	// Line and Column are counted from 1 within Expr; 0: the whole of it.
	Line, Column int
	Reason       string
	Hint         string // what to do, or ""
}

// Error gives the fault with the offending line and a caret below it:
//
//	provhub.yaml:31: attribute mail: person has no field emial
//	  | lower(person.emial)
//	  |             ^
//	  did you mean person.email?
func (e *Error) Error() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s: %s: %s", e.Place, e.Rule, e.Reason)
	if line, ok := e.line(); ok {
		fmt.Fprintf(&out, "\n  | %s\n  | %s^", line, caretSpace(line, e.Column-1))
	}
	if e.Hint != "" {
		fmt.Fprintf(&out, "\n  %s", e.Hint)
	}
	return out.String()
}

// line is the offending line of the expression.
func (e *Error) line() (string, bool) {
	lines := strings.Split(e.Expr, "\n")
	if e.Line < 1 || e.Line > len(lines) || e.Column < 1 {
		return "", false
	}
	return strings.TrimRight(strings.ReplaceAll(lines[e.Line-1], "\t", " "), "\r"), true
}

func caretSpace(line string, column int) string {
	return strings.Repeat(" ", min(column, utf8.RuneCountInString(line)))
}

// Errors are all faults of all rules of one connector.
type Errors []*Error

func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap lists the faults, for errors.As.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}
