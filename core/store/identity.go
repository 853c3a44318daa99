package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/provhub/provhub/core/identity"
)

// identityColumns are what scanIdentity reads, of the table called i.
const identityColumns = `i.source, i.kind, i.anchor, i.hash, i.state, i.due_at, i.first_seen, i.absent_since,
	i.rev, i.position, i.source_id, i.name, i.reference, i.held, i.attributes`

func scanIdentity(rows *sql.Rows) (identity.Identity, error) {
	var (
		i                           identity.Identity
		hash, attributes            sql.RawBytes
		held                        string
		dueAt, firstSeen, absentSin int64
	)
	err := rows.Scan(&i.Source, &i.Kind, &i.Anchor, &hash, &i.State, &dueAt, &firstSeen, &absentSin,
		&i.Rev, &i.Position, &i.SourceID, &i.Name, &i.Reference, &held, &attributes)
	if err != nil {
		return i, err
	}
	copy(i.Hash[:], hash)
	i.DueAt, i.FirstSeen, i.AbsentSince = fromMicros(dueAt), fromMicros(firstSeen), fromMicros(absentSin)
	if i.Hold, err = heldOf(held); err != nil {
		return i, fmt.Errorf("%s %s: %w", i.Kind, i.Anchor, err)
	}
	if i.Attributes, err = parseAttributes(string(attributes)); err != nil {
		return i, fmt.Errorf("%s %s: %w", i.Kind, i.Anchor, err)
	}
	return i, nil
}

// identities runs a query for identityColumns.
func (o *Org) identities(ctx context.Context, q string, args ...any) ([]identity.Identity, error) {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(q), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []identity.Identity
	for rows.Next() {
		i, err := scanIdentity(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

// Identities returns those of the given anchors that are known, absent ones too.
func (o *Org) Identities(ctx context.Context, source string, kind identity.Kind, anchors []string) (map[string]identity.Identity, error) {
	found := make(map[string]identity.Identity, len(anchors))
	err := o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
		ids, err := o.identities(ctx, `SELECT `+identityColumns+` FROM identity i
			WHERE i.org_id = ? AND i.source = ? AND i.kind = ? AND i.anchor IN (`+marks+`)`,
			append([]any{o.id, source, string(kind)}, args...)...)
		for _, i := range ids {
			found[i.Anchor] = i
		}
		return err
	})
	return found, o.s.fail("read identities", err)
}

// AnchorsOf returns the anchors of the identities that the source knows by ids,
// in the order of the ids; "" where none is known.
func (o *Org) AnchorsOf(ctx context.Context, source string, kind identity.Kind, ids []string) ([]string, error) {
	found := make(map[string]string, len(ids))
	err := o.s.dialect.inChunks(ids, func(marks string, args []any) error {
		return o.eachRow(ctx, func(rows *sql.Rows) error {
			var id, anchor string
			err := rows.Scan(&id, &anchor)
			found[id] = anchor
			return err
		}, `SELECT source_id, anchor FROM identity WHERE org_id = ? AND source = ? AND kind = ? AND source_id <> '' AND source_id IN (`+marks+`)
			ORDER BY absent_since DESC, changed_gen`, append([]any{o.id, source, string(kind)}, args...)...)
	})
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = found[id]
	}
	return out, o.s.fail("read identities by their ids", err)
}

// AnchorsNamed returns the anchors of the people of source that have these names. Of
// several, it is one who is there, else who left last; nobody is not in the map.
func (o *Org) AnchorsNamed(ctx context.Context, source string, names []string) (map[string]string, error) {
	found := make(map[string]string, len(names))
	err := o.s.dialect.inChunks(names, func(marks string, args []any) error {
		return o.eachRow(ctx, func(rows *sql.Rows) error {
			var name, anchor string
			err := rows.Scan(&name, &anchor)
			found[name] = anchor
			return err
		}, `SELECT name, anchor FROM identity WHERE org_id = ? AND source = ? AND kind = ? AND name <> '' AND name IN (`+marks+`)
			ORDER BY CASE WHEN absent_since = 0 THEN 1 ELSE 0 END, absent_since, anchor`, append([]any{o.id, source, string(identity.Person)}, args...)...)
	})
	return found, o.s.fail("read identities by their names", err)
}

// SourceGeneration returns the generation in which anything of source changed
// last; 0 when nothing is known of it.
func (o *Org) SourceGeneration(ctx context.Context, source string) (int64, error) {
	var g int64
	err := o.get(ctx, &g, `SELECT COALESCE(MAX(changed_gen), 0) FROM identity WHERE org_id = ? AND source = ?`, o.id, source)
	return g, o.s.fail("read the generation of source "+source, err)
}

// Generation returns the state's generation: it moves when a reading, a timer,
// a plan or a person changed what is wanted or known.
func (o *Org) Generation(ctx context.Context) (int64, error) {
	var g int64
	err := o.get(ctx, &g, `SELECT COALESCE(MAX(generation), 0) FROM org_state WHERE org_id = ?`, o.id)
	return g, o.s.fail("read the generation", err)
}

// bump moves the generation and returns the new one.
func (t *tx) bump(org string) (int64, error) {
	var g int64
	err := t.get(&g, `INSERT INTO org_state (org_id, generation, next_seq) VALUES (?, 1, 1)
		ON CONFLICT (org_id) DO UPDATE SET generation = org_state.generation + 1 RETURNING generation`, org)
	return g, err
}
