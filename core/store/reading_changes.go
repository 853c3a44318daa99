package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/provhub/provhub/core/identity"
)

// Changes calls yield for everything that is staged, in the order of kind and
// anchor, with what is stored of it: before has Rev 0 when nothing is, and
// AbsentSince when it is not there any more. Position, Reference, Hash and
// Attributes of both are set, and the State of after.
func (r *Reading) Changes(ctx context.Context, yield func(before, after identity.Identity) error) error {
	if !r.staged {
		return nil
	}
	rows, err := r.conn.QueryContext(ctx, r.o.s.rebind(`SELECT s.kind, s.anchor, s.hash, s.state, s.position, s.reference, s.attributes,
			COALESCE(i.rev, 0), COALESCE(i.absent_since, 0), i.hash, COALESCE(i.position, ''), COALESCE(i.reference, ''), COALESCE(i.attributes, '')
		FROM stage s LEFT JOIN identity i ON i.org_id = ? AND i.source = ? AND i.kind = s.kind AND i.anchor = s.anchor
		ORDER BY s.kind, s.anchor`), r.o.id, r.source)
	if err != nil {
		return r.o.s.fail("read what is staged", err)
	}
	defer rows.Close()
	for rows.Next() {
		before, after, err := scanChange(rows)
		if err != nil {
			return r.o.s.fail("read what is staged", err)
		}
		before.Source, after.Source = r.source, r.source
		if err := yield(before, after); err != nil {
			return err
		}
	}
	return r.o.s.fail("read what is staged", rows.Err())
}

func scanChange(rows *sql.Rows) (before, after identity.Identity, err error) {
	var hash, attributes, oldHash, oldAttributes sql.RawBytes
	var absent int64
	if err = rows.Scan(&after.Kind, &after.Anchor, &hash, &after.State, &after.Position, &after.Reference, &attributes,
		&before.Rev, &absent, &oldHash, &before.Position, &before.Reference, &oldAttributes); err != nil {
		return before, after, err
	}
	before.Kind, before.Anchor = after.Kind, after.Anchor
	copy(after.Hash[:], hash)
	copy(before.Hash[:], oldHash)
	before.AbsentSince = fromMicros(absent)
	if after.Attributes, err = parseAttributes(string(attributes)); err == nil && before.Rev > 0 {
		before.Attributes, err = parseAttributes(string(oldAttributes))
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", after.Kind, after.Anchor, err)
	}
	return before, after, err
}

// Referring is somebody who may name another: a manager, in what is asked for here.
type Referring struct{ Anchor, Reference string }

// References returns the people with these anchors who are there, as staged, else as
// stored, with their managers; "" for none. named: they are asked for by Name
// instead, and so are their managers.
func (r *Reading) References(ctx context.Context, keys []string, named bool) (map[string]Referring, error) {
	by := "anchor"
	if named {
		by = "name"
		if err := r.indexNames(ctx); err != nil {
			return nil, r.o.s.fail("read managers", err)
		}
	}
	found := make(map[string]Referring, len(keys))
	read := func(q string, args ...any) error {
		rows, err := r.conn.QueryContext(ctx, r.o.s.rebind(q), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var who Referring
			if err := rows.Scan(&key, &who.Anchor, &who.Reference); err != nil {
				return err
			}
			found[key] = who
		}
		return rows.Err()
	}
	err := r.o.s.dialect.inChunks(keys, func(marks string, args []any) error {
		args = append([]any{string(identity.Person)}, args...)
		if err := read(`SELECT i.`+by+`, i.anchor, i.reference FROM identity i WHERE i.org_id = ? AND i.source = ? AND i.kind = ? AND i.absent_since = 0
			AND i.`+by+` <> '' AND i.`+by+` IN (`+marks+`) AND NOT EXISTS (SELECT 1 FROM stage s WHERE s.kind = i.kind AND s.anchor = i.anchor)`,
			append([]any{r.o.id, r.source}, args...)...); err != nil {
			return err
		}
		return read(`SELECT `+by+`, anchor, reference FROM stage WHERE kind = ? AND `+by+` IN (`+marks+`)`, args...)
	})
	return found, r.o.s.fail("read managers", err)
}

// indexNames makes what is staged be found by name.
func (r *Reading) indexNames(ctx context.Context) error {
	if r.indexed {
		return nil
	}
	q := `CREATE INDEX temp.stage_name ON stage (name)`
	if r.o.s.gate == nil {
		q = `CREATE INDEX stage_name ON pg_temp.stage (name)`
	}
	_, err := r.conn.ExecContext(ctx, q)
	r.indexed = err == nil
	return err
}

// NamedBy counts the present people of source who name each of the anchors as their
// manager; one that nobody names is not in the map.
func (o *Org) NamedBy(ctx context.Context, source string, anchors []string) (map[string]int, error) {
	found := map[string]int{}
	err := o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
		return o.eachRow(ctx, func(rows *sql.Rows) error {
			var anchor string
			var n int
			err := rows.Scan(&anchor, &n)
			found[anchor] = n
			return err
		}, `SELECT reference, COUNT(*) FROM identity WHERE org_id = ? AND source = ? AND reference <> '' AND absent_since = 0 AND reference IN (`+marks+`)
			GROUP BY reference`, append([]any{o.id, source}, args...)...)
	})
	return found, o.s.fail("count who names a manager", err)
}
