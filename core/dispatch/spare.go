package dispatch

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

// spare takes out of what a plugin says went wrong whatever is somebody's: the values of
// the operation and of its account, mail addresses, tokens. The contract asks plugins to
// leave them out (RFC 7644 §7.5), and not every plugin does; an error stops connectors,
// and then goes into logs and to people outside (QUIRKS Q-43). Where a value was stands
// the name of its attribute: whoever may see values has them beside the error.
func spare(e *connector.Error, w *Work) *connector.Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Message = spareText(c.Message, ownValues(w))
	return &c
}

// Signs of people and of secrets in a text of which nothing else is known.
var (
	mailText  = regexp.MustCompile(`[^\s"'<>(),;:=]+@[^\s"'<>(),;:=]+\.\pL{2,}`)
	tokenText = regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+|(?:token|password|passwd|secret|api[_-]?key)\s*=\s*)[^\s"',;&]{6,}`)
	jwtText   = regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*`)
)

// spareMin is the length in characters from which a value is looked for: shorter ones
// stand in any text.
const spareMin = 3

func spareText(text string, own []ownValue) string {
	for _, v := range own {
		text = v.takeOut(text)
	}
	text = jwtText.ReplaceAllString(text, "***")
	text = tokenText.ReplaceAllString(text, "$1***")
	return mailText.ReplaceAllString(text, "‹mail address›")
}

// ownValue is a value that is of one person, and what stands in its place.
type ownValue struct{ text, name string }

// takeOut replaces the value in text, in whatever case, where it is not part of a
// longer word.
func (v ownValue) takeOut(text string) string {
	var out strings.Builder
	for at := 0; at < len(text); {
		i := indexFold(text[at:], v.text)
		if i < 0 {
			out.WriteString(text[at:])
			break
		}
		from, to := at+i, at+i+len(v.text)
		before, _ := utf8.DecodeLastRuneInString(text[:from])
		after, _ := utf8.DecodeRuneInString(text[to:])
		if out.WriteString(text[at:from]); wordy(before) || wordy(after) {
			out.WriteString(text[from:to])
		} else {
			out.WriteString("‹" + v.name + "›")
		}
		at = to
	}
	return out.String()
}

func wordy(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// indexFold is where part first stands in text, in letters of any case that take the
// same room; -1: nowhere.
func indexFold(text, part string) int {
	for i := 0; i+len(part) <= len(text); i++ {
		if utf8.RuneStart(text[i]) && strings.EqualFold(text[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// ownValues are the values of the operation and of its account, the longest first. What
// it grants is nobody's: everybody who waits for the same group is to see which.
func ownValues(w *Work) (out []ownValue) {
	op := &w.Operation
	add := func(name, text string) {
		granted := slices.ContainsFunc(op.Grants, func(g plan.GrantChange) bool { return strings.EqualFold(g.Entitlement, text) })
		if utf8.RuneCountInString(text) >= spareMin && !granted {
			out = append(out, ownValue{text, name})
		}
	}
	addAll := func(name string, vs connector.Values) {
		for _, v := range vs {
			if s, ok := v.(string); ok {
				add(name, s)
			}
		}
	}
	for _, c := range op.Changes {
		addAll(c.Name, c.Before)
		addAll(c.Name, c.After)
	}
	for _, a := range w.Account.Applied {
		addAll(a.Name, a.Values)
	}
	add(op.Correlate.Attribute, op.Correlate.Value)
	for _, r := range []connector.Ref{op.Target, w.Account.Ref} {
		add("account", r.ID)
		add("account", r.Name)
	}
	slices.SortStableFunc(out, func(a, b ownValue) int { return cmp.Compare(len(b.text), len(a.text)) })
	return out
}
