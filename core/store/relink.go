package store

import (
	"github.com/provhub/provhub/core/plan"
)

// writeRelinks takes accounts that were taken over away from those they belonged
// to until now ([plan.Operation].Replaces), with their names: an account in the
// target is never two rows of the ledger (QUIRKS HR-10).
func (b *batch) writeRelinks() error {
	for _, f := range b.fs {
		done := b.ops[f.ID]
		if f.Account == nil || f.Account.Absent || done.Op != string(plan.Adopt) {
			continue
		}
		op := f.Operation
		if op.Replaces == "" {
			continue
		}
		former := []any{b.org, done.Connector, done.Kind, op.Replaces}
		const of = ` WHERE org_id = ? AND connector = ? AND kind = ? AND anchor = ?`
		n, err := b.t.exec(`UPDATE account SET absent = 1, disabled_at = 0, rev = rev + 1`+of+` AND absent = 0`, former...)
		if err != nil {
			return err
		}
		if n == 0 {
			continue // an earlier step of the same operation did it
		}
		if _, err := b.t.exec(`DELETE FROM grant_edge`+of, former...); err != nil {
			return err
		}
		if _, err := b.t.exec(`UPDATE name_reservation SET anchor = ?`+of, append([]any{done.Anchor}, former...)...); err != nil {
			return err
		}
		err = b.t.audit(b.org, entry(f.Now, "provhub", "account.relink", done.Connector+"/"+done.Anchor,
			map[string]any{"from": op.Replaces, "operation": f.ID}))
		if err != nil {
			return err
		}
	}
	return nil
}
