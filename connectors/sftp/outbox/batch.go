package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Batch is one publication.
type Batch struct {
	Number      int64 // in the outbox
	Seq         int64 // in names and manifest; counted without gaps
	State       string
	Mode, Run   string
	Rows        int64 // of the accounts' file
	Manifest    string
	Attempted   bool // some of it may have left
	SealedAt    time.Time
	PublishedAt time.Time
	// AckSize and AckAt are the size of the response when it was last seen, -1 for
	// never, and when that was.
	AckSize int64
	AckAt   time.Time
	Files   []File // in the order of publication

	first, last int64
}

// File is one file of a publication. Its bytes are in the spool until it is
// published.
type File struct {
	Role   string // "accounts", "memberships", "manifest", "done"
	Name   string
	Size   int64
	SHA256 string
}

// Take closes the epoch that is open and takes everything that is accepted and not
// taken yet for a publication. ok is false when that is nothing, unless always
// asks for one all the same. The caller holds [Box.Lock], and releases the snapshot
// when the files are written.
func (b *Box) Take(ctx context.Context, mode, run string, always bool) (x Batch, s *Snapshot, ok bool, err error) {
	b.accept.Lock()
	defer b.accept.Unlock()
	tx, err := b.write.BeginTx(ctx, nil)
	if err != nil {
		return x, nil, false, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if x, err = b.begin(ctx, tx, mode, run); err != nil {
		return x, nil, false, err
	}
	var changes int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM change WHERE epoch BETWEEN ? AND ? LIMIT 1)`, x.first, x.last).Scan(&changes); err != nil || changes == 0 && !always {
		return x, nil, false, err
	}
	if err := tx.Commit(); err != nil {
		return x, nil, false, err
	}
	b.waiting = Waiting{}
	s, err = b.snapshot(ctx)
	return x, s, err == nil, err
}

// begin opens the next epoch and makes the row of a batch with all that are closed.
func (b *Box) begin(ctx context.Context, tx *sql.Tx, mode, run string) (x Batch, err error) {
	// The lock on publishing is held, so what is taken was given up.
	if _, err := tx.ExecContext(ctx, `DELETE FROM batch WHERE state = 'taken'`); err != nil {
		return x, err
	}
	open, taken, _, err := b.epochs(ctx, tx)
	if err != nil {
		return x, err
	}
	x = Batch{Mode: mode, Run: run, State: "taken", first: taken + 1, last: open}
	if _, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, fmt.Sprint(x.last)); err != nil {
		return x, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT 1 + COALESCE(MAX(CAST(value AS INTEGER)), 0) FROM meta WHERE name = 'sequence'`).Scan(&x.Seq); err != nil {
		return x, err
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO batch (first, last, state, mode, run) VALUES (?, ?, 'taken', ?, ?)`, x.first, x.last, x.Mode, x.Run)
	if err != nil {
		return x, err
	}
	x.Number, err = r.LastInsertId()
	return x, err
}

// Seal makes a taken publication final: from now on its number, names and bytes
// are those. The files are in the spool already.
func (b *Box) Seal(ctx context.Context, x Batch, now time.Time) error {
	return b.in(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE batch SET state = 'sealed', seq = ?, rows = ?, manifest = ?, sealed_at = ? WHERE number = ?`,
			x.Seq, x.Rows, x.Manifest, now.UnixMilli(), x.Number); err != nil {
			return err
		}
		for i, f := range x.Files {
			if _, err := tx.ExecContext(ctx, `INSERT INTO file (seq, place, role, name, size, sha256) VALUES (?, ?, ?, ?, ?, ?)`,
				x.Seq, i, f.Role, f.Name, f.Size, f.SHA256); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('sequence', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, fmt.Sprint(x.Seq))
		return err
	})
}

// Abandon gives a taken publication up: its changes wait for the next one.
func (b *Box) Abandon(ctx context.Context, x Batch) error {
	_, err := b.write.ExecContext(context.WithoutCancel(ctx), `DELETE FROM batch WHERE number = ? AND state = 'taken'`, x.Number)
	return errors.Join(err, b.recount(context.WithoutCancel(ctx)), b.sweep(context.WithoutCancel(ctx)))
}

