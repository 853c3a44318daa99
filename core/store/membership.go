package store

import (
	"context"
	"database/sql"

	"github.com/provhub/provhub/core/identity"
)

// stageMembers keeps the members of the groups among ids.
func (r *Reading) stageMembers(ctx context.Context, ids []identity.Identity) error {
	for i := range ids {
		g := &ids[i]
		if g.Kind != identity.Group {
			continue
		}
		r.groups = true
		st, err := r.statement(ctx, `DELETE FROM stage_member WHERE grp = ?`)
		if err != nil {
			return err
		}
		if _, err := st.ExecContext(ctx, g.Anchor); err != nil {
			return err
		}
		const width = 2
		err = r.o.s.dialect.eachChunk(len(g.Members), width, func(from, to int) error {
			args := make([]any, 0, (to-from)*width)
			for _, m := range g.Members[from:to] {
				args = append(args, g.Anchor, m)
			}
			st, err := r.statement(ctx, `INSERT INTO stage_member (grp, member) VALUES `+tuples(to-from, width)+` ON CONFLICT (grp, member) DO NOTHING`)
			if err != nil {
				return err
			}
			_, err = st.ExecContext(ctx, args...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// touched are the names of the members whose groups change: who joins or leaves
// one, and all members of one that is renamed, comes back or goes. Members of a
// group that is a member are among them. It is asked before anything is written.
const touched = `WITH RECURSIVE named (name) AS (
		SELECT m.member FROM membership m JOIN stage s ON s.kind = 'group' AND s.anchor = m.grp
			JOIN identity i ON i.org_id = m.org_id AND i.source = m.source AND i.kind = 'group' AND i.anchor = m.grp
			WHERE m.org_id = ? AND m.source = ? AND (i.attributes <> s.attributes OR i.absent_since <> 0
				OR NOT EXISTS (SELECT 1 FROM stage_member n WHERE n.grp = m.grp AND n.member = m.member))
		UNION
		SELECT n.member FROM stage_member n JOIN stage s ON s.kind = 'group' AND s.anchor = n.grp
			LEFT JOIN identity i ON i.org_id = ? AND i.source = ? AND i.kind = 'group' AND i.anchor = n.grp
			WHERE i.anchor IS NULL OR i.attributes <> s.attributes OR i.absent_since <> 0
				OR NOT EXISTS (SELECT 1 FROM membership m WHERE m.org_id = ? AND m.source = ? AND m.grp = n.grp AND m.member = n.member)
		UNION
		SELECT m.member FROM named t
			JOIN identity i ON i.org_id = ? AND i.source = ? AND i.name = t.name AND i.name <> '' AND i.kind = 'group'
			JOIN membership m ON m.org_id = i.org_id AND m.source = i.source AND m.grp = i.anchor
	)`

// pullMembers brings those whose groups change into the next plan.
func (r *Reading) pullMembers(t *tx, end ReadingEnd, g int64) error {
	for _, k := range end.Vanished {
		if k.Kind == identity.Group {
			if err := r.pullMembersOf(t, k.Anchor, g); err != nil {
				return err
			}
		}
	}
	if !r.groups {
		return nil
	}
	org, source := r.o.id, r.source
	_, err := t.exec(touched+` UPDATE identity SET changed_gen = ? WHERE org_id = ? AND source = ? AND kind = ? AND name <> ''
		AND name IN (SELECT name FROM named)`, org, source, org, source, org, source, org, source, g, org, source, string(identity.Person))
	return err
}

// pullMembersOf brings the members of a group that is gone into the next plan.
func (r *Reading) pullMembersOf(t *tx, group string, g int64) error {
	org, source := r.o.id, r.source
	_, err := t.exec(`WITH RECURSIVE named (name) AS (
			SELECT member FROM membership WHERE org_id = ? AND source = ? AND grp = ?
			UNION
			SELECT m.member FROM named t
				JOIN identity i ON i.org_id = ? AND i.source = ? AND i.name = t.name AND i.name <> '' AND i.kind = 'group'
				JOIN membership m ON m.org_id = i.org_id AND m.source = i.source AND m.grp = i.anchor
		) UPDATE identity SET changed_gen = ? WHERE org_id = ? AND source = ? AND kind = ? AND name <> ''
			AND name IN (SELECT name FROM named)`,
		org, source, group, org, source, g, org, source, string(identity.Person))
	return err
}

// replaceMembers takes over the members of the staged groups.
func (r *Reading) replaceMembers(t *tx) error {
	if !r.groups {
		return nil
	}
	_, err := t.exec(`DELETE FROM membership WHERE org_id = ? AND source = ? AND grp IN (SELECT anchor FROM stage WHERE kind = 'group')
		AND NOT EXISTS (SELECT 1 FROM stage_member n WHERE n.grp = membership.grp AND n.member = membership.member)`, r.o.id, r.source)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO membership (org_id, source, grp, member)
		SELECT ?, ?, n.grp, n.member FROM stage_member n JOIN stage s ON s.kind = 'group' AND s.anchor = n.grp WHERE true
		ON CONFLICT (org_id, source, grp, member) DO NOTHING`, r.o.id, r.source)
	return err
}

// GroupsOf returns the anchors of the present groups that the people with these
// anchors are members of. nested: also of those that these groups are members of.
// Whoever is in none is not in the map.
func (o *Org) GroupsOf(ctx context.Context, source string, people []string, nested bool) (map[string][]string, error) {
	more := ""
	if nested {
		more = ` UNION SELECT t.person, g.anchor, g.name FROM held t
			JOIN membership m ON m.org_id = ? AND m.source = ? AND m.member = t.name
			JOIN identity g ON g.org_id = m.org_id AND g.source = m.source AND g.kind = 'group' AND g.anchor = m.grp AND g.absent_since = 0
			WHERE t.name <> ''`
	}
	out := map[string][]string{}
	err := o.s.dialect.inChunks(people, func(marks string, args []any) error {
		args = append([]any{o.id, source, string(identity.Person)}, args...)
		if nested {
			args = append(args, o.id, source)
		}
		return o.eachRow(ctx, func(rows *sql.Rows) error {
			var person, group string
			err := rows.Scan(&person, &group)
			out[person] = append(out[person], group)
			return err
		}, `WITH RECURSIVE held (person, grp, name) AS (
				SELECT i.anchor, g.anchor, g.name FROM identity i
				JOIN membership m ON m.org_id = i.org_id AND m.source = i.source AND m.member = i.name
				JOIN identity g ON g.org_id = m.org_id AND g.source = m.source AND g.kind = 'group' AND g.anchor = m.grp AND g.absent_since = 0
				WHERE i.org_id = ? AND i.source = ? AND i.kind = ? AND i.name <> '' AND i.anchor IN (`+marks+`)`+more+`
			) SELECT DISTINCT person, grp FROM held ORDER BY person, grp`, args...)
	})
	return out, o.s.fail("read groups", err)
}

// Groups returns the present groups of a source by their anchors.
func (o *Org) Groups(ctx context.Context, source string) (map[string]identity.Identity, error) {
	found := map[string]identity.Identity{}
	ids, err := o.identities(ctx, `SELECT `+identityColumns+` FROM identity i
		WHERE i.org_id = ? AND i.source = ? AND i.kind = ? AND i.absent_since = 0`, o.id, source, string(identity.Group))
	for _, i := range ids {
		found[i.Anchor] = i
	}
	return found, o.s.fail("read groups", err)
}

// GroupRow is a group as people look at it: one that is gone stays, with the date.
type GroupRow struct {
	identity.Identity
	People int // present people who are members themselves
}

// GroupRows returns all groups that a source has, or had, by anchor.
func (o *Org) GroupRows(ctx context.Context, source string) ([]GroupRow, error) {
	ids, err := o.identities(ctx, `SELECT `+identityColumns+` FROM identity i
		WHERE i.org_id = ? AND i.source = ? AND i.kind = ? ORDER BY i.anchor`, o.id, source, string(identity.Group))
	if err != nil {
		return nil, o.s.fail("read groups", err)
	}
	people := map[string]int{}
	err = o.eachRow(ctx, func(rows *sql.Rows) error {
		var group string
		var n int
		err := rows.Scan(&group, &n)
		people[group] = n
		return err
	}, `SELECT m.grp, COUNT(*) FROM membership m
		JOIN identity i ON i.org_id = m.org_id AND i.source = m.source AND i.name = m.member AND i.name <> '' AND i.kind = ? AND i.absent_since = 0
		WHERE m.org_id = ? AND m.source = ? GROUP BY m.grp`, string(identity.Person), o.id, source)
	out := make([]GroupRow, len(ids))
	for i, id := range ids {
		out[i] = GroupRow{id, people[id.Anchor]}
	}
	return out, o.s.fail("read groups", err)
}
