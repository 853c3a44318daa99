package sql

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// look answers a need with the statements get, find and find_by. Groups are not
// looked up: the statement that grants says whether there is one.
func (c *customRun) look(ctx context.Context, n need) error {
	if n.e.assumed {
		return nil
	}
	if _, ok := c.p.snap.rows[n.lookup]; !ok {
		rows, err := c.find(ctx, n.lookup)
		if err != nil {
			return err
		}
		c.p.snap.rows[n.lookup] = []*record{}
		for _, r := range rows {
			c.p.snap.rows[n.lookup] = append(c.p.snap.rows[n.lookup], c.p.snap.intern(r))
		}
	}
	if n.grants == nil && !n.everything {
		return nil
	}
	for _, r := range c.p.snap.rows[n.lookup] {
		if err := c.grants(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// find runs the statement that answers a lookup.
func (c *customRun) find(ctx context.Context, l lookup) ([]*record, error) {
	st := c.t.cfg.Statements
	switch {
	case l.c == l.e.id && l.c != l.e.key:
		return c.records(ctx, st.Get, map[string]any{"id": l.value})
	case l.c == l.e.key:
		return c.records(ctx, st.Find, map[string]any{"key": l.value})
	}
	for _, f := range st.FindBy {
		if f.Attribute == l.c.attr {
			return c.records(ctx, f.SQL, map[string]any{"value": l.value})
		}
	}
	return nil, configuration(fmt.Sprintf("accounts cannot be found by %s; add a statement for it to statements.find_by", l.c.attr))
}

// grants reads the groups of an account; which table they come from is not told,
// so they belong to the only group type.
func (c *customRun) grants(ctx context.Context, r *record) error {
	if c.t.cfg.Statements.Grants == "" || len(r.e.joins) == 0 || r.held != nil {
		return nil
	}
	rows, err := c.s.query(ctx, parseNamed(c.t.cfg.Statements.Grants).bind(c.db.d, map[string]any{"id": r.id(), "key": r.key()}), 1)
	if err != nil {
		return err
	}
	held := make([][]any, len(rows))
	for i, row := range rows {
		held[i] = []any{r.id(), row[0], row[0]}
	}
	r.hold(r.e.joins[0], held)
	return nil
}

// records runs a statement that reads accounts.
func (c *customRun) records(ctx context.Context, sql string, values map[string]any) ([]*record, error) {
	rows, err := c.s.named(ctx, parseNamed(sql).bind(c.db.d, values))
	if err != nil {
		return nil, err
	}
	var out []*record
	for _, row := range rows {
		r, err := c.m.users.fromNamed(row)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// fromNamed makes a record of a row by the names of its columns, whose case
// products change.
func (e *entity) fromNamed(row map[string]any) (*record, error) {
	r := newRecord(e)
	for _, col := range e.reading {
		v, ok := row[strings.ToLower(col.Name)]
		if !ok && (col == e.id || col == e.key) {
			return nil, configuration(fmt.Sprintf("a statement that reads accounts has no column called %s", col.Name))
		}
		if e.enabled != nil && col == e.enabled.column && v != nil {
			r.values[col.pos] = textOf(v)
			continue
		}
		r.values[col.pos] = col.decode(v)
	}
	return r, nil
}

// named runs a query and reads its rows by column name, in lower case.
func (s *session) named(ctx context.Context, st dialect.Statement) ([]map[string]any, error) {
	return traced(ctx, s.of.d, s.of.h, st.SQL, func(ctx context.Context) ([]map[string]any, error) {
		rows, err := s.conn.QueryContext(ctx, st.SQL, st.Args...)
		if err != nil {
			return nil, err
		}
		return readNamed(rows)
	})
}

func readNamed(rows *stdsql.Rows) ([]map[string]any, error) {
	names, err := rows.Columns()
	if err != nil {
		_ = rows.Close()
		return nil, err
	}
	raw, err := readAll(rows, len(names))
	if err != nil {
		return nil, err
	}
	out := make([]map[string]any, len(raw))
	for i, row := range raw {
		out[i] = map[string]any{}
		for k, name := range names {
			out[i][strings.ToLower(name)] = row[k]
		}
	}
	return out, nil
}

// textOf renders what a driver read as the text that a config compares with.
func textOf(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return connector.Text(v)
}

// reading borrows a connection for a read in mode statements.
func (t *Target) reading(ctx context.Context, db *database, m *model, do func(*customRun) error) error {
	s, err := db.sessions.take(ctx)
	if err != nil {
		return err
	}
	defer db.sessions.give(s)
	return do(&customRun{t: t, db: db, m: m, s: s, p: &planner{m: m, snap: newSnapshot(), out: &script{about: make([]*record, 1)}}})
}

func (t *Target) customGet(ctx context.Context, db *database, m *model, ref connector.Ref, attributes []string) (o connector.Object, err error) {
	err = t.reading(ctx, db, m, func(c *customRun) error {
		for _, n := range m.needsOf(ref) {
			n.everything = true
			if err := c.look(ctx, n); err != nil {
				return err
			}
		}
		r, err := c.p.target(ref)
		if err == nil {
			o = r.object(attributes)
		}
		return err
	})
	return o, faultError(db.d, err)
}

// customPage reads one page of a listing. A statement that does not heed :after
// would never come to an end, so its rows must move on.
func (l *listing) customPage(ctx context.Context, after connector.Value, size int) (rows []*record, err error) {
	sql := l.t.cfg.Statements.List
	if sql == "" {
		return nil, unsupported("list", "; set statements.list in its config")
	}
	err = l.t.reading(ctx, l.db, l.db.m, func(c *customRun) error {
		var last any
		if after != nil {
			last = idText(after)
		}
		if rows, err = c.records(ctx, sql, map[string]any{"after": last, "limit": int64(size)}); err != nil {
			return err
		}
		for _, r := range rows {
			if after != nil && r.id() == idText(after) {
				return configuration("statements.list returns rows again that were listed before; it must read those after :after, in the order of the id")
			}
			if err := c.grants(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}
