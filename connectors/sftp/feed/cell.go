package feed

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/provhub/provhub/connectors/connector"
)

// cell returns what a column holds for an account.
func (l *Layout) cell(c *Column, key string, r *Row, a Action) (string, error) {
	switch c.Kind {
	case KindState:
		return c.state(r.State), nil
	case KindAction:
		return l.Actions.word(a), nil
	case KindGroups:
		return c.join(r.Groups)
	case KindConstant:
		return c.Value, nil
	}
	vs := r.Attributes.Get(c.Name)
	if c.Name == l.Key && len(vs) == 0 {
		return key, nil
	}
	texts, err := l.texts(c, vs)
	if err != nil {
		return "", err
	}
	return c.join(texts)
}

func (c *Column) state(s State) string {
	switch s {
	case Disabled:
		return c.Disabled
	case Deleted:
		return c.Deleted
	}
	return c.Enabled
}

// texts renders the values of an attribute.
func (l *Layout) texts(c *Column, vs connector.Values) ([]string, error) {
	out := make([]string, len(vs))
	for i, v := range vs {
		text, err := l.text(c, v)
		if err != nil {
			return nil, err
		}
		out[i] = text
	}
	return out, nil
}

func (l *Layout) text(c *Column, v connector.Value) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case int64:
		return strconv.FormatInt(x, 10), nil
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	case bool:
		if x {
			return c.True, nil
		}
		return c.False, nil
	case connector.Date:
		if c.Format == "" {
			return string(x), nil
		}
		t, err := time.Parse(time.DateOnly, string(x))
		return t.Format(goLayout(c.Format)), err
	case time.Time:
		zone, err := l.File.zone()
		if err != nil {
			return "", err
		}
		if c.Format == "" {
			return x.In(zone).Format(time.RFC3339Nano), nil
		}
		return x.In(zone).Format(goLayout(c.Format)), nil
	case connector.Ref:
		return x.ID, nil
	}
	return "", invalid(c.Name, "attribute %s holds a %T, which a file cannot", c.Name, v)
}

// join puts several values into one cell.
func (c *Column) join(texts []string) (string, error) {
	if len(texts) == 1 && !c.Multi && c.Kind != KindGroups {
		return texts[0], nil
	}
	for _, t := range texts {
		if strings.Contains(t, c.Separator) {
			return "", invalid(c.Name, "a value of %s holds the separator %q", firstOf(c.Name, c.Title()), c.Separator)
		}
	}
	return strings.Join(texts, c.Separator), nil
}

// guarded puts ' before what a spreadsheet would run (OWASP CSV Injection), also
// after leading blanks and in full-width forms.
func guarded(s string) string {
	if isFormula(s) {
		return "'" + s
	}
	return s
}

func isFormula(s string) bool {
	for _, r := range s {
		switch r {
		case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
			return true
		}
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return false
}

// dateParts are the letters of [Column.Format] and what Go calls them. Longer
// ones first.
var dateParts = []struct{ ours, gos string }{
	{"YYYY", "2006"}, {"YY", "06"}, {"MM", "01"}, {"DD", "02"}, {"hh", "15"}, {"mm", "04"}, {"ss", "05"}, {"ZZ", "-0700"}, {"Z", "Z07:00"},
}

// goLayout turns YYYY-MM-DD hh:mm:ss into the layout of [time.Format].
func goLayout(format string) string {
	var b strings.Builder
next:
	for format != "" {
		for _, p := range dateParts {
			if rest, ok := strings.CutPrefix(format, p.ours); ok {
				b.WriteString(p.gos)
				format = rest
				continue next
			}
		}
		b.WriteByte(format[0])
		format = format[1:]
	}
	return b.String()
}

// CheckDateFormat reports whether a format writes dates so that they can be read
// back, times as well for timestamps.
func CheckDateFormat(format string, timestamp bool) error {
	if format == "" {
		return nil
	}
	want := time.Date(2026, 11, 22, 13, 14, 15, 0, time.UTC)
	if !timestamp {
		want = want.Truncate(24 * time.Hour)
	}
	layout := goLayout(format)
	if got, err := time.Parse(layout, want.Format(layout)); err != nil || !got.Equal(want) {
		return fmt.Errorf("%q does not hold a whole date; write it as YYYY-MM-DD, or YYYY-MM-DD hh:mm:ss for a timestamp", format)
	}
	return nil
}

func (f *File) zone() (*time.Location, error) {
	if f.TimeZone == "" || f.TimeZone == "UTC" {
		return time.UTC, nil
	}
	return time.LoadLocation(f.TimeZone)
}

func invalid(attribute, format string, args ...any) *connector.Error {
	e := connector.Errorf(connector.CodeInvalidValue, format, args...)
	if attribute != "" {
		e.Attributes = []string{attribute}
	}
	return e
}
