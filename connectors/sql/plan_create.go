package sql

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// assignment is an encoded value on its way into a column.
type assignment struct {
	c     *column
	bound any
}

// create makes the row, unless it is there already:
//
//	row with the wanted anchor   row with the wanted key   answer
//	none                         none                      insert
//	none                         somebody's                ALREADY_EXISTS
//	ours                         ours or none              adopted, unchanged, or ALREADY_EXISTS
//	ours                         somebody else's           ALREADY_EXISTS
//
// Without an anchor the key alone says whose the row is.
func (p *planner) create(op connector.Create) error {
	e := p.m.entity(op.Type)
	if e == nil {
		return p.unknownType(op.Type)
	}
	if !op.Credential.IsZero() {
		return unsupported(connector.VerbCreate, " with a password; send it as a step of its own with statements.set_credential")
	}
	as, err := p.assign(e, op)
	if err != nil {
		return err
	}
	mate, proven, err := p.mate(e, op)
	if err != nil {
		return err
	}
	if holder := p.holder(e, op, mate); holder != nil {
		return p.taken(holder, op)
	}
	if mate != nil {
		return p.meet(mate, proven, op, as)
	}
	return p.insert(e, op, as)
}

// assign encodes the attributes of a create and sees that none is missing.
func (p *planner) assign(e *entity, op connector.Create) ([]assignment, error) {
	var as []assignment
	given := map[*column]bool{}
	for _, a := range op.Attributes {
		c, err := p.attribute(e, a.Name)
		if err != nil {
			return nil, err
		}
		if given[c] {
			return nil, c.invalid("is given twice")
		}
		vs, err := p.refer(c, a.Values)
		if err != nil {
			return nil, err
		}
		if len(vs) == 0 && !c.required {
			continue // nothing to write: the database's own default stands
		}
		bound, err := c.encodeAll(vs)
		if err != nil {
			return nil, err
		}
		given[c] = len(vs) > 0
		as = append(as, assignment{c, bound})
	}
	var missing []string
	for _, c := range e.columns {
		if c.required && !given[c] {
			missing = append(missing, c.attr)
		}
	}
	if len(missing) > 0 {
		return nil, &connector.Error{Code: connector.CodeInvalidValue, Attributes: missing,
			Message: fmt.Sprintf("a %s needs %s", e.typ, strings.Join(missing, ", "))}
	}
	if op.Attributes.Text(e.key.attr) == "" {
		return nil, e.key.invalid("is the natural key and must not be empty")
	}
	return as, nil
}

// stateValue sets the wanted state on r; false when nothing is to be written.
func (p *planner) stateValue(r *record, want connector.Enabled) (dialect.Value, bool) {
	f := r.e.enabled
	if f == nil || want == connector.EnabledUnknown {
		return dialect.Value{}, false
	}
	v := f.off
	if want == connector.IsEnabled {
		v = f.on
	}
	r.set(f.column, f.column.decode(v))
	return dialect.Value{Column: f.column.quoted, Label: f.column.Name, Value: v}, true
}

// insert writes the new row.
func (p *planner) insert(e *entity, op connector.Create, as []assignment) error {
	r := newRecord(e)
	r.fresh = true
	r.held = map[*membership]map[string]string{}
	var values []dialect.Value
	for _, a := range as {
		values = append(values, dialect.Value{Column: a.c.quoted, Label: a.c.attr, Value: a.bound})
		r.set(a.c, a.c.decode(a.bound))
	}
	if v, ok := p.stateValue(r, op.Enabled); ok {
		values = append(values, v)
	}
	if s := e.soft; s != nil && s.live != nil {
		values = append(values, dialect.Value{Column: s.column.quoted, Label: s.column.Name, Value: s.live})
		r.set(s.column, s.column.decode(s.live))
	}
	id := ""
	if e.surrogate() && r.get(e.id) == nil {
		id = e.id.quoted
	}
	p.is(r)
	p.made = r
	a := p.do(p.m.d.Insert(e.name, values, id), expectOne)
	a.insert = true
	if id != "" {
		a.made = r
	}
	return nil
}
