package fakeldap

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// record is one entry of an LDIF content file.
type record struct {
	line   int // of its dn
	dn     string
	names  []string // in the order of their first value
	values map[string][]string
}

// parseLDIF reads content records (RFC 2849): folded lines, comments and base64;
// no change records and no URLs.
func parseLDIF(text string) ([]record, error) {
	var out []record
	var open *record
	for _, l := range unfold(text) {
		if l.text == "" {
			open = nil
			continue
		}
		name, value, err := parseLine(l.text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", l.number, err)
		}
		switch {
		case open == nil && strings.EqualFold(name, "version"):
		case open == nil && strings.EqualFold(name, "dn"):
			out = append(out, record{line: l.number, dn: value, values: map[string][]string{}})
			open = &out[len(out)-1]
		case open == nil:
			return nil, fmt.Errorf("line %d: a record begins with dn, not with %s", l.number, name)
		case strings.EqualFold(name, "changetype"):
			return nil, fmt.Errorf("line %d: change records are not read here, only entries", l.number)
		default:
			if open.values[name] == nil {
				open.names = append(open.names, name)
			}
			open.values[name] = append(open.values[name], value)
		}
	}
	return out, nil
}

type ldifLine struct {
	number int
	text   string
}

// unfold joins continued lines and drops comments.
func unfold(text string) []ldifLine {
	var out []ldifLine
	comment := false
	for n, l := range strings.Split(text, "\n") {
		l = strings.TrimSuffix(l, "\r")
		switch {
		case strings.HasPrefix(l, " ") && comment:
		case strings.HasPrefix(l, " ") && len(out) > 0:
			out[len(out)-1].text += l[1:]
		case strings.HasPrefix(l, "#"):
			comment = true
		default:
			comment = false
			out = append(out, ldifLine{n + 1, l})
		}
	}
	return out
}

func parseLine(l string) (name, value string, err error) {
	name, value, ok := strings.Cut(l, ":")
	switch {
	case !ok || name == "":
		return "", "", fmt.Errorf("%q is not \"name: value\"", l)
	case strings.HasPrefix(value, "<"):
		return "", "", fmt.Errorf("%s: values from URLs are not read", name)
	case strings.HasPrefix(value, ":"):
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value[1:]))
		if err != nil {
			return "", "", fmt.Errorf("%s: %w", name, err)
		}
		return name, string(b), nil
	}
	return name, strings.TrimLeft(value, " "), nil
}
