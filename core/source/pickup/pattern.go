package pickup

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The kinds of order that files have.
const (
	byTime   = "time" // the manifest's date, else the time of writing
	byDate   = "date"
	byNumber = "number"
)

// pattern is a configured file name, worked out.
type pattern struct {
	kind   string
	name   *regexp.Regexp // its only group is the date or number
	layout string         // of a date, as package time has it
}

// dateWords are the letters of a date in a name, the longest first.
var dateWords = []struct{ letters, layout, digits string }{
	{"YYYY", "2006", `\d{4}`}, {"YY", "06", `\d{2}`}, {"MM", "01", `\d{2}`}, {"DD", "02", `\d{2}`},
	{"HH", "15", `\d{2}`}, {"mm", "04", `\d{2}`}, {"SS", "05", `\d{2}`},
}

// parsePattern reads a pattern such as hr_(YYYYMMDD)_full*.csv; see Config.Pattern.
func parsePattern(text string) (pattern, error) {
	if text == "" {
		return pattern{}, errors.New("is missing: say how files are called, such as hr_(YYYYMMDD)_full.csv")
	}
	if strings.ContainsAny(text, `/\`) {
		return pattern{}, fmt.Errorf("%q is more than the name of a file; what is above it belongs into folder", text)
	}
	p := pattern{kind: byTime}
	before, rest, grouped := strings.Cut(text, "(")
	re := glob(before)
	if grouped {
		inside, after, closed := strings.Cut(rest, ")")
		if !closed || strings.ContainsAny(after, "()") {
			return pattern{}, fmt.Errorf("%q has more than one pair of parentheses, or half of one", text)
		}
		group, err := p.group(inside)
		if err != nil {
			return pattern{}, err
		}
		re += group + glob(after)
	}
	p.name = regexp.MustCompile("^" + re + "$")
	return p, nil
}

func glob(text string) string {
	return strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(text))
}

// group works out what stands in parentheses.
func (p *pattern) group(text string) (string, error) {
	if text == "N" {
		p.kind = byNumber
		return `(\d{1,18})`, nil
	}
	p.kind = byDate
	var re strings.Builder
	re.WriteString("(")
	seen := map[string]bool{}
next:
	for rest := text; rest != ""; {
		for _, w := range dateWords {
			if strings.HasPrefix(rest, w.letters) {
				p.layout += w.layout
				re.WriteString(w.digits)
				seen[w.letters] = true
				rest = rest[len(w.letters):]
				continue next
			}
		}
		if !strings.ContainsRune("-_.T ", rune(rest[0])) {
			return "", fmt.Errorf("(%s) is neither N, for a number, nor a date of YYYY or YY, MM, DD, HH, mm and SS", text)
		}
		p.layout += rest[:1]
		re.WriteString(regexp.QuoteMeta(rest[:1]))
		rest = rest[1:]
	}
	if seen["YYYY"] == seen["YY"] || !seen["MM"] || !seen["DD"] {
		return "", fmt.Errorf("(%s) does not name a year, a month and a day", text)
	}
	return re.String() + ")", nil
}

// match reads a name. ok is false for one that does not match at all; the error is
// for one that does and holds no date, such as a 30th of February.
func (p pattern) match(name string, zone *time.Location) (order int64, dated time.Time, ok bool, err error) {
	m := p.name.FindStringSubmatch(name)
	switch {
	case m == nil:
		return 0, time.Time{}, false, nil
	case p.kind == byTime:
		return 0, time.Time{}, true, nil
	case p.kind == byNumber:
		order, err = strconv.ParseInt(m[1], 10, 64)
		return order, time.Time{}, true, err
	}
	// The order must not depend on the clock of a zone, in which an hour may come twice.
	plain, err := time.Parse(p.layout, m[1])
	if err != nil {
		return 0, time.Time{}, true, fmt.Errorf("%s holds no date of the form in the pattern", name)
	}
	dated, _ = time.ParseInLocation(p.layout, m[1], zone) // the same text
	return plain.Unix(), dated, true, nil
}
