package sql

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// grant adds one row to the join table. Rows of others, given by hand perhaps,
// stay as they are (QUIRKS SQL-9).
func (p *planner) grant(op connector.Grant) error {
	if len(op.Attributes) > 0 {
		return unsupported(connector.VerbGrant, " with attributes of its own")
	}
	r, j, group, err := p.granted(op.Principal, op.Entitlement, connector.VerbGrant)
	if err != nil {
		return err
	}
	if group == nil || group.hidden() {
		return &connector.Error{Code: connector.CodeDependencyMissing, Message: fmt.Sprintf("there is no %s called %q yet", j.group.typ, op.Entitlement)}
	}
	if r.isIn(j, group) && !p.blind {
		return nil
	}
	p.do(p.joinRow(r, j, group), expectOne)
	r.join(j, group)
	return nil
}

// revoke removes one row from the join table.
func (p *planner) revoke(op connector.Revoke) error {
	r, j, group, err := p.granted(op.Principal, op.Entitlement, connector.VerbRevoke)
	if err != nil {
		return err
	}
	if group == nil || !r.isIn(j, group) && !p.blind && !j.opaque {
		return nil
	}
	p.do(p.m.d.Delete(j.name, func(b *dialect.Builder) {
		b.Text(j.userCol, " = ").Arg(r.e.typ, p.idOf(r)).Text(" AND ", j.groupCol, " = ").Arg(j.group.typ, p.idOf(group))
	}), expectSome)
	delete(r.held[j], group.id())
	return nil
}

// granted resolves account and group; group is nil when there is none.
func (p *planner) granted(principal, entitlement connector.Ref, verb connector.Verb) (*record, *membership, *record, error) {
	r, err := p.target(principal)
	if err != nil {
		return nil, nil, nil, err
	}
	j := p.m.membership(entitlement)
	if j == nil || r.e != p.m.users {
		return nil, nil, nil, unsupported(verb, fmt.Sprintf(" of type %q; groups in its config lists the types there are", entitlement.Type))
	}
	entitlement.Type = j.group.typ
	group, err := p.lookUp(entitlement)
	return r, j, group, err
}

// joinRow inserts by way of a SELECT, so that it finds the account by its key
// while the id is not known, and touches no row when either side has gone.
func (p *planner) joinRow(r *record, j *membership, group *record) dialect.Statement {
	d := p.m.d
	b := d.Build().Text("INSERT INTO ", j.name, " (", j.userCol, ", ", j.groupCol)
	for _, v := range j.constants {
		b.Text(", ", v.Column)
	}
	b.Text(") SELECT u.", r.e.id.quoted, ", g.", j.group.id.quoted)
	for _, v := range j.constants {
		b.Text(", ").Arg(v.Label, v.Value)
	}
	b.Text(" FROM ", r.e.name, " u, ", j.group.name, " g WHERE u.")
	p.here(r)(b)
	b.Text(" AND g.")
	p.here(group)(b)
	return b.Statement()
}
