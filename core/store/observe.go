package store

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/identity"
)

// Observe remembers accounts that were found in a target and are not ours. One
// that the ledger knows already stays as it is.
func (o *Org) Observe(ctx context.Context, accounts []identity.Account, now time.Time) error {
	if len(accounts) == 0 {
		return nil
	}
	return o.write(ctx, "observe", func(t *tx) error {
		var rows [][]any
		for _, a := range accounts {
			ref, err := encode(a.Ref)
			if err != nil {
				return err
			}
			rows = append(rows, []any{o.id, a.Connector, string(a.Kind), a.Anchor, string(identity.Observed), string(a.Enabled), 0, 0, 0, "", ref, "", 1})
			e := entry(now, "provhub", "account.observe", a.Connector+"/"+a.Anchor, map[string]any{"target": a.Ref.ID})
			if err := t.audit(o.id, e); err != nil {
				return err
			}
		}
		return t.insert(`INSERT INTO account (org_id, connector, kind, anchor, ownership, enabled, absent, disabled_at, last_success_at,
			last_error, ref, applied, rev)`, rows, `ON CONFLICT (org_id, connector, kind, anchor) DO NOTHING`)
	})
}
