package fakeldap

import (
	"slices"
	"time"
)

// entry is one object of the directory. What the server keeps by itself, such
// as timestamps and ids, is not among the attributes but computed from the fields.
type entry struct {
	seq      uint64 // order of creation: listings follow it
	dn       dn
	parent   *entry
	children map[*entry]struct{}
	attrs    []*attribute
	gone     bool

	id                 [16]byte // entryUUID, nsUniqueId, objectGUID
	rid                uint32   // the last part of objectSid; 0: it has none
	created, modified  time.Time
	creator, modifier  string
	usnBorn, usn       uint64 // the directory's change count at creation and at the last change
	secret             credential
	failures           int
	lockedAt, loggedOn time.Time
}

// attribute is a description and its values, a set (RFC 4511 §4.1.7).
type attribute struct {
	description
	values []string
	norms  []string       // what the equality rule compares, value by value
	places map[string]int // from norm to its place; nil for a short list
	// dangling are the norms of links that pointed to nothing when they were
	// written (see link.tracked).
	dangling map[string]bool
}

// listBound is how long a list may be to be searched from front to back.
const listBound = 16

func (a *attribute) find(norm string) int {
	if a.places != nil {
		if i, ok := a.places[norm]; ok {
			return i
		}
		return -1
	}
	return slices.Index(a.norms, norm)
}

// put appends a value that is not there yet.
func (a *attribute) put(value, norm string) {
	if a.places == nil && len(a.values) == listBound {
		a.places = make(map[string]int, 2*listBound)
		for i, n := range a.norms {
			a.places[n] = i
		}
	}
	if a.places != nil {
		a.places[norm] = len(a.values)
	}
	a.values, a.norms = append(a.values, value), append(a.norms, norm)
}

// cut removes the value at place i. In a long list the last one takes its place:
// values are a set, and moving a hundred thousand would be slow.
func (a *attribute) cut(i int) {
	delete(a.dangling, a.norms[i])
	if a.places == nil {
		a.values, a.norms = slices.Delete(a.values, i, i+1), slices.Delete(a.norms, i, i+1)
		return
	}
	last := len(a.values) - 1
	delete(a.places, a.norms[i])
	if i != last {
		a.values[i], a.norms[i] = a.values[last], a.norms[last]
		a.places[a.norms[i]] = i
	}
	a.values, a.norms = a.values[:last], a.norms[:last]
}

// attr returns the attribute with exactly this description; nil: there is none.
func (e *entry) attr(d description) *attribute {
	for _, a := range e.attrs {
		if a.description == d {
			return a
		}
	}
	return nil
}

// stored returns the values of the type without options.
func (e *entry) stored(t *attributeType) []string {
	if a := e.attr(description{typ: t}); a != nil {
		return a.values
	}
	return nil
}

// has reports whether an attribute of the type is there, with any options.
func (e *entry) has(t *attributeType) bool {
	return slices.ContainsFunc(e.attrs, func(a *attribute) bool { return a.typ == t })
}

// pseudo reports whether the entry is none of the tree: the root DSE, the subschema.
func (e *entry) pseudo() bool { return e.seq == 0 }

func (e *entry) inTree() bool { return e.seq != 0 && !e.gone }
