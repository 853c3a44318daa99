package sql

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
	"github.com/provhub/provhub/wording"
)

// mate returns the row that is this account already, by the correlation of the
// operation, else by its anchor. proven: more than the key says so.
func (p *planner) mate(e *entity, op connector.Create) (r *record, proven bool, err error) {
	if p.blind {
		return nil, false, nil
	}
	c, value := e.key, op.Attributes.Text(e.key.attr)
	switch {
	case op.Correlate.Attribute != "":
		if c = e.attr(op.Correlate.Attribute); c == nil {
			return nil, false, &connector.Error{Code: connector.CodeConfiguration, Message: fmt.Sprintf("%s cannot be found by %q: there is no such attribute%s",
				e.typ, op.Correlate.Attribute, wording.DidYouMean(op.Correlate.Attribute, e.attributeNames()))}
		}
		value = op.Correlate.Value
	case e.anchor != nil && op.Attributes.Text(e.anchor.attr) != "":
		c, value = e.anchor, op.Attributes.Text(e.anchor.attr)
	}
	r, err = exactlyOne(lookup{e, c, value}, p.snap.find(e, c, value))
	if r == nil || err != nil {
		return nil, false, err
	}
	if e.anchor == nil {
		return r, c != e.key, nil
	}
	want := op.Attributes.Text(e.anchor.attr)
	if c == e.anchor {
		want = value
	}
	have := r.get(e.anchor)
	if want != "" && have != nil && !e.anchor.same(have, want) {
		return nil, false, nil // the key is the same, the person is not
	}
	return r, c != e.key || want != "" && have != nil, nil
}

// holder returns a row of somebody else that has the wanted key, as the
// database's own collation compares it.
func (p *planner) holder(e *entity, op connector.Create, mate *record) *record {
	if p.blind {
		return nil
	}
	for _, r := range p.snap.find(e, e.key, op.Attributes.Text(e.key.attr)) {
		if r != mate {
			return r
		}
	}
	return nil
}

// taken is the answer to a create whose key another row holds.
func (p *planner) taken(holder *record, op connector.Create) error {
	e := holder.e
	ref := holder.ref()
	err := &connector.Error{Code: connector.CodeAlreadyExists, Conflicting: &ref, Attributes: []string{e.key.attr}}
	switch {
	case holder.deleted():
		err.Message = fmt.Sprintf("the %s is held by a row that is marked as deleted and cannot be shown to be the same person", e.key.attr)
	case !e.key.same(holder.get(e.key), op.Attributes.Text(e.key.attr)):
		err.Message = fmt.Sprintf("the database's collation takes the %s for one that another row holds, although they differ in letters", e.key.attr)
	default:
		err.Message = fmt.Sprintf("another %s holds this %s", e.typ, e.key.attr)
	}
	return err
}

// meet answers a create whose row is there: it comes back from a mark of
// deletion, is taken over, is what a lost attempt wrote, or is in the way.
func (p *planner) meet(r *record, proven bool, op connector.Create, as []assignment) error {
	p.is(r)
	p.made = r
	switch {
	case r.deleted() && (op.Adopt || proven):
		p.revive(r, op, as)
		p.answer(connector.OutcomeAdopted, true)
		return nil
	case r.deleted():
		return p.taken(r, op)
	case op.Adopt:
		p.answer(connector.OutcomeAdopted, true)
		return nil
	case op.MaybeApplied && p.holds(r, op, as):
		p.answer(connector.OutcomeUnchanged, true)
		return nil
	case op.MaybeApplied && proven:
		p.answer(connector.OutcomeAdopted, true)
		return nil
	}
	return p.taken(r, op)
}

// holds reports whether r is what op would have written.
func (p *planner) holds(r *record, op connector.Create, as []assignment) bool {
	for _, a := range as {
		if !a.c.same(r.get(a.c), a.bound) {
			return false
		}
	}
	return op.Enabled == connector.EnabledUnknown || r.e.enabled == nil || r.state() == op.Enabled
}

// revive takes the mark of deletion off a row and gives it the attributes of op.
func (p *planner) revive(r *record, op connector.Create, as []assignment) {
	s := r.e.soft
	values := []dialect.Value{{Column: s.column.quoted, Label: s.column.Name, Value: s.live}}
	r.set(s.column, s.live)
	if s.stamp != nil {
		values = append(values, dialect.Value{Column: s.stamp.quoted, Label: s.stamp.Name})
	}
	for _, a := range as {
		values = append(values, dialect.Value{Column: a.c.quoted, Label: a.c.attr, Value: a.bound})
		r.set(a.c, a.c.decode(a.bound))
	}
	if v, ok := p.stateValue(r, op.Enabled); ok {
		values = append(values, v)
	}
	p.do(p.m.d.Update(r.e.name, values, p.whereIs(r.e.id, r.get(r.e.id))), expectOne)
}
