package csvfile

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/cases"

	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/wording"
)

// column is a configured column, worked out.
type column struct {
	Column
	typ     source.Type
	layouts []string
	index   int    // of the field; -1: the file has no such column
	header  string // what the file calls it
}

// separator splits a list.
func (c *column) separator() string {
	if c.Separator == "" {
		return ";"
	}
	return c.Separator
}

// from returns the names that the header may use.
func (c *column) from() []string {
	if len(c.From) == 0 {
		return []string{c.Name}
	}
	return c.From
}

// fold is the form in which header names are compared.
func fold(name string) (string, error) {
	name, err := tidy(name)
	return cases.Fold().String(name), err
}

const ignoredColumn = "the column %q is not configured and is ignored"

// match finds each column in the header and returns what is worth a warning.
// The columns keep their order; a reading has its own copy of them.
func match(columns []column, header []string, comma rune) (warnings []string, err error) {
	at, names, err := readHeader(header, comma)
	if err != nil {
		return nil, err
	}
	used := make([]bool, len(header))
	var missing []error
	for i := range columns {
		c := &columns[i]
		if c.index = find(c.from(), at); c.index >= 0 {
			used[c.index], c.header = true, names[c.index]
			continue
		}
		c.header = c.from()[0]
		if c.Optional {
			warnings = append(warnings, fmt.Sprintf("the optional column %q is not there", c.header))
			continue
		}
		missing = append(missing, fmt.Errorf("the column %s is missing%s", quoted(c.from()), wording.DidYouMean(c.header, names)))
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w; the header found is %s%s", errors.Join(missing...), quoted(names), otherDelimiter(names, comma))
	}
	for i, name := range names {
		switch {
		case used[i]:
		case name == "":
			warnings = append(warnings, fmt.Sprintf("column %d has no name and is ignored", i+1))
		default:
			warnings = append(warnings, fmt.Sprintf(ignoredColumn, name))
		}
	}
	return warnings, nil
}

// readHeader returns the fields by folded name, and the names as written. Two
// columns of one name are an error: which of them is meant cannot be known.
func readHeader(header []string, comma rune) (at map[string]int, names []string, err error) {
	at = map[string]int{}
	for i, h := range header {
		key, err := fold(h)
		if err != nil {
			return nil, nil, fmt.Errorf("column %d of the header %w%s", i+1, err, utf16Hint(h))
		}
		name, _ := tidy(h)
		names = append(names, name)
		if first, twice := at[key]; twice && key != "" {
			return nil, nil, fmt.Errorf("the header names %q twice, as columns %d and %d", name, first+1, i+1)
		}
		at[key] = i
	}
	delete(at, "")
	return at, names, nil
}

func utf16Hint(header string) string {
	if strings.Contains(header, "\x00") {
		return "; the file is probably utf-16le or utf-16be: say so as its encoding"
	}
	return ""
}

func find(from []string, at map[string]int) int {
	for _, f := range from {
		key, _ := fold(f)
		if i, ok := at[key]; ok {
			return i
		}
	}
	return -1
}

// otherDelimiter helps with the commonest slip of all.
func otherDelimiter(names []string, comma rune) string {
	if len(names) != 1 {
		return ""
	}
	for _, d := range ";,\t|" {
		if d != comma && strings.ContainsRune(names[0], d) {
			return fmt.Sprintf("; set delimiter: %q", d)
		}
	}
	return ""
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
