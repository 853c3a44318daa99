package quality

import (
	"fmt"
	"maps"
	"strings"

	"github.com/provhub/provhub/core/identity"
)

// valuesKept bounds the values of a segment that are counted. Of one with more,
// those that came first are.
const valuesKept = 500

// Profile counts what a source holds. It is kept with a reading and carried on by
// what changed, so that judging the next one costs what changed.
type Profile struct {
	// Of names what is counted; a profile of something else is of no use.
	Of     string `json:"of"`
	People int    `json:"people"`
	// Columns are the filled values of each attribute, by shape.
	Columns map[string][shapes]int `json:"columns,omitempty"`
	// Segments are the people of each value, by attribute.
	Segments map[string]map[string]int `json:"segments,omitempty"`
	// Circle are the anchors of people whose managers lead back to them.
	Circle []string `json:"circle,omitempty"`
	// Unknown are the anchors that are named as a manager and that nobody has, and by
	// how many people.
	Unknown map[string]int `json:"unknown,omitempty"`
}

// Subject says what is counted of a source.
type Subject struct {
	Anchor    string   // the attribute with the anchor; "": it is none
	Columns   []string // the attributes
	Segments  []string // those whose values divide the people
	Reference string   // the one that names the manager; "": none
}

// New returns an empty profile of s.
func (s Subject) New() *Profile {
	p := &Profile{Of: s.key(), Columns: map[string][shapes]int{}, Segments: map[string]map[string]int{}}
	for _, name := range s.Segments {
		p.Segments[name] = map[string]int{}
	}
	return p
}

// key names what is counted.
func (s Subject) key() string { return fmt.Sprintf("1 %q", s) }

// Fits reports whether p counts what s says; a nil profile does not.
func (s Subject) Fits(p *Profile) bool { return p != nil && p.Of == s.key() }

// Clone returns a copy that shares nothing.
func (p *Profile) Clone() *Profile {
	c := *p
	c.Columns, c.Segments, c.Unknown = maps.Clone(p.Columns), make(map[string]map[string]int, len(p.Segments)), maps.Clone(p.Unknown)
	if c.Columns == nil {
		c.Columns = map[string][shapes]int{}
	}
	for name, values := range p.Segments {
		c.Segments[name] = maps.Clone(values)
	}
	c.Circle = append([]string(nil), p.Circle...)
	return &c
}

// Count adds a person n times: 1 for one who is there, −1 for one who was.
func (s Subject) Count(p *Profile, a identity.Attributes, n int) {
	p.People += n
	for _, name := range s.Columns {
		if shape, filled := ShapeOf(a[name]); filled {
			c := p.Columns[name]
			c[shape] += n
			p.Columns[name] = c
		}
	}
	for _, name := range s.Segments {
		count(p.Segments, name, a, n)
	}
}

func count(segments map[string]map[string]int, name string, a identity.Attributes, n int) {
	values := segments[name]
	if values == nil {
		values = map[string]int{}
		segments[name] = values
	}
	v := strings.TrimSpace(a.Text(name))
	if _, known := values[v]; v == "" || !known && len(values) >= valuesKept {
		return
	}
	if values[v] += n; values[v] <= 0 {
		delete(values, v)
	}
}

// filled is how many people have a value in a column.
func (p *Profile) filled(column string) (n int) {
	for _, k := range p.Columns[column] {
		n += k
	}
	return n
}

// dominant returns the shape that most values of a column have.
func (p *Profile) dominant(column string) (best Shape) {
	c := p.Columns[column]
	for s := range shapes {
		if c[s] > c[best] {
			best = s
		}
	}
	return best
}
