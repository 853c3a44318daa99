package query

import (
	"fmt"
	"strings"
)

// Path says what a PATCH operation is about:
//
//	name    urn:…:User:manager.value    emails[type eq "work"]    emails[type eq "work"].value
type Path struct {
	Attr   Attr
	Filter Expr   // nil: the whole attribute
	Sub    string // after "]"; "": none
}

// String returns the path in canonical form.
func (p Path) String() string {
	s := p.Attr.String()
	if p.Filter != nil {
		s += "[" + p.Filter.String() + "]"
	}
	if p.Sub != "" {
		s += "." + p.Sub
	}
	return s
}

// ParsePath reads the path of a PATCH operation (RFC 7644 §3.5.2). The error is
// an [*Error].
func ParsePath(text string) (Path, error) {
	p, err := newParser(text)
	if err != nil {
		return Path{}, err
	}
	t := p.take()
	if t.kind != tokenWord || t.spaced {
		return Path{}, &Error{t.at, fmt.Sprintf("want an attribute, got %s", t)}
	}
	a, err := parseAttr(t)
	if err != nil {
		return Path{}, err
	}
	if next := p.peek(); !next.is("[") {
		if next.spaced {
			return Path{}, &Error{t.at + len(t.text), "a space has no place here"}
		}
		return Path{Attr: a}, p.end()
	}
	e, err := p.valuePath(a)
	if err != nil {
		return Path{}, err
	}
	path := Path{Attr: a, Filter: e.(ValuePath).Filter}
	if t := p.peek(); t.kind == tokenWord && !t.spaced {
		p.next++
		name, ok := strings.CutPrefix(t.text, ".")
		if !ok || !isName(name) {
			return Path{}, &Error{t.at, fmt.Sprintf("want a sub-attribute such as .value, got %s", t)}
		}
		path.Sub = name
	}
	return path, p.end()
}

// ParseAttr reads the name of an attribute, as the parameters attributes and
// sortBy hold it. The error is an [*Error].
func ParseAttr(text string) (Attr, error) {
	p, err := ParsePath(strings.TrimSpace(text))
	switch {
	case err != nil:
		return Attr{}, err
	case p.Filter != nil:
		return Attr{}, &Error{0, "a filter has no place here"}
	}
	return p.Attr, nil
}

// parseAttr splits a word at its last colon and at the dot after that.
func parseAttr(t token) (Attr, error) {
	var a Attr
	name := t.text
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		a.URI, name = name[:i], name[i+1:]
		if !strings.Contains(a.URI, ":") {
			return Attr{}, &Error{t.at, fmt.Sprintf("%q is no schema's URI", a.URI)}
		}
	}
	a.Name = name
	if base, sub, ok := strings.Cut(name, "."); ok {
		a.Name, a.Sub = base, sub
		if !isName(sub) {
			return Attr{}, &Error{t.at, fmt.Sprintf("%q is no sub-attribute's name", sub)}
		}
	}
	if !isName(a.Name) {
		return Attr{}, &Error{t.at, fmt.Sprintf("%q is no attribute's name", a.Name)}
	}
	return a, nil
}

// isName reports whether s is an ATTRNAME, or "$ref", which the grammar forgot
// (RFC 7643 §2.1, §2.4).
func isName(s string) bool {
	s = strings.TrimPrefix(s, "$")
	if s == "" || !(s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z') {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) < 0
}
