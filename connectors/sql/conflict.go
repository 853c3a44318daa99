package sql

import (
	"context"
	"errors"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// explain adds to a unique violation whose row is in the way, now that the
// account is rolled back.
func (t *Target) explain(ctx context.Context, db *database, m *model, s *session, u *unit, a attempt) answers {
	if s.broken {
		return a.failed
	}
	for i := range a.failed {
		e := a.failed[i].Err
		if a.failed[i].Outcome == connector.OutcomeFailed && e.Code == connector.CodeAlreadyExists && e.Conflicting == nil {
			t.nameHolder(ctx, db, m, s, u.ops[i], e)
		}
	}
	return a.failed
}

// nameHolder looks for the row that holds a unique value of op.
func (t *Target) nameHolder(ctx context.Context, db *database, m *model, s *session, op connector.Operation, e *connector.Error) {
	ent, own, values := m.writes(op)
	if ent == nil {
		return
	}
	for _, a := range values {
		c := ent.attr(a.Name)
		if c == nil || !c.unique || len(a.Values) == 0 {
			continue
		}
		snap := newSnapshot()
		l := lookup{ent, c, idText(a.Values[0])}
		if err := snap.load(ctx, db.d, s, l, false); err != nil {
			t.log.Debug("look for the row in the way", "error", db.d.FaultOf(err).Error().Error())
			return
		}
		for _, r := range snap.rows[l] {
			if r.id() == own {
				continue
			}
			ref := r.ref()
			e.Conflicting, e.Attributes = &ref, []string{c.attr}
			e.Message = fmt.Sprintf("another %s holds this %s", ent.typ, c.attr)
			if r.deleted() {
				e.Message += ", in a row that is marked as deleted"
			}
			return
		}
	}
}

// writes tells which attributes an operation sets, and the id of its row if known.
func (m *model) writes(op connector.Operation) (e *entity, own string, values connector.Attributes) {
	switch o := op.(type) {
	case connector.Create:
		return m.entity(o.Type), "", o.Attributes
	case connector.Update:
		for _, ch := range o.Changes {
			vs := ch.Replace
			if ch.Delta {
				vs = ch.Add
			}
			values = append(values, connector.Attribute{Name: ch.Name, Values: vs})
		}
		return m.entity(o.Target.Type), o.Target.ID, values
	case connector.Rename:
		if e = m.entity(o.Target.Type); e != nil {
			values = connector.Attributes{{Name: e.key.attr, Values: connector.Values{o.NewName}}}
		}
		return e, o.Target.ID, values
	}
	return nil, "", nil
}

// faultError classes what came out of a read.
func faultError(d *dialect.Dialect, err error) error {
	if err == nil {
		return nil
	}
	var e *connector.Error
	if errors.As(err, &e) {
		return e
	}
	return d.FaultOf(err).Error()
}
