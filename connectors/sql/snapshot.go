package sql

import (
	"context"

	"github.com/provhub/provhub/connectors/sql/dialect"
)

// lookup asks for the rows of an entity where a column has a value.
type lookup struct {
	e     *entity
	c     *column
	value string
}

// snapshot is what the database held when a unit was planned: the answers to its
// lookups. A row is one *record however often it was found.
type snapshot struct {
	rows map[lookup][]*record
	byID map[*entity]map[string]*record
}

func newSnapshot() *snapshot {
	return &snapshot{rows: map[lookup][]*record{}, byID: map[*entity]map[string]*record{}}
}

// intern returns the record that stands for a row.
func (s *snapshot) intern(r *record) *record {
	rows := s.byID[r.e]
	if rows == nil {
		rows = map[string]*record{}
		s.byID[r.e] = rows
	}
	if known := rows[r.id()]; known != nil {
		return known
	}
	rows[r.id()] = r
	return r
}

// find returns the rows that the database holds equal to the value.
func (s *snapshot) find(e *entity, c *column, value string) []*record {
	return s.rows[lookup{e, c, value}]
}

// reader runs the SELECTs of a snapshot.
type reader interface {
	query(ctx context.Context, st dialect.Statement, columns int) ([][]any, error)
}

// load answers l. Rows of accounts and of groups that the unit itself changes are
// locked until the transaction ends; lookups of others are not, so that a
// popular role does not make everybody queue.
func (s *snapshot) load(ctx context.Context, d *dialect.Dialect, q reader, l lookup, lock bool) error {
	if _, ok := s.rows[l]; ok {
		return nil
	}
	v, err := l.c.encode(l.value)
	if err != nil {
		s.rows[l] = nil // a value that does not fit the column is in no row
		return nil
	}
	raw, err := q.query(ctx, d.Select(dialect.Select{Columns: l.e.names(), From: l.e.name, Where: l.c.equals(v), Lock: lock}), len(l.e.reading))
	if err != nil {
		return err
	}
	s.rows[l] = []*record{}
	for _, row := range raw {
		s.rows[l] = append(s.rows[l], s.intern(l.e.decodeRow(row)))
	}
	return nil
}

// loadGrants reads which groups an account is in.
func (s *snapshot) loadGrants(ctx context.Context, d *dialect.Dialect, q reader, r *record, only *membership) error {
	for _, j := range r.e.joins {
		if only != nil && j != only || r.held[j] != nil || r.fresh {
			continue
		}
		id, err := r.e.id.encode(r.id())
		if err != nil {
			return err
		}
		raw, err := q.query(ctx, d.Select(j.members(r.e, func(b *dialect.Builder) { b.Text("u.", r.e.id.quoted, " = ").Arg(r.e.typ, id) })), 3)
		if err != nil {
			return err
		}
		r.hold(j, raw)
	}
	return nil
}

// members reads (account, group, name of the group) of the accounts, called u,
// that where picks.
func (j *membership) members(users *entity, where func(*dialect.Builder)) dialect.Select {
	return dialect.Select{
		Columns: []string{"j." + j.userCol, "j." + j.groupCol, "g." + j.group.key.quoted},
		From: j.name + " j JOIN " + users.name + " u ON u." + users.id.quoted + " = j." + j.userCol +
			" JOIN " + j.group.name + " g ON g." + j.group.id.quoted + " = j." + j.groupCol,
		Where: where,
	}
}

// hold notes the groups that were read, as members gives them.
func (r *record) hold(j *membership, rows [][]any) {
	if r.held == nil {
		r.held = map[*membership]map[string]string{}
	}
	r.held[j] = map[string]string{}
	for _, row := range rows {
		r.held[j][idText(j.group.id.decode(row[1]))] = idText(j.group.key.decode(row[2]))
	}
}
