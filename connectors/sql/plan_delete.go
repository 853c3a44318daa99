package sql

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// delete removes or marks the row. What is gone already is success.
func (p *planner) delete(op connector.Delete) error {
	r, err := p.target(op.Target)
	if connector.IsCode(err, connector.CodeNotFound) {
		p.answer(connector.OutcomeUnchanged, false)
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.unmoved(r, op.IfVersion); err != nil {
		return err
	}
	if s := r.e.soft; s != nil {
		if !r.deleted() || p.blind {
			p.do(p.markDeleted(r, s), expectOne)
		}
		return nil
	}
	where := p.here(r)
	for _, j := range p.joinsOf(r.e) {
		p.do(p.m.d.Delete(j.table, func(b *dialect.Builder) { b.Text(j.column, " = ").Arg(r.e.typ, p.idOf(r)) }), expectAny)
	}
	p.do(p.m.d.Delete(r.e.name, where), expectOne)
	return nil
}

// markDeleted renders the soft delete; the database's clock gives the time.
func (p *planner) markDeleted(r *record, s *softRule) dialect.Statement {
	b := p.m.d.Build().Text("UPDATE ", r.e.name, " SET ", s.column.quoted, " = ")
	if s.value == nil {
		b.Text("CURRENT_TIMESTAMP")
		r.set(s.column, "deleted")
	} else {
		b.Arg(s.column.Name, s.value)
		r.set(s.column, s.value)
	}
	if s.stamp != nil {
		b.Text(", ", s.stamp.quoted, " = CURRENT_TIMESTAMP")
	}
	b.Text(" WHERE ")
	p.here(r)(b)
	return b.Statement()
}

// rowOf is a column of a join table that points at an entity.
type rowOf struct{ table, column string }

// joinsOf lists where memberships of an account or of a group are kept.
func (p *planner) joinsOf(e *entity) []rowOf {
	var out []rowOf
	for _, j := range p.m.users.joins {
		switch e {
		case p.m.users:
			out = append(out, rowOf{j.name, j.userCol})
		case j.group:
			out = append(out, rowOf{j.name, j.groupCol})
		}
	}
	return out
}

// idOf returns the bound id of a row.
func (p *planner) idOf(r *record) any {
	v, err := r.e.id.encode(r.get(r.e.id))
	if err != nil {
		return r.id() // only a preview has an id that does not fit
	}
	return v
}
