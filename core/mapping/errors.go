package mapping

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/common"
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

// pointedAt moves a column of CEL's, which is the dot of a selection and the
// parenthesis of a call, to the name that is meant; both count from 0.
func pointedAt(expr string, at common.Location) int {
	lines := strings.Split(expr, "\n")
	if at.Line() < 1 || at.Line() > len(lines) {
		return at.Column()
	}
	line, column := []rune(lines[at.Line()-1]), at.Column()
	switch {
	case column < 0 || column >= len(line):
	case line[column] == '.':
		column++
	case line[column] == '(':
		for column > 0 && (unicode.IsLetter(line[column-1]) || unicode.IsDigit(line[column-1]) || line[column-1] == '_') {
			column--
		}
	}
	return column
}
