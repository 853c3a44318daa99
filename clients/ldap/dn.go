package ldap

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"
)

// AVA is one attribute type and value of a relative name, unescaped.
type AVA struct{ Type, Value string }

// RDN is a relative distinguished name: one AVA, seldom more ("cn=a+sn=b").
type RDN []AVA

// DN is a distinguished name, the entry's own RDN first. The zero DN is the
// root DSE. Two DNs are compared with [DN.Equal], never as text: servers answer
// with other case, spacing and escapes than was written.
type DN struct{ rdns []RDN }

// NewRDN makes a relative name of one attribute. value is taken as it is.
func NewRDN(attribute, value string) RDN { return RDN{{attribute, value}} }

// ParseDN reads the string form of RFC 4514. "" is the root DSE.
func ParseDN(text string) (DN, error) {
	parsed, err := goldap.ParseDN(text)
	if err != nil {
		return DN{}, fmt.Errorf("%q is not a distinguished name such as ou=people,dc=example,dc=org: %w", text, err)
	}
	d := DN{rdns: make([]RDN, 0, len(parsed.RDNs))}
	for _, r := range parsed.RDNs {
		rdn := make(RDN, 0, len(r.Attributes))
		for _, a := range r.Attributes {
			if !isDescription(a.Type) {
				return DN{}, fmt.Errorf("%q is not a distinguished name: %q is not an attribute", text, a.Type)
			}
			rdn = append(rdn, AVA{a.Type, a.Value})
		}
		d.rdns = append(d.rdns, rdn)
	}
	return d, nil
}

// String returns the string form of RFC 4514. Beside what the RFC asks for it
// escapes control characters, which would break lines in LDIF and logs, and
// bytes that are not UTF-8.
func (d DN) String() string {
	var b strings.Builder
	for i, r := range d.rdns {
		if i > 0 {
			b.WriteByte(',')
		}
		r.write(&b)
	}
	return b.String()
}

// String returns the string form of RFC 4514.
func (r RDN) String() string {
	var b strings.Builder
	r.write(&b)
	return b.String()
}

func (r RDN) write(b *strings.Builder) {
	for i, a := range r {
		if i > 0 {
			b.WriteByte('+')
		}
		b.WriteString(a.Type)
		b.WriteByte('=')
		writeEscaped(b, a.Value)
	}
}

func writeEscaped(b *strings.Builder, value string) {
	if !strings.ContainsFunc(value, mayNeedEscape) {
		b.WriteString(value)
		return
	}
	for i, r := range value {
		last := i == len(value)-1
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(value[i:], string(utf8.RuneError)): // not UTF-8
			fmt.Fprintf(b, `\%02x`, value[i])
		case unicode.IsControl(r):
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(b, `\%02x`, c)
			}
		case strings.ContainsRune(`"+,;<>\=`, r), r == ' ' && (i == 0 || last), r == '#' && i == 0:
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
}

// mayNeedEscape is false for runes that stand for themselves wherever they are in a value.
func mayNeedEscape(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_' || r == '@')
}

// IsRoot reports whether d is the root DSE.
func (d DN) IsRoot() bool { return len(d.rdns) == 0 }

// RDN returns the entry's own relative name, nil for the root DSE.
func (d DN) RDN() RDN {
	if d.IsRoot() {
		return nil
	}
	return slices.Clone(d.rdns[0])
}

// Value returns the value that the relative name has for an attribute, "" when
// it has none.
func (r RDN) Value(attribute string) string {
	for _, a := range r {
		if strings.EqualFold(a.Type, attribute) {
			return a.Value
		}
	}
	return ""
}

// Parent returns the name of the entry above; the root DSE is its own.
func (d DN) Parent() DN {
	if d.IsRoot() {
		return d
	}
	return DN{d.rdns[1:]}
}

// Child returns the name of the entry r below d.
func (d DN) Child(r RDN) DN { return DN{append([]RDN{slices.Clone(r)}, d.rdns...)} }

// Equal reports whether two names name the same entry (distinguishedNameMatch,
// RFC 4517 §4.2.15). Values are compared as directory strings are, without
// regard to case, spaces at the ends and runs of spaces.
func (d DN) Equal(other DN) bool {
	return slices.EqualFunc(d.rdns, other.rdns, RDN.Equal)
}

// Equal reports whether two relative names are the same; the order of a
// relative name with several attributes does not matter.
func (r RDN) Equal(other RDN) bool { return slices.Equal(r, other) || r.key() == other.key() }

// Within reports whether d is base or stands below it.
func (d DN) Within(base DN) bool {
	n := len(d.rdns) - len(base.rdns)
	return n >= 0 && DN{d.rdns[n:]}.Equal(base)
}

// Key returns text that two names share if and only if they are equal. It is
// for maps; servers do not take it.
func (d DN) Key() string {
	keys := make([]string, len(d.rdns))
	for i, r := range d.rdns {
		keys[i] = r.key()
	}
	return strings.Join(keys, ",")
}

func (r RDN) key() string {
	parts := make([]string, len(r))
	for i, a := range r {
		var b strings.Builder
		b.WriteString(strings.ToLower(a.Type))
		b.WriteByte('=')
		writeEscaped(&b, Fold(a.Value))
		parts[i] = b.String()
	}
	slices.Sort(parts)
	return strings.Join(parts, "+")
}

// Fold prepares a directory string for comparison without regard to case
// (RFC 4518): compatibility form, case folded rune by rune, spaces at the ends
// dropped and runs of them made one.
func Fold(s string) string {
	fields := strings.FieldsFunc(norm.NFKC.String(s), func(r rune) bool { return r == ' ' })
	return strings.Map(foldRune, strings.Join(fields, " "))
}

// foldRune returns the least rune that differs from r in case only, as
// [strings.EqualFold] takes them for equal.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return unicode.ToUpper(r) // of ASCII letters, the one that comes first
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

// isDescription reports whether s can stand for an attribute in a name, a
// filter or a request: a descriptor or OID with options (RFC 4512 §2.5).
func isDescription(s string) bool {
	for _, c := range s {
		if c > '~' || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-.;", c) {
			return false
		}
	}
	return s != ""
}
