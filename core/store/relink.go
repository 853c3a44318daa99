package store

import (
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// writeRelinks takes accounts that were taken over away from those they belonged
// to until now ([plan.Operation].Replaces), with their names and what was still to be
// done for them: an account in the target is never two rows of the ledger (QUIRKS HR-10).
func (b *batch) writeRelinks() error {
	for _, f := range b.fs {
		done := b.ops[f.ID]
		former := f.Operation.Replaces
		if f.Account == nil || f.Account.Absent || done.Op != string(plan.Adopt) || former == (identity.Key{}) {
			continue
		}
		if err := b.relink(f, done.accountKey(), former.Account(done.Connector)); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) relink(f Finish, owner, former identity.AccountKey) error {
	const of = ` WHERE org_id = ? AND connector = ? AND source = ? AND kind = ? AND anchor = ?`
	args := []any{b.org, former.Connector, former.Source, string(former.Kind), former.Anchor}
	n, err := b.t.exec(`UPDATE account SET absent = 1, disabled_at = 0, rev = rev + 1`+of+` AND absent = 0`, args...)
	if err != nil || n == 0 { // 0: an earlier step of the same operation did it
		return err
	}
	if _, err := b.t.exec(`DELETE FROM grant_edge`+of, args...); err != nil {
		return err
	}
	if _, err := b.t.exec(`UPDATE operation SET `+superseded+`, updated_at = ?`+of+` AND state IN ('ready', 'leased', 'retry', 'parked') AND continuation IS NULL`,
		append([]any{micros(f.Now)}, args...)...); err != nil {
		return err
	}
	if _, err := b.t.exec(`UPDATE name_reservation SET source = ?, anchor = ?`+of, append([]any{owner.Source, owner.Anchor}, args...)...); err != nil {
		return err
	}
	return b.t.audit(b.org, entry(f.Now, Hub, "account.relink", objectOf(owner),
		map[string]any{"source": owner.Source, "from": former.Anchor, "from_source": former.Source, "operation": f.ID}))
}
