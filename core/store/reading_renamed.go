package store

import (
	"github.com/provhub/provhub/core/identity"
)

// renames are the names of who is called otherwise from this reading on. What names
// them has not been read: a directory changes members and managers by itself when
// it renames an entry, and tells nobody (QUIRKS LDAP-4).
const renames = `SELECT o.name FROM stage s JOIN identity o ON o.org_id = ? AND o.source = ? AND o.kind = s.kind AND o.anchor = s.anchor
	WHERE o.name <> '' AND s.name <> '' AND o.name <> s.name`

// carryNames has groups and references that were not read go on naming who is renamed.
// Their hashes are forgotten, so that the next whole reading takes over what they say
// by then. It is done before anything else is written.
func (r *Reading) carryNames(t *tx, end ReadingEnd) error {
	if !end.Partial || !r.named {
		return nil
	}
	org, source := r.o.id, r.source
	var held []struct{ Grp, Name string }
	err := t.all(&held, `SELECT m.grp, s.name FROM stage s JOIN identity o ON o.org_id = ? AND o.source = ? AND o.kind = s.kind AND o.anchor = s.anchor
		JOIN membership m ON m.org_id = o.org_id AND m.source = o.source AND m.member = o.name
		WHERE o.name <> '' AND s.name <> '' AND o.name <> s.name ORDER BY m.grp, s.name`, org, source)
	if err != nil {
		return err
	}
	if len(held) > 0 {
		// All at once: two may have exchanged their names.
		if _, err := t.exec(`DELETE FROM membership WHERE org_id = ? AND source = ? AND member IN (`+renames+`)`, org, source, org, source); err != nil {
			return err
		}
		rows := make([][]any, len(held))
		groups := map[identity.Key]bool{}
		for i, h := range held {
			rows[i] = []any{org, source, h.Grp, h.Name}
			groups[identity.Key{Kind: identity.Group, Anchor: h.Grp}] = true
		}
		if err := t.insert(`INSERT INTO membership (org_id, source, grp, member)`, rows, `ON CONFLICT (org_id, source, grp, member) DO NOTHING`); err != nil {
			return err
		}
		if err := r.forgetHashes(t, groups); err != nil {
			return err
		}
	}
	_, err = t.exec(`UPDATE identity SET hash = ?, reference = (
			SELECT s.name FROM stage s JOIN identity o ON o.org_id = ? AND o.source = ? AND o.kind = s.kind AND o.anchor = s.anchor
			WHERE o.name = identity.reference AND o.absent_since = 0 AND s.name <> '' AND o.name <> s.name)
		WHERE org_id = ? AND source = ? AND reference <> '' AND reference IN (`+renames+` AND o.absent_since = 0)`,
		make([]byte, len(identity.Hash{})), org, source, org, source, org, source)
	return err
}

func (r *Reading) forgetHashes(t *tx, keys map[identity.Key]bool) error {
	all := make([]identity.Key, 0, len(keys))
	for k := range keys {
		all = append(all, k)
	}
	return t.keyChunks(all, func(kind identity.Kind, marks string, args []any) error {
		_, err := t.exec(`UPDATE identity SET hash = ? WHERE org_id = ? AND source = ? AND kind = ? AND anchor IN (`+marks+`)`,
			append([]any{make([]byte, len(identity.Hash{})), r.o.id, r.source, string(kind)}, args...)...)
		return err
	})
}
