package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/provhub/provhub/core/identity"
)

// Pending calls yield for each identity of source that the next plan must look
// at, sorted by kind and anchor: changed since the last applied plan, not worked
// out last time, or with an account that was not as we thought. No query is
// open while yield runs.
func (o *Org) Pending(ctx context.Context, source string, yield func(identity.Identity) error) error {
	keys, err := o.pendingKeys(ctx, source)
	if err == nil {
		err = o.yieldKeys(ctx, source, keys, yield)
	}
	return o.s.fail("read pending identities", err)
}

// ChangedSince returns who of source has changed after a generation, be it that others
// did whom they refer to.
func (o *Org) ChangedSince(ctx context.Context, source string, generation int64) (keys []identity.Key, err error) {
	err = o.keys(ctx, &keys, source, `SELECT kind, anchor FROM identity WHERE org_id = ? AND source = ? AND changed_gen > ?`, o.id, source, generation)
	return keys, o.s.fail("read who has changed", err)
}

func (o *Org) pendingKeys(ctx context.Context, source string) ([]identity.Key, error) {
	var applied int64
	err := o.get(ctx, &applied, appliedGeneration, o.id, source)
	if err != nil {
		return nil, err
	}
	var keys []identity.Key
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`SELECT kind, anchor FROM identity WHERE org_id = ? AND source = ? AND changed_gen > ?`, []any{o.id, source, applied}},
		{`SELECT kind, anchor FROM evaluation_fault WHERE org_id = ? AND source = ?`, []any{o.id, source}},
		{`SELECT r.kind, r.anchor FROM replan r JOIN identity i ON i.org_id = r.org_id AND i.source = r.source AND i.kind = r.kind AND i.anchor = r.anchor
			WHERE r.org_id = ? AND r.source = ? AND r.generation > ?`, []any{o.id, source, applied}},
	} {
		if err := o.keys(ctx, &keys, source, q.sql, q.args...); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// PendingAmong tells which identities of source the next plan looks at by itself.
func (o *Org) PendingAmong(ctx context.Context, source string, kind identity.Kind, anchors []string) (map[string]bool, error) {
	var applied int64
	err := o.get(ctx, &applied, appliedGeneration, o.id, source)
	out := map[string]bool{}
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`SELECT anchor FROM identity WHERE org_id = ? AND source = ? AND kind = ? AND changed_gen > ? AND anchor IN (`, []any{o.id, source, string(kind), applied}},
		{`SELECT anchor FROM evaluation_fault WHERE org_id = ? AND source = ? AND kind = ? AND anchor IN (`, []any{o.id, source, string(kind)}},
		{`SELECT anchor FROM replan WHERE org_id = ? AND source = ? AND kind = ? AND generation > ? AND anchor IN (`, []any{o.id, source, string(kind), applied}},
	} {
		if err != nil {
			break
		}
		err = o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
			var found []string
			err := o.all(ctx, &found, q.sql+marks+`)`, append(slices.Clone(q.args), args...)...)
			for _, a := range found {
				out[a] = true
			}
			return err
		})
	}
	return out, o.s.fail("read who is pending", err)
}

// appliedGeneration is the one up to which changes of a source have been planned for.
const appliedGeneration = `SELECT COALESCE(MAX(applied_generation), 0) FROM source_state WHERE org_id = ? AND source = ?`

// keys appends the keys that a query for kind and anchor finds.
func (o *Org) keys(ctx context.Context, keys *[]identity.Key, source, q string, args ...any) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(q), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		k := identity.Key{Source: source}
		var kind string
		if err := rows.Scan(&kind, &k.Anchor); err != nil {
			return err
		}
		// A constant in place of a text of its own for each of a million keys.
		if k.Kind = identity.Person; kind != string(identity.Person) {
			k.Kind = identity.Kind(kind)
		}
		*keys = append(*keys, k)
	}
	return rows.Err()
}

// yieldKeys sorts keys, takes out doubles, and reads the identities in pages.
func (o *Org) yieldKeys(ctx context.Context, source string, keys []identity.Key, yield func(identity.Identity) error) error {
	slices.SortFunc(keys, func(a, b identity.Key) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Anchor, b.Anchor))
	})
	keys = slices.Compact(keys)
	for len(keys) > 0 {
		var anchors []string
		kind := keys[0].Kind
		for len(anchors) < 512 && len(anchors) < len(keys) && keys[len(anchors)].Kind == kind {
			anchors = append(anchors, keys[len(anchors)].Anchor)
		}
		keys = keys[len(anchors):]
		found, err := o.Identities(ctx, source, kind, anchors)
		if err != nil {
			return err
		}
		for _, a := range anchors {
			if i, ok := found[a]; ok {
				if err := yielded(yield(i)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pageRows is how many wide rows are held at a time.
const pageRows = 512

// All calls yield for each identity of source that is present, and for each
// absent one that still has an account, sorted by kind and anchor. No query is
// open while yield runs.
func (o *Org) All(ctx context.Context, source string, yield func(identity.Identity) error) error {
	var kind, anchor string
	for {
		page, err := o.identities(ctx, `SELECT `+identityColumns+` FROM identity i
			WHERE i.org_id = ? AND i.source = ? AND (i.kind, i.anchor) > (?, ?) AND (i.absent_since = 0 OR EXISTS (
				SELECT 1 FROM account a WHERE a.org_id = i.org_id AND a.source = i.source AND a.kind = i.kind AND a.anchor = i.anchor AND a.absent = 0))
			ORDER BY i.kind, i.anchor LIMIT ?`, o.id, source, kind, anchor, pageRows)
		if err != nil {
			return o.s.fail("read identities", err)
		}
		for _, i := range page {
			if err := yield(i); err != nil {
				return err
			}
		}
		if len(page) < pageRows {
			return nil
		}
		kind, anchor = string(page[len(page)-1].Kind), page[len(page)-1].Anchor
	}
}