// Attempt notes that some of a publication may leave now.
func (b *Box) Attempt(ctx context.Context, x Batch) error {
	_, err := b.write.ExecContext(ctx, `UPDATE batch SET attempted = 1 WHERE number = ?`, x.Number)
	return err
}

// MarkPublished notes that all files are on the server, and lets go of the spool.
// confirmed: nothing more is expected of the receiver.
func (b *Box) MarkPublished(ctx context.Context, x Batch, now time.Time, confirmed bool) error {
	err := b.in(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE batch SET state = 'published', published_at = ? WHERE number = ?`, now.UnixMilli(), x.Number); err != nil || !confirmed {
			return err
		}
		return confirm(ctx, tx, x, now)
	})
	return errors.Join(err, b.sweep(ctx))
}

// Unpublished returns the publication that is sealed and not published; there is
// at most one.
func (b *Box) Unpublished(ctx context.Context) (Batch, bool, error) {
	return b.one(ctx, `WHERE state = 'sealed' ORDER BY seq LIMIT 1`)
}

// Unconfirmed returns the publications that the receiver has not confirmed, oldest
// first.
func (b *Box) Unconfirmed(ctx context.Context) ([]Batch, error) {
	return b.batches(ctx, `WHERE state = 'published' ORDER BY seq`)
}

// Last returns the last publication of a mode that was sealed, "" for any mode.
func (b *Box) Last(ctx context.Context, mode string) (Batch, bool, error) {
	return b.one(ctx, `WHERE seq IS NOT NULL AND (? = '' OR mode = ?) ORDER BY seq DESC LIMIT 1`, mode, mode)
}

// Old returns the publications before the newest keep ones whose files were not
// put away yet, oldest first.
func (b *Box) Old(ctx context.Context, keep int) ([]Batch, error) {
	return b.batches(ctx, `WHERE state = 'confirmed' AND retired = 0 AND seq IS NOT NULL
		AND seq <= (SELECT MAX(seq) FROM batch WHERE state IN ('published', 'confirmed')) - ? ORDER BY seq LIMIT 100`, keep)
}

// Retire notes that the files of a publication were put away.
func (b *Box) Retire(ctx context.Context, x Batch) error {
	_, err := b.write.ExecContext(ctx, `UPDATE batch SET retired = 1 WHERE number = ?`, x.Number)
	return err
}

// SeeAck notes how large the response to a publication is now.
func (b *Box) SeeAck(ctx context.Context, x Batch, size int64, now time.Time) error {
	_, err := b.write.ExecContext(ctx, `UPDATE batch SET ack_size = ?, ack_at = ? WHERE number = ?`, size, now.UnixMilli(), x.Number)
	return err
}

func (b *Box) one(ctx context.Context, where string, args ...any) (Batch, bool, error) {
	xs, err := b.batches(ctx, where, args...)
	if err != nil || len(xs) == 0 {
		return Batch{}, false, err
	}
	return xs[0], true, nil
}

func (b *Box) batches(ctx context.Context, where string, args ...any) (out []Batch, err error) {
	rows, err := b.write.QueryContext(ctx, `SELECT number, COALESCE(seq, 0), first, last, state, mode, run, rows, manifest, attempted, sealed_at, published_at, ack_size, ack_at FROM batch `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x Batch
		var sealed, published, ack int64
		if err := rows.Scan(&x.Number, &x.Seq, &x.first, &x.last, &x.State, &x.Mode, &x.Run, &x.Rows, &x.Manifest, &x.Attempted, &sealed, &published, &x.AckSize, &ack); err != nil {
			return nil, err
		}
		x.SealedAt, x.PublishedAt, x.AckAt = time.UnixMilli(sealed), time.UnixMilli(published), time.UnixMilli(ack)
		out = append(out, x)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Files, err = b.files(ctx, out[i].Seq); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *Box) files(ctx context.Context, seq int64) (out []File, err error) {
	rows, err := b.write.QueryContext(ctx, `SELECT role, name, size, sha256 FROM file WHERE seq = ? ORDER BY place`, seq)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f File
		if err := rows.Scan(&f.Role, &f.Name, &f.Size, &f.SHA256); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// in runs f in a transaction that nobody accepts into.
func (b *Box) in(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := b.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
