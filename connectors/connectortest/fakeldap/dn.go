package fakeldap

import (
	"fmt"
	"slices"
	"strings"

	ldap "github.com/go-ldap/ldap/v3"
)

// dn is a distinguished name. The zero dn is that of the root DSE.
type dn struct {
	rdns []rdn
}

// rdn is a relative distinguished name. key compares, text shows.
type rdn struct {
	avas      []ava
	key, text string
}

// ava is one "type=value" of an RDN.
type ava struct {
	typ   *attributeType
	value string
}

// parseDN reads the string form (RFC 4514); the answer to a bad one is 34.
func (s *schema) parseDN(v string) (dn, error) {
	parsed, err := ldap.ParseDN(v)
	if err != nil {
		return dn{}, badDN(v)
	}
	d := dn{rdns: make([]rdn, len(parsed.RDNs))}
	for i, p := range parsed.RDNs {
		if d.rdns[i], err = s.rdnOf(p); err != nil {
			return dn{}, badDN(v)
		}
	}
	return d, nil
}

func badDN(string) error { return refuse(invalidDNSyntax, "invalid DN").ad(winBadName) }

func (s *schema) rdnOf(p *ldap.RelativeDN) (rdn, error) {
	r := rdn{avas: make([]ava, len(p.Attributes))}
	keys, texts := make([]string, len(r.avas)), make([]string, len(r.avas))
	for i, a := range p.Attributes {
		t := s.types[strings.ToLower(a.Type)]
		if t == nil || t.normal == nil || a.Value == "" || !t.valid(a.Value) {
			return r, fmt.Errorf("%s: the type is not known, or the value does not fit it", a.Type)
		}
		r.avas[i] = ava{t, a.Value}
		keys[i] = t.key + "=" + s.escape(t.normal(a.Value))
		texts[i] = s.shown(t) + "=" + s.escape(a.Value)
	}
	slices.Sort(keys)
	if s.flavor == OpenLDAP {
		slices.Sort(texts) // it shows the parts of an RDN in order, too
	}
	r.key, r.text = strings.Join(keys, "+"), strings.Join(texts, "+")
	return r, nil
}

// shown is how a flavor writes an attribute type in a DN.
func (s *schema) shown(t *attributeType) string {
	if s.flavor == ActiveDirectory {
		return strings.ToUpper(t.name())
	}
	return t.name()
}

// escape writes a value as RFC 4514 §2.4 wants it. OpenLDAP writes what is
// special as hex and leaves control characters as they are; the others put a
// backslash before what is special and write control characters as hex.
func (s *schema) escape(v string) string {
	if !strings.ContainsAny(v, " #,+\"\\<>;=") && !strings.ContainsFunc(v, isControl) {
		return v
	}
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		special := strings.IndexByte(`,+"\<>;=`, c) >= 0 || c == ' ' && (i == 0 || i == len(v)-1) || c == '#' && i == 0
		switch {
		case special && s.flavor != OpenLDAP:
			b.WriteByte('\\')
			b.WriteByte(c)
		case special, isControl(rune(c)) && s.flavor != OpenLDAP:
			fmt.Fprintf(&b, "\\%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// key is the same for all spellings of a DN.
func (d dn) key() string {
	keys := make([]string, len(d.rdns))
	for i := range d.rdns {
		keys[i] = d.rdns[i].key
	}
	return strings.Join(keys, ",")
}

// String returns the DN as the server writes it.
func (d dn) String() string {
	texts := make([]string, len(d.rdns))
	for i := range d.rdns {
		texts[i] = d.rdns[i].text
	}
	return strings.Join(texts, ",")
}

func (d dn) isRoot() bool { return len(d.rdns) == 0 }

func (d dn) parent() dn { return dn{d.rdns[1:]} }

// child puts r in front of d.
func (d dn) child(r rdn) dn { return dn{append([]rdn{r}, d.rdns...)} }

// within reports whether d is o or below it.
func (d dn) within(o dn) bool {
	n := len(d.rdns) - len(o.rdns)
	return n >= 0 && slices.EqualFunc(d.rdns[n:], o.rdns, func(a, b rdn) bool { return a.key == b.key })
}

// dnKey normalises a DN that stands as a value; what is no DN stays as it is.
func (s *schema) dnKey(v string) string {
	d, err := s.parseDN(v)
	if err != nil {
		return v
	}
	return d.key()
}

// prepare returns a value as it is stored, and what its equality rule compares.
// OpenLDAP rewrites DNs in its own spelling; Active Directory shows a linked
// entry's own name.
func (d *directory) prepare(t *attributeType, v string) (value, norm string) {
	if t.syntax != syntaxDN || d.flavor == DS389 {
		return v, canonical(t, v)
	}
	name, err := d.parseDN(v)
	if err != nil {
		return v, v
	}
	key := name.key()
	if e := d.entries[key]; e != nil && d.flavor == ActiveDirectory {
		return e.dn.String(), key
	}
	return name.String(), key
}
