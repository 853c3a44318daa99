package config

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong with a config file.
type Fault struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // from 1; 0: the file as a whole
	// Path is where in the document: connectors[0].guards.disable.
	Path string `json:"path,omitempty"`
	Text string `json:"text"` // what is wrong, what was expected, what to do
}

// String returns "file:line: path: text".
func (f Fault) String() string {
	at := f.File
	if f.Line > 0 {
		at = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	if f.Path == "" {
		return at + ": " + f.Text
	}
	return at + ": " + f.Path + ": " + f.Text
}

// Faults are all faults of a config file, in the order of its lines. It is the
// error that [Load] returns for a file that could be read but not used.
type Faults []Fault

// Error implements error: one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// sorted returns fs by line, and only the first of several at one path: the
// others follow from it.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int { return a.Line - b.Line })
	told := map[string]bool{}
	return slices.DeleteFunc(fs, func(f Fault) bool {
		at := f.Path
		if at == "" {
			at = f.String()
		}
		again := told[at]
		told[at] = true
		return again
	})
}
