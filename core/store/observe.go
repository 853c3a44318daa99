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
		var entries []AuditEntry
		for _, a := range accounts {
			ref, err := encode(a.Ref)
			if err != nil {
				return err
			}
			n, err := t.exec(`INSERT INTO account (org_id, source, connector, kind, anchor, ownership, enabled, absent, disabled_at, last_success_at,
				last_error, ref, applied, rev) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', ?, '', 1)
				ON CONFLICT (org_id, connector, source, kind, anchor) DO NOTHING`,
				o.id, a.Source, a.Connector, string(a.Kind), a.Anchor, string(identity.Observed), string(a.Enabled), ref)
			if err != nil {
				return err
			}
			if n > 0 {
				entries = append(entries, entry(now, Hub, "account.observe", objectOf(a.AccountKey), map[string]any{"source": a.Source, "target": a.Ref.ID}))
			}
		}
		return t.audit(o.id, entries...)
	})
}
