package library

import "strings"

// layoutTokens are the letters of a date layout and what they are in Go, the
// longest first. Small letters stand for the same; mm after the hours are minutes.
var layoutTokens = []struct{ letters, layout string }{
	{"YYYY", "2006"}, {"MMMM", "January"}, {"MMM", "Jan"}, {"MM", "01"}, {"DD", "02"},
	{"HH", "15"}, {"SS", "05"}, {"YY", ""}, {"M", "1"}, {"D", "2"}, {"H", ""}, {"S", ""},
}

var layouts = memo[string]{make: goLayout}

// goLayout turns a layout such as DD.MM.YYYY or YYYY-MM-DDTHH:mm:SS into Go's
// form. Two-digit years are refused (QUIRKS HR-23).
func goLayout(text string) (string, error) {
	var out strings.Builder
	hours := false
	for rest := text; rest != ""; {
		upper := strings.ToUpper(rest)
		letters, layout := "", ""
		if hours && strings.HasPrefix(upper, "MM") {
			letters, layout = "MM", "04"
		} else {
			letters, layout = layoutToken(upper)
		}
		switch {
		case letters == "" && isDigitOrLetter(rest[0]) && rest[0] != 'T' && rest[0] != 'Z':
			return "", faultf("%q is no letter of a date layout; use YYYY, MM, M, MMM, MMMM, DD, D, HH, mm, SS", rest[:1])
		case letters == "":
			letters, layout = rest[:1], rest[:1]
		case layout == "":
			return "", faultf("the date layout has %q; years are YYYY, hours HH, seconds SS", rest[:len(letters)])
		}
		hours = hours || letters == "HH"
		out.WriteString(layout)
		rest = rest[len(letters):]
	}
	if out.Len() == 0 {
		return "", faultf("the date layout is empty; write one such as DD.MM.YYYY")
	}
	return out.String(), nil
}

func layoutToken(upper string) (letters, layout string) {
	for _, t := range layoutTokens {
		if strings.HasPrefix(upper, t.letters) {
			return t.letters, t.layout
		}
	}
	return "", ""
}

func isDigitOrLetter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
