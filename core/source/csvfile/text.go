package csvfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// tidy returns the text of a cell in the form in which it is compared and
// handed on: without blanks around it, without zero-width and bidirectional
// control characters (QUIRKS HR-19), in Unicode normal form C. Text that
// cannot be meant is an error that names the character, never the text.
func tidy(s string) (string, error) {
	if isPlain(s) {
		return s, nil
	}
	strip, compose := false, false
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError:
			return "", errLost
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0:
			return "", controlError(r)
		case invisible(r):
			strip = true
		}
		compose = compose || r >= firstCombining
		i += size
	}
	if strip {
		s = strings.Map(func(r rune) rune {
			if invisible(r) {
				return -1
			}
			return r
		}, s)
	}
	s = strings.TrimFunc(s, unicode.IsSpace)
	if compose && norm.NFC.QuickSpanString(s) != len(s) {
		s = norm.NFC.String(s)
	}
	return s, nil
}

// firstCombining is the first character that may be joined with another one;
// text before it, which is all of Latin, is in normal form as it is.
const firstCombining = 0x300

// isPlain reports whether s is printable ASCII without blanks around it, which
// nearly every cell is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return s == "" || s[0] != ' ' && s[len(s)-1] != ' '
}

func invisible(r rune) bool {
	switch {
	case r == 0xad, r == 0x61c, r == 0x180e, r == 0xfeff:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069:
		return true
	}
	return false
}

// errLost is what tidy says of U+FFFD: either the decoder put it for bytes that
// are not text in the file's encoding, or the export holds it already.
var errLost = fmt.Errorf("holds U+FFFD, the mark of a character that was lost before")

func controlError(r rune) error {
	hint := ""
	switch {
	case r == 0:
		hint = " (a NUL byte)"
	case r >= 0x80:
		hint = "; the file is probably windows-1252: say so as its encoding"
	}
	return fmt.Errorf("holds the control character U+%04X%s", r, hint)
}
