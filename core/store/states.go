package store

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Due calls yield for each present identity of source whose state changes by
// itself at or before now.
func (o *Org) Due(ctx context.Context, source string, now time.Time, yield func(identity.Identity) error) error {
	var keys []identity.Key
	err := o.keys(ctx, &keys, source, `SELECT kind, anchor FROM identity
		WHERE org_id = ? AND source = ? AND due_at > 0 AND due_at <= ?`, o.id, source, micros(now))
	if err != nil {
		return o.s.fail("read who is due", err)
	}
	return o.s.fail("read who is due", o.yieldKeys(ctx, source, keys, yield))
}

// SetStates writes State and DueAt of these identities: a timer ran out. They are
// pending afterwards. One whose Rev has moved is left as it is: what was read of it
// since knows better. [ErrNotFound] when one does not exist; then none is written.
func (o *Org) SetStates(ctx context.Context, ids []identity.Identity, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return o.write(ctx, "states", func(t *tx) error {
		g, err := t.bump(o.id)
		if err != nil {
			return err
		}
		for _, i := range ids {
			n, err := t.exec(`UPDATE identity SET state_since = CASE WHEN state = ? THEN state_since ELSE CAST(? AS BIGINT) END, state = ?, due_at = ?, rev = rev + 1, changed_gen = ?
				WHERE org_id = ? AND source = ? AND kind = ? AND anchor = ? AND rev = ?`,
				string(i.State), micros(now), string(i.State), micros(i.DueAt), g, o.id, i.Source, string(i.Kind), i.Anchor, i.Rev)
			if err == nil && n == 0 {
				err = t.get(&n, `SELECT 1 FROM identity WHERE org_id = ? AND source = ? AND kind = ? AND anchor = ?`, o.id, i.Source, string(i.Kind), i.Anchor)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SetFaults replaces the evaluation faults of source: these identities are
// pending until they are worked out. [Org.ApplyPlan] does it with the plan's faults.
func (o *Org) SetFaults(ctx context.Context, source string, faults []plan.Note) error {
	var had int
	if len(faults) == 0 {
		err := o.get(ctx, &had, `SELECT COUNT(*) FROM evaluation_fault WHERE org_id = ? AND source = ?`, o.id, source)
		if err != nil || had == 0 {
			return o.s.fail("read faults", err)
		}
	}
	return o.write(ctx, "faults", func(t *tx) error { return t.setFaults(o.id, source, faults) })
}

func (t *tx) setFaults(org, source string, faults []plan.Note) error {
	rows := make([][]any, 0, len(faults))
	seen := map[identity.AccountKey]bool{}
	for _, f := range faults {
		if f.Anchor == "" {
			return errors.New("a fault without an anchor belongs to no identity")
		}
		if !seen[f.AccountKey] {
			seen[f.AccountKey] = true
			rows = append(rows, []any{org, source, string(f.Kind), f.Anchor, f.Connector, f.Code, f.Text})
		}
	}
	if _, err := t.exec(`DELETE FROM evaluation_fault WHERE org_id = ? AND source = ?`, org, source); err != nil {
		return err
	}
	return t.insert(`INSERT INTO evaluation_fault (org_id, source, kind, anchor, connector, code, text)`, rows, "")
}
