package sql

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
	"github.com/provhub/provhub/wording"
)

// target returns the row that ref names, or NOT_FOUND, AMBIGUOUS. A reference
// that names nothing means the row the unit itself makes.
func (p *planner) target(ref connector.Ref) (*record, error) {
	if p.made != nil && p.names(ref, p.made) {
		p.is(p.made)
		return p.made, nil
	}
	r, err := p.lookUp(ref)
	if err != nil {
		return nil, err
	}
	if r == nil || r.hidden() {
		return nil, &connector.Error{Code: connector.CodeNotFound, Message: "there is no such " + orElse(ref.Type, p.m.users.typ)}
	}
	if a := r.e.anchor; a != nil && ref.ID != "" && ref.By.Attribute == a.attr && r.get(a) != nil && !a.same(r.get(a), ref.By.Value) {
		return nil, &connector.Error{Code: connector.CodeNotFound, Attributes: []string{a.attr}, Message: "the row with this id now belongs to somebody else: its " + a.attr + " is another"}
	}
	p.is(r)
	return r, nil
}

// names reports whether ref means r.
func (p *planner) names(ref connector.Ref, r *record) bool {
	switch {
	case ref.Type != "" && ref.Type != r.e.typ:
		return false
	case ref.ID != "":
		return ref.ID == r.id()
	case !ref.By.IsZero():
		c := r.e.attr(ref.By.Attribute)
		return c != nil && c.same(r.get(c), ref.By.Value)
	}
	return ref.Name == "" || r.e.key.same(r.get(r.e.key), ref.Name)
}

// lookUp returns the one row that ref finds, nil when there is none. Rows that only
// the database's collation takes for equal do not count.
func (p *planner) lookUp(ref connector.Ref) (*record, error) {
	e := p.m.entity(ref.Type)
	if e == nil {
		return nil, p.unknownType(ref.Type)
	}
	l, ok := p.m.lookupOf(ref)
	if !ok {
		return nil, &connector.Error{Code: connector.CodeInvalidValue, Message: fmt.Sprintf("the operation does not say which %s it means", e.typ)}
	}
	if p.blind || e.assumed {
		return p.assumed(l), nil
	}
	return exactlyOne(l, p.snap.rows[l])
}

// exactlyOne picks the row that l means.
func exactlyOne(l lookup, rows []*record) (*record, error) {
	var hits []*record
	for _, r := range rows {
		if l.c.same(r.get(l.c), l.value) {
			hits = append(hits, r)
		}
	}
	if len(hits) > 1 {
		return nil, &connector.Error{Code: connector.CodeAmbiguous, Attributes: []string{l.c.attr},
			Message: fmt.Sprintf("%d rows of %s have the same %s", len(hits), l.e.typ, orElse(l.c.attr, l.c.Name))}
	}
	if len(hits) == 0 {
		return nil, nil
	}
	return hits[0], nil
}

// assumed is the row that a preview takes to exist.
func (p *planner) assumed(l lookup) *record {
	r := newRecord(l.e)
	r.set(l.e.id, "")
	r.set(l.c, l.value)
	return r
}

func (p *planner) unknownType(typ string) error {
	var known []string
	for _, e := range p.m.entities() {
		known = append(known, e.typ)
	}
	return &connector.Error{Code: connector.CodeInvalidValue, Message: fmt.Sprintf("there is no object type %q%s", typ, wording.DidYouMean(typ, known))}
}

// attribute returns the column that an attribute is written to.
func (p *planner) attribute(e *entity, name string) (*column, error) {
	c := e.attr(name)
	switch {
	case c == nil:
		return nil, &connector.Error{Code: connector.CodeInvalidValue, Attributes: []string{name},
			Message: fmt.Sprintf("%s has no attribute %q%s", e.typ, name, wording.DidYouMean(name, e.attributeNames()))}
	case c.readOnly:
		return nil, c.invalid("is set by the app and cannot be written")
	}
	return c, nil
}

// refer gives references without an id the id of the row they find.
// DEPENDENCY_MISSING when it is not there yet.
func (p *planner) refer(c *column, vs connector.Values) (connector.Values, error) {
	if c.refersTo == nil || len(vs) != 1 {
		return vs, nil
	}
	ref, ok := vs[0].(connector.Ref)
	if !ok || ref.ID != "" {
		return vs, nil
	}
	ref.Type = c.refersTo.typ
	r, err := p.lookUp(ref)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, &connector.Error{Code: connector.CodeDependencyMissing, Attributes: []string{c.attr},
			Message: fmt.Sprintf("%s refers to a %s that is not in the database yet", c.attr, c.refersTo.typ)}
	}
	return connector.Values{r.ref()}, nil
}

// here writes the condition that finds r: by id, or by key while the unit that
// makes the row does not know its id.
func (p *planner) here(r *record) func(*dialect.Builder) {
	c := r.e.id
	if r.id() == "" && r.get(c) == nil {
		c = r.e.key
	}
	return p.whereIs(c, r.get(c))
}

func (p *planner) whereIs(c *column, v connector.Value) func(*dialect.Builder) {
	bound, err := c.encode(v)
	if err != nil {
		bound = connector.Text(v) // only a preview has a value that does not fit
	}
	return c.equals(bound)
}
