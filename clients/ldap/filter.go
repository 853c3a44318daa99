package ldap

import (
	"fmt"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// Filter is a search filter (RFC 4511 §4.5.1.7) that was built from its parts,
// so that no value can change its meaning. The zero Filter matches every entry.
type Filter struct {
	text string
	err  error // an attribute that is none
}

// Equal matches entries with this value of an attribute.
func Equal(attribute, value string) Filter { return item(attribute, "=", value) }

// EqualBytes is Equal for a binary value, such as a GUID.
func EqualBytes(attribute string, value []byte) Filter {
	var b strings.Builder
	for _, c := range value {
		fmt.Fprintf(&b, `\%02x`, c)
	}
	f := item(attribute, "=", "")
	return Filter{strings.TrimSuffix(f.text, ")") + b.String() + ")", f.err}
}

// AtLeast and AtMost compare by the attribute's ordering rule.
func AtLeast(attribute, value string) Filter { return item(attribute, ">=", value) }

// AtMost matches entries whose value is not above value.
func AtMost(attribute, value string) Filter { return item(attribute, "<=", value) }

// Present matches entries with any value of an attribute.
func Present(attribute string) Filter {
	f := item(attribute, "=", "")
	return Filter{strings.TrimSuffix(f.text, ")") + "*)", f.err}
}

// And matches what all of fs match; without fs: every entry.
func And(fs ...Filter) Filter { return set('&', fs) }

// Or matches what one of fs matches; without fs: no entry (RFC 4526).
func Or(fs ...Filter) Filter {
	if len(fs) == 0 {
		return Filter{text: "(|)"}
	}
	return set('|', fs)
}

// Not matches what f does not match.
func Not(f Filter) Filter { return Filter{"(!" + f.String() + ")", f.err} }

// ParseFilter reads the string form of RFC 4515, for filters that stand in a config.
func ParseFilter(text string) (Filter, error) {
	if _, err := goldap.CompileFilter(text); err != nil {
		return Filter{}, fmt.Errorf("%q is not a filter such as (objectClass=person): %w", text, err)
	}
	return Filter{text: text}, nil
}

// String returns the string form of RFC 4515.
func (f Filter) String() string {
	if f.text == "" {
		return "(objectClass=*)"
	}
	return f.text
}

func item(attribute, operator, value string) Filter {
	f := Filter{text: "(" + attribute + operator + goldap.EscapeFilter(value) + ")"}
	if !isDescription(attribute) {
		f.err = fmt.Errorf("%q is not the name of an attribute", attribute)
	}
	return f
}

func set(operator byte, fs []Filter) Filter {
	switch len(fs) {
	case 0:
		return Filter{}
	case 1:
		return fs[0]
	}
	var b strings.Builder
	b.WriteByte('(')
	b.WriteByte(operator)
	out := Filter{}
	for _, f := range fs {
		b.WriteString(f.String())
		if f.err != nil {
			out.err = f.err
		}
	}
	out.text = b.String() + ")"
	return out
}
