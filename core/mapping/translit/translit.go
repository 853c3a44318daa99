// Package translit writes names in plain Latin letters. What a letter becomes
// depends on the language, so the tables are data, one file for each locale;
// stripping marks alone would leave ł, ø, ß and every Cyrillic letter as they
// are (QUIRKS HR-15).
package translit

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Clean returns text in the composed form (NFC) without the characters nobody
// sees: zero-width, bidi controls, soft hyphens, control characters other than
// white space (QUIRKS HR-19). Typographic apostrophes and dashes become ' and -.
func Clean(text string) string {
	if plain(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.IsControl(r) && !unicode.IsSpace(r):
			return -1
		case strings.ContainsRune("’‘ʼʹ′`´", r):
			return '\''
		case unicode.Is(unicode.Pd, r):
			return '-'
		}
		return r
	}, norm.NFC.String(text))
}

// plain reports whether text is printable ASCII that Clean would not touch.
func plain(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c > '~' || c == '`' {
			return false
		}
	}
	return true
}

// Normalize writes text with the letters of the table: its own, else those of
// the default table, else without its marks. A letter that is in no table and
// has no marks (CJK) stays as it is. Upper case is kept: "Ärger" gives "Aerger",
// "ÄRGER" gives "AERGER".
func (t *Table) Normalize(text string) string {
	text = Clean(text)
	if plain(text) {
		return text
	}
	in := []rune(text)
	var out strings.Builder
	out.Grow(len(text))
	for i := 0; i < len(in); {
		initial := i == 0 || !unicode.IsLetter(in[i-1]) && in[i-1] != '\''
		to, n, ok := t.find(in[i:], initial)
		if !ok {
			out.WriteString(t.unmark(in[i]))
			i++
			continue
		}
		out.WriteString(inCase(to, in, i, n))
		i += n
	}
	return norm.NFC.String(out.String())
}

// find returns what the longest entry at the start of in becomes, and how many
// runes it covers.
func (t *Table) find(in []rune, initial bool) (to string, n int, ok bool) {
	for n = min(t.longest, len(in)); n > 0; n-- {
		key := lowerKey(in[:n])
		if initial {
			if to, ok = t.initial[key]; ok {
				return to, n, true
			}
		}
		if to, ok = t.letters[key]; ok {
			return to, n, true
		}
	}
	if t.base == nil {
		return "", 0, false
	}
	return t.base.find(in, initial)
}

// unmark takes the marks off one rune; the bare letter goes through the tables
// once more, so that ǿ becomes what ø becomes.
func (t *Table) unmark(r rune) string {
	if r < unicode.MaxASCII {
		return string(r)
	}
	var out strings.Builder
	for _, b := range norm.NFKD.String(string(r)) {
		if unicode.Is(unicode.M, b) {
			continue
		}
		if to, _, ok := t.find([]rune{b}, false); ok && b != r {
			out.WriteString(inCase(to, []rune{b}, 0, 1))
			continue
		}
		out.WriteRune(b)
	}
	return out.String()
}

// inCase gives to the case of in[at:at+n], judged by the letters around it.
func inCase(to string, in []rune, at, n int) string {
	if to == "" || !unicode.IsUpper(in[at]) {
		return to
	}
	next, prev := at+n, at-1
	shout := n > 1 && unicode.IsUpper(in[at+n-1])
	switch {
	case n > 1:
	case next < len(in) && unicode.IsLetter(in[next]):
		shout = unicode.IsUpper(in[next])
	case prev >= 0 && unicode.IsLetter(in[prev]):
		shout = unicode.IsUpper(in[prev])
	}
	if shout {
		return strings.ToUpper(to)
	}
	return strings.ToUpper(to[:1]) + to[1:]
}

func lowerKey(in []rune) string {
	if len(in) == 1 {
		return string(unicode.ToLower(in[0]))
	}
	return strings.ToLower(string(in))
}

// ASCII drops every character that is not printable ASCII.
func ASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
}
