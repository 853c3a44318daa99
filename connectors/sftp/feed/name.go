package feed

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Facts are what a name or a line may mention.
type Facts struct {
	Seq  int64
	Rows int64
	At   time.Time
	Run  string
	Mode string // "full" or "delta"
	File string // name of the accounts' file
}

// placeholder is {word} or {word:detail}.
var placeholder = regexp.MustCompile(`\{([a-z]+)(?::([^{}]*))?\}`)

// Fill replaces the placeholders of a pattern.
func (f *File) Fill(pattern string, x Facts) (string, error) {
	zone, err := f.zone()
	if err != nil {
		return "", err
	}
	out := placeholder.ReplaceAllStringFunc(pattern, func(p string) string {
		m := placeholder.FindStringSubmatch(p)
		text, bad := x.fill(m[1], m[2], x.At.In(zone))
		if bad != nil {
			err = bad
		}
		return text
	})
	return out, err
}

func (x Facts) fill(word, detail string, at time.Time) (string, error) {
	switch word {
	case "seq", "rows":
		n := x.Seq
		if word == "rows" {
			n = x.Rows
		}
		width := 0
		if detail != "" {
			var err error
			if width, err = strconv.Atoi(detail); err != nil || width > 18 || width < 1 {
				return "", fmt.Errorf("{%s:%s}: the number of digits is from 1 to 18", word, detail)
			}
		}
		return fmt.Sprintf("%0*d", width, n), nil
	case "date":
		return at.Format(goLayout(firstOf(detail, "YYYYMMDD"))), nil
	case "time":
		return at.Format(goLayout(firstOf(detail, "hhmmss"))), nil
	case "run":
		return x.Run, nil
	case "mode":
		return x.Mode, nil
	case "file":
		return x.File, nil
	case "base":
		base, _, _ := strings.Cut(x.File, ".")
		return base, nil
	}
	return "", fmt.Errorf("{%s} is not known; there are {seq}, {date}, {time}, {run}, {mode}, {rows}, {file} and {base}", word)
}

// CheckName returns what is wrong with the pattern of a name.
func (f *File) CheckName(pattern string) error {
	name, err := f.Fill(pattern, Facts{Seq: 1, At: time.Unix(0, 0), Run: "r", Mode: "full", File: "f"})
	switch {
	case err != nil:
		return err
	case name == "" || strings.ContainsAny(name, "/\\\x00\n") || strings.HasPrefix(name, "."):
		return fmt.Errorf("a name has no slashes and does not begin with a dot; the folder is a setting of its own")
	}
	return nil
}

// Numbered reports whether names of the pattern differ from file to file.
func Numbered(pattern string) bool {
	for _, m := range placeholder.FindAllStringSubmatch(pattern, -1) {
		if m[1] == "seq" || m[1] == "run" || m[1] == "file" || m[1] == "base" {
			return true
		}
	}
	return false
}

// Matcher finds names of a pattern again.
type Matcher struct {
	re  *regexp.Regexp
	seq int // group that holds the sequence number; 0: none
}

// NewMatcher makes the matcher of a pattern; inner is what {file} stands for.
func NewMatcher(pattern, inner string) *Matcher {
	var b strings.Builder
	m, groups := &Matcher{}, 0
	b.WriteByte('^')
	last := 0
	pattern = strings.ReplaceAll(pattern, "{file}", inner)
	for _, at := range placeholder.FindAllStringSubmatchIndex(pattern, -1) {
		b.WriteString(regexp.QuoteMeta(pattern[last:at[0]]))
		last = at[1]
		switch word := pattern[at[2]:at[3]]; {
		case word == "seq" && m.seq == 0:
			groups++
			m.seq = groups
			b.WriteString(`([0-9]+)`)
		case word == "seq", word == "rows":
			b.WriteString(`[0-9]+`)
		case word == "mode":
			b.WriteString(`(?:full|delta)`)
		case word == "run":
			b.WriteString(`[0-9a-f]+`)
		default:
			b.WriteString(`.+?`)
		}
	}
	b.WriteString(regexp.QuoteMeta(pattern[last:]) + "$")
	m.re = regexp.MustCompile(b.String())
	return m
}

// Match reports whether name is of the pattern, and its sequence number, 0 when
// the pattern has none.
func (m *Matcher) Match(name string) (seq int64, ok bool) {
	found := m.re.FindStringSubmatch(name)
	if found == nil {
		return 0, false
	}
	if m.seq > 0 {
		n, err := strconv.ParseInt(found[m.seq], 10, 64)
		return n, err == nil
	}
	return 0, true
}
