package sql

import (
	"context"
	"errors"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// defaultPage is how many rows one SELECT of a listing reads.
const defaultPage = 500

// errStopped carries the caller's own error out of a listing unchanged.
type errStopped struct{ error }

// List implements [connector.Lister]. It pages by the row's id, in its order:
// rows that come and go meanwhile never make another one skipped or listed
// twice (QUIRKS SQL-14). The page token is the last id listed.
func (t *Target) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	db, release := t.use()
	defer release()
	m, err := db.model(ctx, &t.cfg)
	if err != nil {
		return connector.ListEnd{}, err
	}
	e := m.entity(q.Type)
	if e == nil {
		return connector.ListEnd{}, (&planner{m: m}).unknownType(q.Type)
	}
	l := &listing{t: t, db: db, e: e, q: q, yield: yield}
	if t.cfg.custom() {
		err = l.pages(ctx, l.customPage)
	} else {
		err = l.pages(ctx, l.page)
	}
	var stopped errStopped
	if errors.As(err, &stopped) {
		return connector.ListEnd{}, stopped.error
	}
	if err != nil {
		return connector.ListEnd{}, faultError(db.d, err)
	}
	return connector.ListEnd{Complete: true}, nil
}

// listing is one listing under way.
type listing struct {
	t     *Target
	db    *database
	e     *entity
	q     connector.ListQuery
	yield func(connector.Object) error
}

// pages reads page after page until one is empty.
func (l *listing) pages(ctx context.Context, page func(ctx context.Context, after connector.Value, size int) ([]*record, error)) error {
	size := defaultPage
	if l.q.PageSize > 0 {
		size = l.q.PageSize
	}
	var after connector.Value
	if len(l.q.PageToken) > 0 {
		after = string(l.q.PageToken)
		if _, err := l.e.id.encode(after); err != nil {
			return &connector.Error{Code: connector.CodeInvalidValue, Message: "the page token does not come from this listing"}
		}
	}
	for {
		rows, err := page(ctx, after, size)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.hidden() {
				continue
			}
			if err := l.yield(r.object(l.q.Attributes)); err != nil {
				return errStopped{err}
			}
		}
		if len(rows) == 0 {
			return nil
		}
		after = rows[len(rows)-1].get(l.e.id)
	}
}

// page reads one page of a table with the memberships of its accounts.
func (l *listing) page(ctx context.Context, after connector.Value, size int) ([]*record, error) {
	ctx, cancel := context.WithTimeout(ctx, l.t.cfg.timeout())
	defer cancel()
	sel := dialect.Select{Columns: l.e.names(), From: l.e.name, OrderBy: l.e.id.quoted, Limit: size}
	if after != nil {
		bound, err := l.e.id.encode(after)
		if err != nil {
			return nil, err
		}
		sel.Where = func(b *dialect.Builder) { b.Text(l.e.id.quoted, " > ").Arg("after", bound) }
	}
	raw, err := direct{l.db}.query(ctx, l.db.d.Select(sel), len(l.e.reading))
	if err != nil {
		return nil, err
	}
	rows := make([]*record, len(raw))
	for i := range raw {
		rows[i] = l.e.decodeRow(raw[i])
	}
	return rows, l.memberships(ctx, rows)
}

// memberships reads the groups of a page of accounts, one SELECT per join table.
// Ids between the first and the last of the page are those of the page.
func (l *listing) memberships(ctx context.Context, rows []*record) error {
	if len(rows) == 0 {
		return nil
	}
	first, err := l.e.id.encode(rows[0].get(l.e.id))
	if err != nil {
		return err
	}
	last, err := l.e.id.encode(rows[len(rows)-1].get(l.e.id))
	if err != nil {
		return err
	}
	for _, j := range l.e.joins {
		raw, err := direct{l.db}.query(ctx, l.db.d.Select(j.members(l.e, func(b *dialect.Builder) {
			b.Text("u.", l.e.id.quoted, " >= ").Arg("first", first).Text(" AND u.", l.e.id.quoted, " <= ").Arg("last", last)
		})), 3)
		if err != nil {
			return err
		}
		of := map[string][][]any{}
		for _, row := range raw {
			id := idText(l.e.id.decode(row[0]))
			of[id] = append(of[id], row)
		}
		for _, r := range rows {
			r.hold(j, of[r.id()])
		}
	}
	return nil
}
