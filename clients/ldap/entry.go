package ldap

import (
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// Entry is one entry as the server returned it. Values are bytes kept in
// strings: nothing is taken for UTF-8 here.
type Entry struct {
	DN         DN
	Attributes []Attribute
}

// Attribute is one attribute of an entry. Options other than range are part of
// its name ("userCertificate;binary").
type Attribute struct {
	Name   string
	Values []string
	// next is where the rest of a ranged answer begins, 0 when it is whole.
	next int
}

// Get returns the values of an attribute, nil when there are none. Names are
// compared without regard to case.
func (e Entry) Get(attribute string) []string {
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, attribute) {
			return a.Values
		}
	}
	return nil
}

// First returns the first value of an attribute, "" when there is none.
func (e Entry) First(attribute string) string {
	if vs := e.Get(attribute); len(vs) > 0 {
		return vs[0]
	}
	return ""
}

// Has reports whether an attribute holds a directory string, compared without
// regard to case and spacing.
func (e Entry) Has(attribute, value string) bool {
	for _, v := range e.Get(attribute) {
		if Fold(v) == Fold(value) {
			return true
		}
	}
	return false
}

// entryOf reads an answer.
func entryOf(e *goldap.Entry) (Entry, error) { return rawOf(e).entry() }

func rawOf(e *goldap.Entry) rawEntry {
	raw := rawEntry{dn: e.DN, attributes: make([]Attribute, len(e.Attributes))}
	for i, a := range e.Attributes {
		raw.attributes[i] = Attribute{Name: a.Name, Values: a.Values}
	}
	return raw
}

// entry makes the entry. "member;range=0-1499" and the empty "member" that Active
// Directory sends beside it become one attribute whose rest is still to be read.
func (r rawEntry) entry() (Entry, error) {
	dn, err := ParseDN(r.dn)
	if err != nil {
		return Entry{}, err
	}
	out := Entry{DN: dn, Attributes: r.attributes[:0]}
	for _, a := range r.attributes {
		name, next, ranged := cutRange(a.Name)
		if !ranged && len(a.Values) == 0 {
			continue
		}
		out.Attributes = append(out.Attributes, Attribute{Name: name, Values: a.Values, next: next})
	}
	return out, nil
}
