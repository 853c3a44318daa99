package store

import (
	"context"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// nameAttribute is an attribute whose values belong to one account each.
type nameAttribute struct{ org, connector, attribute string }

// NameTaken reports whether another identity than that with anchor in source has
// value, folded to lower case, for attribute in connector, of whatever source it is:
// held by its account or reserved for it (QUIRKS HR-17). A name that was given up
// counts as taken for as long as it is kept (QUIRKS HR-18).
func (o *Org) NameTaken(ctx context.Context, connector, attribute, value, source, anchor string) (bool, error) {
	if err := o.indexNames(ctx, nameAttribute{o.id, connector, attribute}); err != nil {
		return false, err
	}
	var n int
	err := o.get(ctx, &n, `SELECT COUNT(*) FROM name_reservation
		WHERE org_id = ? AND connector = ? AND attribute = ? AND value = ? AND (source <> ? OR anchor <> ?)`,
		o.id, connector, attribute, value, source, anchor)
	return n > 0, o.s.fail("look up a name", err)
}

// indexNames makes sure, once for every attribute that is ever asked for, that
// the values which accounts held before are reserved for them.
func (o *Org) indexNames(ctx context.Context, a nameAttribute) error {
	if _, ok := o.s.names.Load(a); ok {
		return nil
	}
	var n int
	err := o.get(ctx, &n, `SELECT COUNT(*) FROM name_attribute WHERE org_id = ? AND connector = ? AND attribute = ?`, a.org, a.connector, a.attribute)
	if err == nil && n == 0 {
		err = o.write(ctx, "names", func(t *tx) error { return t.indexNames(a) })
	}
	if err != nil {
		return o.s.fail("look up a name", err)
	}
	o.s.names.Store(a, struct{}{})
	return nil
}

// indexNames notes the attribute and reserves the values that accounts hold.
func (t *tx) indexNames(a nameAttribute) error {
	n, err := t.exec(`INSERT INTO name_attribute (org_id, connector, attribute) VALUES (?, ?, ?)
		ON CONFLICT (org_id, connector, attribute) DO NOTHING`, a.org, a.connector, a.attribute)
	if err != nil || n == 0 {
		return err
	}
	var accounts []struct{ Source, Kind, Anchor, Applied string }
	for source, kind, anchor := "", "", ""; ; {
		accounts = accounts[:0]
		err := t.all(&accounts, `SELECT source, kind, anchor, applied FROM account WHERE org_id = ? AND connector = ?
			AND (source, kind, anchor) > (?, ?, ?) AND absent = 0 ORDER BY source, kind, anchor LIMIT ?`, a.org, a.connector, source, kind, anchor, pageRows)
		if err != nil {
			return err
		}
		var rows [][]any
		for _, x := range accounts {
			var applied connector.Attributes
			if err := decode(x.Applied, &applied); err != nil {
				return err
			}
			for _, v := range namesIn(applied, a.attribute) {
				rows = append(rows, []any{a.org, a.connector, a.attribute, v, x.Source, x.Kind, x.Anchor, 0})
			}
			source, kind, anchor = x.Source, x.Kind, x.Anchor
		}
		if err := t.insert(reservationInsert, rows, `ON CONFLICT (org_id, connector, attribute, value) DO NOTHING`); err != nil || len(accounts) < pageRows {
			return err
		}
	}
}

const reservationInsert = `INSERT INTO name_reservation (org_id, connector, attribute, value, source, kind, anchor, keep_until)`

// namesIn returns the values of attribute, folded to lower case, each once.
func namesIn(as connector.Attributes, attribute string) []string {
	var out []string
	seen := map[string]bool{}
	for _, v := range as.Get(attribute) {
		if s := strings.ToLower(connector.Text(v)); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// writeNames keeps the reservations in step with what accounts hold. The name of
// an account that is gone, or that has another one now, is kept for a while and
// then given back.
func (b *batch) writeNames() error {
	if len(b.accounts) == 0 {
		return nil
	}
	var known []nameAttribute
	var rows []struct{ Connector, Attribute string }
	if err := b.t.all(&rows, `SELECT connector, attribute FROM name_attribute WHERE org_id = ?`, b.org); err != nil {
		return err
	}
	for _, r := range rows {
		known = append(known, nameAttribute{b.org, r.Connector, r.Attribute})
	}
	for _, a := range b.accounts {
		until := micros(a.now.Add(b.t.s.nameRetention))
		for _, k := range known {
			if k.connector != a.Connector {
				continue
			}
			if err := b.writeName(a, k, until); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *batch) writeName(a finishedAccount, k nameAttribute, until int64) error {
	var names []string
	if !a.Absent {
		names = namesIn(a.Applied, k.attribute)
	}
	for _, v := range names {
		if _, err := b.t.exec(reservationInsert+` VALUES (?, ?, ?, ?, ?, ?, ?, 0) `+takeOwn,
			k.org, k.connector, k.attribute, v, a.Source, string(a.Kind), a.Anchor); err != nil {
			return err
		}
	}
	if !a.Absent && !a.done {
		return nil // what is not in the target yet may still come
	}
	q := `UPDATE name_reservation SET keep_until = ? WHERE org_id = ? AND connector = ? AND source = ? AND kind = ? AND anchor = ? AND attribute = ? AND keep_until = 0`
	args := []any{until, k.org, k.connector, a.Source, string(a.Kind), a.Anchor, k.attribute}
	if len(names) > 0 {
		marks, more := list(names)
		q, args = q+` AND value NOT IN (`+marks+`)`, append(args, more...)
	}
	_, err := b.t.exec(q, args...)
	return err
}

// takeOwn takes a name unless it is somebody else's.
const takeOwn = `ON CONFLICT (org_id, connector, attribute, value) DO UPDATE SET keep_until = 0
	WHERE name_reservation.source = excluded.source AND name_reservation.kind = excluded.kind AND name_reservation.anchor = excluded.anchor`

// finishedAccount is an account as an operation left it.
type finishedAccount struct {
	*identity.Account
	done bool
	now  time.Time
}
