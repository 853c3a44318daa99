package store

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// answerMax bounds what is kept of a target's answer.
const answerMax = 2048

func (b *batch) writeAttempts() error {
	var rows [][]any
	for _, f := range b.fs {
		if a := f.Attempt; a != nil {
			rows = append(rows, []any{b.org, f.ID, b.ops[f.ID].Tries, micros(a.StartedAt), a.Took.Microseconds(), string(a.Outcome), string(a.Class),
				a.Code, cut(a.Answer, answerMax)})
		}
	}
	return b.t.insert(`INSERT INTO attempt (org_id, operation, n, started_at, took, outcome, class, code, answer)`, rows, "")
}

// cut shortens s to at most n bytes, between characters. PostgreSQL takes no NUL
// and no bytes that are not UTF-8; a target's answer may hold both.
func cut(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// writeAccounts brings the ledger up to what the target is known to hold.
func (b *batch) writeAccounts() error {
	var rows [][]any
	for _, f := range b.fs {
		if f.Account == nil {
			continue
		}
		a := *f.Account
		a.AccountKey = b.ops[f.ID].accountKey()
		ref, err := encode(a.Ref)
		if err != nil {
			return err
		}
		applied, err := encode(a.Applied)
		if err != nil {
			return err
		}
		b.accounts = append(b.accounts, finishedAccount{&a, f.State == OpDone, f.Now})
		rows = append(rows, []any{b.org, a.Connector, string(a.Kind), a.Anchor, string(a.Ownership), string(a.Enabled), flag(a.Absent),
			micros(a.DisabledAt), micros(a.LastSuccessAt), cut(a.LastError, answerMax), ref, applied, 1})
	}
	err := b.t.insert(`INSERT INTO account (org_id, connector, kind, anchor, ownership, enabled, absent, disabled_at, last_success_at,
			last_error, ref, applied, rev)`, rows,
		`ON CONFLICT (org_id, connector, kind, anchor) DO UPDATE SET ownership = excluded.ownership, enabled = excluded.enabled,
			absent = excluded.absent, disabled_at = excluded.disabled_at, last_success_at = excluded.last_success_at,
			last_error = excluded.last_error, ref = excluded.ref, applied = excluded.applied, rev = account.rev + 1`)
	if err != nil || len(b.accounts) == 0 {
		return err
	}
	return b.t.setGrants(b.org, b.accounts)
}

// setGrants makes the grants of the accounts those in their Grants, touching only
// what differs.
func (t *tx) setGrants(org string, accounts []finishedAccount) error {
	had, err := t.grantsOf(org, accounts)
	if err != nil {
		return err
	}
	var add [][]any
	for _, a := range accounts {
		have := had[a.AccountKey]
		for _, g := range a.Grants {
			if reason, ok := have[g.Entitlement]; !ok || reason != g.Reason {
				add = append(add, []any{org, a.Connector, string(a.Kind), a.Anchor, g.Entitlement, g.Reason})
			}
			delete(have, g.Entitlement)
		}
	}
	for key, gone := range had {
		for _, e := range sortedNames(gone) {
			if _, err := t.exec(`DELETE FROM grant_edge WHERE org_id = ? AND connector = ? AND kind = ? AND anchor = ? AND entitlement = ?`,
				org, key.Connector, string(key.Kind), key.Anchor, e); err != nil {
				return err
			}
		}
	}
	return t.insert(`INSERT INTO grant_edge (org_id, connector, kind, anchor, entitlement, reason)`, add,
		`ON CONFLICT (org_id, connector, kind, anchor, entitlement) DO UPDATE SET reason = excluded.reason`)
}

// grantsOf returns the grants of accounts: entitlement → reason.
func (t *tx) grantsOf(org string, accounts []finishedAccount) (map[identity.AccountKey]map[string]string, error) {
	had := make(map[identity.AccountKey]map[string]string, len(accounts))
	err := t.s.dialect.eachChunk(len(accounts), 3, func(from, to int) error {
		var args []any
		for _, a := range accounts[from:to] {
			args = append(args, a.Connector, string(a.Kind), a.Anchor)
		}
		var rows []struct{ Connector, Kind, Anchor, Entitlement, Reason string }
		err := t.all(&rows, `WITH v(connector, kind, anchor) AS (`+values(to-from, "TEXT", "TEXT", "TEXT")+`)
			SELECT g.connector, g.kind, g.anchor, g.entitlement, g.reason FROM v CROSS JOIN grant_edge g
			WHERE g.org_id = ? AND g.connector = v.connector AND g.kind = v.kind AND g.anchor = v.anchor`, append(args, org)...)
		for _, r := range rows {
			key := identity.AccountKey{Connector: r.Connector, Kind: identity.Kind(r.Kind), Anchor: r.Anchor}
			if had[key] == nil {
				had[key] = map[string]string{}
			}
			had[key][r.Entitlement] = r.Reason
		}
		return err
	})
	return had, err
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// writeAudit says what was done to whom and why, without values.
func (b *batch) writeAudit() error {
	var entries []AuditEntry
	for _, f := range b.fs {
		if f.State == OpReady || f.State == OpRetry {
			continue // the attempt tells it; an outage must not flood the trail
		}
		op := b.ops[f.ID]
		var body plan.Operation
		if err := decode(op.Body, &body); err != nil {
			return err
		}
		detail := operationDetail(body)
		detail["plan"], detail["attempts"] = op.Plan, op.Tries
		if f.Err != nil {
			detail["code"] = f.Err.Code.String()
		}
		entries = append(entries, entry(f.Now, Hub, "operation."+string(f.State), objectOf(op.accountKey()), detail))
	}
	return b.t.audit(b.org, entries...)
}

// objectOf names an account in the audit trail: "crm/1001".
func objectOf(k identity.AccountKey) string { return k.Connector + "/" + k.Anchor }

// operationDetail is what the audit trail tells of an operation: names, no values.
func operationDetail(op plan.Operation) map[string]any {
	d := map[string]any{"operation": op.ID, "kind": op.AccountKey.Kind, "op": op.Kind, "reason": op.Reason}
	var changed, added, removed []string
	for _, c := range op.Changes {
		changed = append(changed, c.Name)
	}
	for _, g := range op.Grants {
		if g.Remove {
			removed = append(removed, g.Entitlement)
		} else {
			added = append(added, g.Entitlement)
		}
	}
	for name, list := range map[string][]string{"changed": changed, "grants_added": added, "grants_removed": removed} {
		if list != nil {
			d[name] = list
		}
	}
	return d
}
