package store

import (
	"context"
	"errors"

	"github.com/provhub/provhub/core/identity"
)

// Commit takes over what was staged, in one transaction, and ends the reading.
// It returns the state's generation, which has moved when anything changed. A
// reading in which nobody changed or vanished writes one row. [ErrMoved] when the
// source was read by somebody else since end.After; the reading goes on then.
func (r *Reading) Commit(ctx context.Context, end ReadingEnd) (generation int64, err error) {
	if r.conn == nil {
		return 0, errors.New("the reading has ended already")
	}
	err = r.o.s.writeOn(ctx, r.conn, "reading", func(t *tx) error {
		generation, err = r.take(t, end)
		return err
	})
	if errors.Is(err, ErrMoved) {
		return 0, err
	}
	return generation, errors.Join(err, r.Discard(context.WithoutCancel(ctx)))
}

func (r *Reading) take(t *tx, end ReadingEnd) (int64, error) {
	if err := r.drop(t, end.Drop); err != nil {
		return 0, err
	}
	var staged int64
	if r.staged {
		if err := t.get(&staged, `SELECT COUNT(*) FROM stage`); err != nil {
			return 0, err
		}
	}
	if staged == 0 && len(end.Vanished) == 0 {
		var g int64
		if err := t.get(&g, `SELECT COALESCE(MAX(generation), 0) FROM org_state WHERE org_id = ?`, r.o.id); err != nil {
			return 0, err
		}
		if err := r.follow(t, end); err != nil {
			return 0, err
		}
		return g, r.end(t, end, false)
	}
	g, err := t.bump(r.o.id)
	if err != nil {
		return 0, err
	}
	for _, step := range []func() error{
		func() error { return r.follow(t, end) },
		func() error { return t.analyze(staged, "stage") },
		func() error { return r.carryNames(t, end) },
		func() error { return r.pullMembers(t, end, g) },
		func() error { return r.merge(t, end, g) },
		func() error { return t.analyze(staged, "identity") },
		func() error { return r.vanish(t, end, g) },
		func() error { return r.replaceMembers(t) },
		func() error { return r.pullReferences(t, g) },
		func() error { return r.end(t, end, true) },
	} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return g, nil
}

// follow claims the place after the reading that this one was compared with. Readings
// that end at the same time wait for each other here. The counters of the org come
// before, as they do when a plan is applied: then nobody waits in a circle.
func (r *Reading) follow(t *tx, end ReadingEnd) error {
	var rev int64
	err := t.get(&rev, `INSERT INTO source_state (org_id, source, snapshot, dated, read_at, people, groups_count, applied_generation, applied_plan, report, rev)
		VALUES (?, ?, '', 0, 0, 0, 0, 0, '', '', 1) ON CONFLICT (org_id, source) DO UPDATE SET rev = source_state.rev + 1 RETURNING rev`, r.o.id, r.source)
	if err == nil && end.After != nil && rev != *end.After+1 {
		return ErrMoved
	}
	return err
}

// drop takes duplicates out of the staging area.
func (r *Reading) drop(t *tx, keys []identity.Key) error {
	return t.keyChunks(keys, func(kind identity.Kind, marks string, args []any) error {
		_, err := t.exec(`DELETE FROM stage WHERE kind = ? AND anchor IN (`+marks+`)`, append([]any{string(kind)}, args...)...)
		return err
	})
}

// merge writes the staged identities. WHERE true: without it SQLite takes ON
// CONFLICT for the ON of a join.
func (r *Reading) merge(t *tx, end ReadingEnd, g int64) error {
	_, err := t.exec(`INSERT INTO identity (org_id, source, kind, anchor, hash, state, state_since, due_at, first_seen, absent_since,
			rev, changed_gen, position, source_id, reference, name, attributes)
		SELECT ?, ?, kind, anchor, hash, state, CAST(? AS BIGINT), due_at, CAST(? AS BIGINT), 0, 1, CAST(? AS BIGINT), position, source_id, reference, name, attributes
		FROM stage WHERE true ORDER BY kind, anchor
		ON CONFLICT (org_id, source, kind, anchor) DO UPDATE SET hash = excluded.hash, state = excluded.state,
			state_since = CASE WHEN identity.state = excluded.state THEN identity.state_since ELSE excluded.state_since END, due_at = excluded.due_at, absent_since = 0, rev = identity.rev + 1, changed_gen = excluded.changed_gen,
			position = excluded.position, source_id = excluded.source_id, reference = excluded.reference,
			name = excluded.name, attributes = excluded.attributes`,
		r.o.id, r.source, micros(end.Now), micros(end.Now), g)
	return err
}

