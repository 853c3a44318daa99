package scim

import (
	"fmt"
	"strings"
)

// Path names an attribute (RFC 7644 §3.10), or values of a multi-valued one:
//
//	userName
//	name.givenName
//	emails[type eq "work"].value
//	urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value
type Path struct {
	Schema string // URI of the extension; "" for core attributes
	Attr   string
	Where  Filter // which values; nil: all
	Sub    string // sub-attribute; "": the attribute itself
}

// EnterpriseUser is the URI of the enterprise extension (RFC 7643 §4.3).
const EnterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// Core schema URIs (RFC 7643 §8).
const (
	coreUser  = "urn:ietf:params:scim:schemas:core:2.0:User"
	coreGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"
)

// ParsePath reads a path. A core schema's URI in front is left away: core
// attributes go without.
func ParsePath(text string) (Path, error) {
	p := &filterParser{text: text}
	path, err := p.path(true)
	if err == nil && p.at < len(p.text) {
		err = p.fault("unexpected %q", p.text[p.at:])
	}
	if err != nil {
		return Path{}, fmt.Errorf("%q is not an attribute path such as name.givenName or emails[type eq \"work\"].value: %w", text, err)
	}
	return path, nil
}

// MustPath is [ParsePath] for paths that stand in code. It panics on a fault.
func MustPath(text string) Path {
	p, err := ParsePath(text)
	if err != nil {
		panic("scim: " + err.Error())
	}
	return p
}

// String returns the path as ParsePath reads it.
func (p Path) String() string { return p.text(":") }

// Bare returns the path without filter and sub-attribute.
func (p Path) Bare() Path { return Path{Schema: p.Schema, Attr: p.Attr} }

// IsZero reports whether the path names nothing.
func (p Path) IsZero() bool { return p.Attr == "" }

// Names reports whether both paths name the same attribute, filters aside.
func (p Path) Names(o Path) bool {
	return strings.EqualFold(p.Schema, o.Schema) && strings.EqualFold(p.Attr, o.Attr) && strings.EqualFold(p.Sub, o.Sub)
}

// in reports whether the path is in a list of attributes from a profile: itself
// or the attribute that it is part of.
func (p Path) in(list []string) bool {
	for _, name := range list {
		o, err := ParsePath(name)
		if err == nil && (p.Names(o) || p.Bare().Names(o)) {
			return true
		}
	}
	return false
}

// text writes the path with sep between schema and attribute.
func (p Path) text(sep string) string {
	var b strings.Builder
	if p.Schema != "" {
		b.WriteString(p.Schema)
		b.WriteString(sep)
	}
	b.WriteString(p.Attr)
	if p.Where != nil {
		b.WriteByte('[')
		b.WriteString(p.Where.String())
		b.WriteByte(']')
	}
	if p.Sub != "" {
		b.WriteByte('.')
		b.WriteString(p.Sub)
	}
	return b.String()
}

// separator returns what stands between schema and attribute in a path.
func (p *Profile) separator() string {
	if p.ExtSep == SepDot {
		return "."
	}
	return ":"
}
