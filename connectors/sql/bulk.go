package sql

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// planned runs a SELECT that the server plans anew each time. A plan that was
// kept since the table was small would read the whole table ever after.
type planned struct{ db *database }

func (q planned) query(ctx context.Context, sel dialect.Select, n int) ([][]any, error) {
	st := q.db.d.Select(sel)
	st.Args = append([]any{pgx.QueryExecModeCacheDescribe}, st.Args...)
	return direct(q).query(ctx, st, n)
}

// bulk is what the database held for all units of a batch, read with one SELECT
// per column that is looked for.
type bulk struct {
	rows map[lookup][][]any
	// members are the groups of accounts, by join table and account.
	members map[*membership]map[string][][]any
}

// columnOf is a column that is looked for.
type columnOf struct {
	e *entity
	c *column
}

// readBulk answers the needs of the units in work.
func readBulk(ctx context.Context, db *database, m *model, units []*unit, work []int) (*bulk, error) {
	b := &bulk{rows: map[lookup][][]any{}, members: map[*membership]map[string][][]any{}}
	var columns []columnOf
	wanted := map[columnOf][]string{}
	grants := map[lookup]bool{}
	for _, i := range work {
		for _, op := range units[i].ops {
			for _, n := range m.needs(op) {
				if n.grants != nil || n.everything {
					grants[n.lookup] = true
				}
				if _, known := b.rows[n.lookup]; known {
					continue
				}
				b.rows[n.lookup] = nil
				at := columnOf{n.e, n.c}
				if wanted[at] == nil {
					columns = append(columns, at)
				}
				wanted[at] = append(wanted[at], n.value)
			}
		}
	}
	for _, at := range columns {
		if err := b.read(ctx, db, at, wanted[at]); err != nil {
			return nil, err
		}
	}
	return b, b.readMembers(ctx, db, m, grants)
}

// read runs one SELECT for all values of a column.
func (b *bulk) read(ctx context.Context, db *database, at columnOf, values []string) error {
	list := arrayOf(at.c, values)
	if list == "{}" {
		return nil
	}
	raw, err := planned{db}.query(ctx, dialect.Select{Columns: at.e.names(), From: at.e.name,
		Where: func(q *dialect.Builder) { q.Text(at.c.quoted, " = ANY(").Arg(at.c.Name, list).Text(")") }}, len(at.e.reading))
	if err != nil {
		return err
	}
	for _, row := range raw {
		l := lookup{at.e, at.c, idText(at.c.decode(row[at.c.pos]))}
		b.rows[l] = append(b.rows[l], row)
	}
	return nil
}

// readMembers reads the groups of the accounts that were found.
func (b *bulk) readMembers(ctx context.Context, db *database, m *model, grants map[lookup]bool) error {
	var ids []string
	for l := range grants {
		for _, row := range b.rows[l] {
			if l.e == m.users {
				ids = append(ids, idText(l.e.id.decode(row[l.e.id.pos])))
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	list := arrayOf(m.users.id, ids)
	for _, j := range m.users.joins {
		raw, err := planned{db}.query(ctx, j.members(m.users, func(q *dialect.Builder) {
			q.Text("u.", m.users.id.quoted, " = ANY(").Arg(m.users.id.Name, list).Text(")")
		}), 3)
		if err != nil {
			return err
		}
		b.members[j] = map[string][][]any{}
		for _, row := range raw {
			id := idText(m.users.id.decode(row[0]))
			b.members[j][id] = append(b.members[j][id], row)
		}
	}
	return nil
}

// snapshot gives one unit records of its own, so that what it plans does not
// show in another unit that may fail.
func (b *bulk) snapshot(u *unit, m *model) *snapshot {
	s := newSnapshot()
	for _, op := range u.ops {
		for _, n := range m.needs(op) {
			if _, done := s.rows[n.lookup]; !done {
				for _, row := range b.rows[n.lookup] {
					s.rows[n.lookup] = append(s.rows[n.lookup], s.intern(n.e.decodeRow(row)))
				}
			}
			if n.grants == nil && !n.everything {
				continue
			}
			for _, r := range s.rows[n.lookup] {
				for _, j := range r.e.joins {
					r.hold(j, b.members[j][r.id()])
				}
			}
		}
	}
	return s
}

// arrayOf renders values as a PostgreSQL array; what does not fit the column is
// in no row and left out.
func arrayOf(c *column, values []string) string {
	var b strings.Builder
	b.WriteByte('{')
	for _, text := range values {
		v, err := c.encode(text)
		if err != nil {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(arrayQuote.Replace(connector.Text(v)))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

var arrayQuote = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