// vanish makes people gone. A leaver who is gone, too, has left since before.
func (r *Reading) vanish(t *tx, end ReadingEnd, g int64) error {
	return t.keyChunks(end.Vanished, func(kind identity.Kind, marks string, args []any) error {
		args = append([]any{string(identity.Gone), string(identity.Leaver), micros(end.Now), micros(end.Now), g, r.o.id, r.source, string(kind)}, args...)
		_, err := t.exec(`UPDATE identity SET state = ?, state_since = CASE WHEN state = ? THEN state_since ELSE CAST(? AS BIGINT) END, absent_since = ?, due_at = 0, rev = rev + 1, changed_gen = ?
			WHERE org_id = ? AND source = ? AND kind = ? AND absent_since = 0 AND anchor IN (`+marks+`)`, args...)
		return err
	})
}

// pullReferences brings those whose manager changed into the next plan. The plus
// signs keep SQLite from walking the whole source by changed_gen.
func (r *Reading) pullReferences(t *tx, g int64) error {
	var older int
	err := t.get(&older, `SELECT COUNT(*) FROM (SELECT 1 FROM identity WHERE org_id = ? AND source = ? AND changed_gen < ? LIMIT 1) i`, r.o.id, r.source, g)
	if err != nil || older == 0 {
		return err
	}
	for _, by := range []string{"anchor", "name"} {
		if by == "name" && !r.named {
			continue
		}
		if _, err = t.exec(`UPDATE identity SET changed_gen = ?
			WHERE org_id = ? AND source = ? AND reference <> '' AND +changed_gen < ? AND reference IN (
				SELECT `+by+` FROM identity m WHERE m.org_id = ? AND m.source = ? AND m.kind = ? AND m.changed_gen = ?)`,
			g, r.o.id, r.source, g, r.o.id, r.source, string(identity.Person), g); err != nil {
			return err
		}
	}
	return nil
}

// end remembers how the reading went; the present are counted when some changed.
func (r *Reading) end(t *tx, end ReadingEnd, changed bool) error {
	_, err := t.exec(`UPDATE source_state SET snapshot = ?, dated = ?, read_at = ?, report = ? WHERE org_id = ? AND source = ?`,
		end.Snapshot, micros(end.Dated), micros(end.Now), string(end.Report), r.o.id, r.source)
	if err != nil || !changed {
		return err
	}
	_, err = t.exec(`UPDATE source_state SET
			people = (SELECT COUNT(*) FROM identity i WHERE i.org_id = ? AND i.source = ? AND i.kind = ? AND i.absent_since = 0),
			groups_count = (SELECT COUNT(*) FROM identity i WHERE i.org_id = ? AND i.source = ? AND i.kind = ? AND i.absent_since = 0)
		WHERE org_id = ? AND source = ?`,
		r.o.id, r.source, string(identity.Person), r.o.id, r.source, string(identity.Group), r.o.id, r.source)
	return err
}

// keyChunks calls fn for the anchors of each kind, some hundred at a time.
func (t *tx) keyChunks(keys []identity.Key, fn func(kind identity.Kind, marks string, args []any) error) error {
	byKind := map[identity.Kind][]string{}
	for _, k := range keys {
		byKind[k.Kind] = append(byKind[k.Kind], k.Anchor)
	}
	for _, kind := range []identity.Kind{identity.Person, identity.Group} {
		err := t.s.dialect.inChunks(byKind[kind], func(marks string, args []any) error { return fn(kind, marks, args) })
		if err != nil {
			return err
		}
	}
	return nil
}
