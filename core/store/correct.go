package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/provhub/provhub/core/identity"
)

// AccountsByTarget returns the accounts of one kind by what the target calls them,
// those that are not in it any more as well.
func (o *Org) AccountsByTarget(ctx context.Context, connector string, kind identity.Kind, ids []string) (map[string]identity.Account, error) {
	var keys []identity.Key
	err := o.s.dialect.inChunks(ids, func(marks string, args []any) error {
		var some []identity.Key
		err := o.all(ctx, &some, `SELECT source, kind, anchor FROM account WHERE org_id = ? AND connector = ? AND kind = ? AND ref <> ''
			AND `+o.s.dialect.targetID+` IN (`+marks+`)`, append([]any{o.id, connector, string(kind)}, args...)...)
		keys = append(keys, some...)
		return err
	})
	if err != nil {
		return nil, o.s.fail("read accounts", err)
	}
	accounts, err := o.ConnectorAccounts(ctx, connector, keys)
	out := make(map[string]identity.Account, len(accounts))
	for _, a := range accounts {
		// One that is there counts, where somebody else's had the id before.
		if has, twice := out[a.Ref.ID]; !twice || has.Absent {
			out[a.Ref.ID] = a
		}
	}
	return out, err
}

// EachTargetID calls yield for each account of one kind that is in the target.
func (o *Org) EachTargetID(ctx context.Context, connector string, kind identity.Kind, yield func(key identity.Key, id string) error) error {
	return o.s.fail("read accounts", o.eachRow(ctx, func(rows *sql.Rows) error {
		key := identity.Key{Kind: kind}
		var id sql.NullString
		if err := rows.Scan(&key.Source, &key.Anchor, &id); err != nil || id.String == "" {
			return err
		}
		return yielded(yield(key, id.String))
	}, `SELECT source, anchor, `+o.s.dialect.targetID+` FROM account WHERE org_id = ? AND connector = ? AND kind = ? AND absent = 0 AND ref <> ''`,
		o.id, connector, string(kind)))
}

// Entitlements returns every entitlement that an account of the connector has from us.
func (o *Org) Entitlements(ctx context.Context, connector string) (map[string]bool, error) {
	var names []string
	err := o.all(ctx, &names, `SELECT DISTINCT entitlement FROM grant_edge WHERE org_id = ? AND connector = ?`, o.id, connector)
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[n] = true
	}
	return out, o.s.fail("read entitlements", err)
}

// Correction is the ledger's row of an account as the target was seen to be.
type Correction struct {
	// Account's Rev is that of the row it was compared with.
	Account identity.Account
	// Why is one sentence without values: "changed in the target: title".
	Why string
}

// CorrectAccounts writes what targets were seen to hold into the ledger, and has
// those accounts looked at by the next plan. One that has changed since, or that
// an operation is under way for, is left alone; done are those written.
func (o *Org) CorrectAccounts(ctx context.Context, cs []Correction, actor string, now time.Time) (done []identity.AccountKey, err error) {
	if len(cs) == 0 {
		return nil, nil
	}
	err = o.write(ctx, "account.correct", func(t *tx) error {
		done = done[:0]
		var entries []AuditEntry
		var again [][]any
		var grants []finishedAccount
		for _, c := range cs {
			moved, err := o.correct(t, &c.Account, now)
			if err != nil {
				return err
			}
			if moved {
				continue
			}
			key := c.Account.AccountKey
			done = append(done, key)
			grants = append(grants, finishedAccount{&c.Account, false, now})
			again = append(again, []any{o.id, key.Source, key.Connector, string(key.Kind), key.Anchor})
			entries = append(entries, entry(now, actor, "account.correct", objectOf(key), map[string]any{"source": key.Source, "reason": c.Why}))
		}
		if err := t.setGrants(o.id, grants); err != nil {
			return err
		}
		if err := t.markReplan(o.id, again); err != nil {
			return err
		}
		return t.audit(o.id, entries...)
	})
	return done, err
}

// correct writes one account, unless it moved on.
func (o *Org) correct(t *tx, a *identity.Account, now time.Time) (moved bool, err error) {
	var busy int
	err = t.get(&busy, `SELECT COUNT(*) FROM operation o WHERE org_id = ? AND connector = ? AND source = ? AND kind = ? AND anchor = ?
		AND state IN `+openStates+` AND `+inFlight, o.id, a.Connector, a.Source, string(a.Kind), a.Anchor)
	if err != nil || busy > 0 {
		return busy > 0, err
	}
	applied, err := encode(a.Applied)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`UPDATE account SET enabled = ?, absent = ?, applied = ?, rev = rev + 1,
			disabled_at = CASE WHEN ? = 'disabled' THEN disabled_at ELSE 0 END
		WHERE org_id = ? AND connector = ? AND source = ? AND kind = ? AND anchor = ? AND rev = ?`,
		string(a.Enabled), flag(a.Absent), applied, string(a.Enabled), o.id, a.Connector, a.Source, string(a.Kind), a.Anchor, a.Rev)
	return n == 0, err
}

// Reconsider has the accounts of these identities looked at by the next plan.
func (o *Org) Reconsider(ctx context.Context, keys []identity.AccountKey) error {
	if len(keys) == 0 {
		return nil
	}
	return o.write(ctx, "reconsider", func(t *tx) error {
		rows := make([][]any, len(keys))
		for i, k := range keys {
			rows[i] = []any{o.id, k.Source, k.Connector, string(k.Kind), k.Anchor}
		}
		return t.markReplan(o.id, rows)
	})
}

// LastReconciled returns when each connector was last reconciled completely.
func (o *Org) LastReconciled(ctx context.Context) (map[string]time.Time, error) {
	var rows []struct {
		Subject string
		At      int64
	}
	err := o.all(ctx, &rows, `SELECT subject, MAX(ended_at) AS at FROM run WHERE org_id = ? AND kind = 'reconcile' AND outcome = 'done' GROUP BY subject`, o.id)
	out := map[string]time.Time{}
	for _, r := range rows {
		out[r.Subject] = fromMicros(r.At)
	}
	return out, o.s.fail("read reconciliations", err)
}
