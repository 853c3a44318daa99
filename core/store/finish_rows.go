package store

import (
	"strings"
	"unicode/utf8"
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
		rows = append(rows, []any{b.org, a.Source, a.Connector, string(a.Kind), a.Anchor, string(a.Ownership), string(a.Enabled), flag(a.Absent),
			micros(a.DisabledAt), micros(a.LastSuccessAt), cut(a.LastError, answerMax), ref, applied, 1})
	}
	err := b.t.insert(`INSERT INTO account (org_id, source, connector, kind, anchor, ownership, enabled, absent, disabled_at, last_success_at,
			last_error, ref, applied, rev)`, rows,
		`ON CONFLICT (org_id, connector, source, kind, anchor) DO UPDATE SET ownership = excluded.ownership, enabled = excluded.enabled,
			absent = excluded.absent, disabled_at = excluded.disabled_at, last_success_at = excluded.last_success_at,
			last_error = excluded.last_error, ref = excluded.ref, applied = excluded.applied, rev = account.rev + 1`)
	if err != nil || len(b.accounts) == 0 {
		return err
	}
	return b.t.setGrants(b.org, b.accounts)
}
