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

// References returns the manager of each of the people with these anchors who are
// there, as staged, else as stored; "" for none.
func (r *Reading) References(ctx context.Context, anchors []string) (map[string]string, error) {
	found := make(map[string]string, len(anchors))
	read := func(q string, args ...any) error {
		rows, err := r.conn.QueryContext(ctx, r.o.s.rebind(q), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var anchor, reference string
			if err := rows.Scan(&anchor, &reference); err != nil {
				return err
			}
			found[anchor] = reference
		}
		return rows.Err()
	}
	err := r.o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
		if err := read(`SELECT anchor, reference FROM identity WHERE org_id = ? AND source = ? AND kind = ? AND absent_since = 0 AND anchor IN (`+marks+`)`,
			append([]any{r.o.id, r.source, string(identity.Person)}, args...)...); err != nil {
			return err
		}
		return read(`SELECT anchor, reference FROM stage WHERE kind = ? AND anchor IN (`+marks+`)`, append([]any{string(identity.Person)}, args...)...)
	})
	return found, r.o.s.fail("read managers", err)
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
