package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Hub is the actor of what provhub does by itself.
const Hub = "provhub"

// AuditRecord writes an entry for something that has no other row: the kill
// switch, a changed config. Seq and Hash are set by the store.
func (o *Org) AuditRecord(ctx context.Context, e AuditEntry) error {
	return o.write(ctx, "audit", func(t *tx) error { return t.audit(o.id, e) })
}

// audit appends entries to the trail, inside the transaction of what they record.
// Call it last: it takes the head row, which every writer of the org waits for.
func (t *tx) audit(org string, entries ...AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	head := struct {
		Seq  int64
		Hash string
	}{}
	err := t.get(&head, `INSERT INTO audit_head (org_id, seq, hash) VALUES (?, 0, '')
		ON CONFLICT (org_id) DO UPDATE SET seq = audit_head.seq RETURNING seq, hash`, org)
	if err != nil {
		return err
	}
	rows := make([][]any, len(entries))
	for i, e := range entries {
		head.Seq++
		detail, err := compact(e.Detail)
		if err != nil {
			return err
		}
		at := micros(e.At)
		head.Hash = chain(head.Hash, org, head.Seq, at, e.Actor, e.Action, e.Object, detail)
		rows[i] = []any{org, head.Seq, at, e.Actor, e.Action, e.Object, detail, head.Hash}
	}
	if err := t.insert(`INSERT INTO audit (org_id, seq, at, actor, action, object, detail, hash)`, rows, ""); err != nil {
		return err
	}
	_, err = t.exec(`UPDATE audit_head SET seq = ?, hash = ? WHERE org_id = ?`, head.Seq, head.Hash, org)
	return err
}

func compact(detail json.RawMessage) (string, error) {
	if len(detail) == 0 {
		return "", nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, detail); err != nil {
		return "", fmt.Errorf("audit detail: %w", err)
	}
	return b.String(), nil
}

// chain is the hash of an entry: hex SHA-256 over the hash before it and every
// field, each with its length in front so that none can run into the next.
func chain(before, org string, seq, at int64, actor, action, object, detail string) string {
	h := sha256.New()
	var n [8]byte
	num := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	for _, s := range []string{before, org, actor, action, object, detail} {
		num(int64(len(s)))
		h.Write([]byte(s))
	}
	num(seq)
	num(at)
	return hex.EncodeToString(h.Sum(nil))
}

// Audit returns entries, oldest first; page with AuditFilter.After.
func (o *Org) Audit(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	q := `SELECT seq, at, actor, action, object, detail, hash FROM audit WHERE org_id = ? AND seq > ?`
	args := []any{o.id, f.After}
	for _, c := range []struct{ column, value string }{{"actor", f.Actor}, {"action", f.Action}, {"object", f.Object}} {
		if c.value != "" {
			q, args = q+" AND "+c.column+" = ?", append(args, c.value)
		}
	}
	if !f.Since.IsZero() {
		q, args = q+" AND at >= ?", append(args, micros(f.Since))
	}
	rows, err := o.s.reader.QueryxContext(ctx, o.s.rebind(q+" ORDER BY seq LIMIT ?"), append(args, limit(f.Limit))...)
	if err != nil {
		return nil, o.s.fail("read the audit trail", err)
	}
	var out []AuditEntry
	err = eachEntry(rows, func(e AuditEntry) error {
		out = append(out, e)
		return nil
	})
	return out, o.s.fail("read the audit trail", err)
}

func eachEntry(rows *sqlx.Rows, fn func(AuditEntry) error) error {
	defer rows.Close()
	for rows.Next() {
		var e AuditEntry
		var at int64
		var detail string
		if err := rows.Scan(&e.Seq, &at, &e.Actor, &e.Action, &e.Object, &detail, &e.Hash); err != nil {
			return err
		}
		e.At = fromMicros(at)
		if detail != "" {
			e.Detail = json.RawMessage(detail)
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// AuditVerify walks the whole trail and returns how many entries it has. A
// [*TamperedError] names the first entry that was changed, removed or moved, or
// tells that the end was cut off.
func (o *Org) AuditVerify(ctx context.Context) (entries int64, err error) {
	// One transaction: the trail and its head as of the same moment.
	t, err := o.s.reader.BeginTxx(ctx, o.s.snapshot())
	if err != nil {
		return 0, o.s.fail("verify the audit trail", err)
	}
	defer t.Rollback()
	rows, err := t.QueryxContext(ctx, o.s.rebind(`SELECT seq, at, actor, action, object, detail, hash FROM audit WHERE org_id = ? ORDER BY seq`), o.id)
	if err != nil {
		return 0, o.s.fail("verify the audit trail", err)
	}
	last := ""
	err = eachEntry(rows, func(e AuditEntry) error {
		entries++
		if e.Seq != entries {
			return &TamperedError{Seq: entries, What: fmt.Sprintf("it is missing, the next one is %d", e.Seq)}
		}
		want := chain(last, o.id, e.Seq, micros(e.At), e.Actor, e.Action, e.Object, string(e.Detail))
		if e.Hash != want {
			return &TamperedError{Seq: e.Seq, What: "its content does not fit its hash and the entry before it"}
		}
		last = e.Hash
		return nil
	})
	if err != nil {
		return entries, o.s.fail("verify the audit trail", err)
	}
	return entries, o.s.fail("verify the audit trail", o.verifyHead(&tx{Tx: t, s: o.s, ctx: ctx}, entries, last))
}

// verifyHead compares the end of the trail with the head row.
func (o *Org) verifyHead(t *tx, entries int64, last string) error {
	var head struct {
		Seq  int64
		Hash string
	}
	err := t.get(&head, `SELECT COALESCE(MAX(seq), 0) AS seq, COALESCE(MAX(hash), '') AS hash FROM audit_head WHERE org_id = ?`, o.id)
	switch {
	case err != nil:
		return err
	case head.Seq > entries:
		return &TamperedError{Seq: entries + 1, What: fmt.Sprintf("the trail ends at %d, but %d entries were written", entries, head.Seq)}
	case head.Seq != entries || head.Hash != last:
		return &TamperedError{Seq: entries, What: "the trail does not end where its head says"}
	}
	return nil
}

// limit gives a filter's limit its default.
func limit(n int) int {
	if n <= 0 {
		return 100
	}
	return n
}
