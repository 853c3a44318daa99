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

// AuditMark is an entry of the trail up to which it was verified; zero: the beginning.
type AuditMark struct {
	Seq  int64
	Hash string
}

// AuditVerify walks the whole trail and returns how many entries it has. A
// [*TamperedError] names the first entry that was changed, removed or moved, or
// tells that the end was cut off.
func (o *Org) AuditVerify(ctx context.Context) (entries int64, err error) {
	to, _, err := o.AuditVerifyFrom(ctx, AuditMark{}, 0)
	return to.Seq, err
}

// AuditVerifyFrom verifies up to n entries that follow one which was verified before,
// and that one itself is there; n 0: all. It returns the last one, and whether that is
// the end of the trail. A [*TamperedError] is as of AuditVerify.
func (o *Org) AuditVerifyFrom(ctx context.Context, from AuditMark, n int) (to AuditMark, end bool, err error) {
	const what = "verify the audit trail"
	// One transaction: the trail and its head as of the same moment.
	t, err := o.s.reader.BeginTxx(ctx, o.s.snapshot())
	if err != nil {
		return from, false, o.s.fail(what, err)
	}
	defer t.Rollback()
	q, args := `SELECT seq, at, actor, action, object, detail, hash FROM audit WHERE org_id = ?`, []any{o.id}
	if from.Seq > 0 {
		q, args = q+" AND seq >= ?", append(args, from.Seq)
	}
	q += " ORDER BY seq"
	if n > 0 {
		q, args = q+" LIMIT ?", append(args, n+1)
	}
	rows, err := t.QueryxContext(ctx, o.s.rebind(q), args...)
	if err != nil {
		return from, false, o.s.fail(what, err)
	}
	c := chained{org: o.id, from: from, at: from}
	if err = eachEntry(rows, c.next); err == nil && from.Seq > 0 && c.read == 0 {
		err = vanished(from)
	}
	if end = n == 0 || c.read <= n; err == nil && end {
		err = o.verifyHead(&tx{Tx: t, s: o.s, ctx: ctx}, c.at.Seq, c.at.Hash)
	}
	return c.at, end, o.s.fail(what, err)
}

func vanished(m AuditMark) error {
	return &TamperedError{Seq: m.Seq, What: "it was there when it was verified, and is missing"}
}

// chained follows the entries from one that was verified.
type chained struct {
	org      string
	from, at AuditMark
	read     int
}

// next verifies that e is what follows.
func (c *chained) next(e AuditEntry) error {
	if c.read++; c.read == 1 && c.from.Seq > 0 {
		switch {
		case e.Seq != c.from.Seq:
			return vanished(c.from)
		case e.Hash != c.from.Hash:
			return &TamperedError{Seq: e.Seq, What: "it is not the one that was verified before"}
		}
		return nil
	}
	last := c.at.Hash
	c.at.Seq++
	if e.Seq != c.at.Seq {
		return &TamperedError{Seq: c.at.Seq, What: fmt.Sprintf("it is missing, the next one is %d", e.Seq)}
	}
	if e.Hash != chain(last, c.org, e.Seq, micros(e.At), e.Actor, e.Action, e.Object, string(e.Detail)) {
		return &TamperedError{Seq: e.Seq, What: "its content does not fit its hash and the entry before it"}
	}
	c.at.Hash = e.Hash
	return nil
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
