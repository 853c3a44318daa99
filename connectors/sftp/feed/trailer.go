package feed

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// trailer recognises the last line of a file; nil when files have none.
type trailer struct{ re *regexp.Regexp }

func trailerOf(pattern string) *trailer {
	if pattern == "" {
		return nil
	}
	var b strings.Builder
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(pattern, -1) {
		b.WriteString(regexp.QuoteMeta(pattern[last:at[0]]))
		last = at[1]
		if pattern[at[2]:at[3]] == "rows" {
			b.WriteString(`(?P<rows>[0-9]+)`)
			continue
		}
		b.WriteString(`.*?`)
	}
	b.WriteString(regexp.QuoteMeta(pattern[last:]))
	return &trailer{regexp.MustCompile("^" + b.String() + "$")}
}

// rows reports whether line is the trailer, and how many rows it tells, -1 for
// nothing.
func (t *trailer) rows(line string) (n int, ok bool) {
	if t == nil {
		return 0, false
	}
	m := t.re.FindStringSubmatch(line)
	if m == nil {
		return 0, false
	}
	if i := t.re.SubexpIndex("rows"); i >= 0 {
		_, err := fmt.Sscan(m[i], &n)
		return n, err == nil
	}
	return -1, true
}

func (t *trailer) check(told, read int) error {
	if told >= 0 && told != read {
		return fmt.Errorf("the trailer tells of %d rows, and there are %d", told, read)
	}
	return nil
}

func (t *trailer) missing() error {
	if t != nil {
		return errors.New("the trailer is missing; the file was cut short")
	}
	return nil
}
