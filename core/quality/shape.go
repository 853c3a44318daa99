package quality

import "strings"

// Shape is what a value looks like.
type Shape uint8

// The shapes; an empty value has none.
const (
	Digits Shape = iota
	Text
	Mail
	Date
	Other // lists, truth values
	shapes
)

var shapeNames = [shapes]string{"numbers", "text", "mail addresses", "dates", "other values"}

// String names the shape in the plural.
func (s Shape) String() string { return shapeNames[s] }

// ShapeOf returns the shape of an attribute's value; ok is false when it is empty.
func ShapeOf(v any) (s Shape, ok bool) {
	switch x := v.(type) {
	case nil:
		return 0, false
	case int64, float64:
		return Digits, true
	case []string:
		return Other, len(x) > 0
	case string:
		return textShape(strings.TrimSpace(x))
	}
	return Other, true
}

func textShape(s string) (Shape, bool) {
	switch {
	case s == "":
		return 0, false
	case isDigits(s):
		return Digits, true
	case len(s) == 10 && s[4] == '-' && s[7] == '-' && isDigits(s[:4]) && isDigits(s[5:7]) && isDigits(s[8:]):
		return Date, true
	case isMail(s):
		return Mail, true
	}
	return Text, true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isMail(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	return found && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " \t,;")
}
