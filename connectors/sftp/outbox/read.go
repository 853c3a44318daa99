package outbox

import (
	"context"
	"database/sql"
	"errors"
)

// Shown returns what the receiver has of an account, nil for nothing.
func (b *Box) Shown(ctx context.Context, id string) (shown []byte, err error) {
	err = b.stmts[queryShown].QueryRowContext(ctx, id).Scan(&shown)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return shown, err
}

// List returns up to n accounts that the receiver has, by id, after a certain one.
// more is false when those are all.
func (b *Box) List(ctx context.Context, after string, n int) (out []Record, more bool, err error) {
	rows, err := b.read.QueryContext(ctx, `SELECT r.id, CASE WHEN p.id IS NULL THEN r.want ELSE p.shown END AS has
		FROM record r LEFT JOIN pending p ON p.id = r.id WHERE r.id > ? AND has IS NOT NULL ORDER BY r.id LIMIT ?`, after, n+1)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		if len(out) == n {
			return out, true, rows.Err()
		}
		var r Record
		if err := rows.Scan(&r.ID, &r.Want); err != nil {
			return nil, false, err
		}
		out = append(out, r)
	}
	return out, false, rows.Err()
}

// Count returns how many accounts have a row in a full file.
func (b *Box) Count(ctx context.Context) (n int64, err error) {
	err = b.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM record WHERE line IS NOT NULL`).Scan(&n)
	return n, err
}

// Empty reports whether nothing was ever accepted or published.
func (b *Box) Empty(ctx context.Context) (bool, error) {
	var n int
	err := b.write.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM record LIMIT 1)) + (SELECT COUNT(*) FROM (SELECT 1 FROM change LIMIT 1)) +
		(SELECT COUNT(*) FROM meta WHERE name = 'sequence')`).Scan(&n)
	return n == 0, err
}

// Snapshot is the state at the moment of [Box.Take]; what is accepted meanwhile
// does not show.
type Snapshot struct {
	tx *sql.Tx
}

func (b *Box) snapshot(ctx context.Context) (*Snapshot, error) {
	tx, err := b.read.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	var n int // the first read fixes what is seen
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM meta`).Scan(&n); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return &Snapshot{tx}, nil
}

// Release ends the snapshot.
func (s *Snapshot) Release() { _ = s.tx.Rollback() } // it has written nothing

// Lines calls yield with every line of a full file, ordered by id. The bytes are
// good until yield returns.
func (s *Snapshot) Lines(ctx context.Context, yield func(line []byte) error) error {
	return s.each(ctx, `SELECT line FROM record WHERE line IS NOT NULL ORDER BY id`, func(rows *sql.Rows) error {
		var line sql.RawBytes
		if err := rows.Scan(&line); err != nil {
			return err
		}
		return yield(line)
	})
}

// Members calls yield with the lines of every account in the memberships' file.
func (s *Snapshot) Members(ctx context.Context, yield func(lines []byte, n int64) error) error {
	return s.each(ctx, `SELECT members, groups FROM record WHERE groups > 0 AND line IS NOT NULL ORDER BY id`, func(rows *sql.Rows) error {
		var lines sql.RawBytes
		var n int64
		if err := rows.Scan(&lines, &n); err != nil {
			return err
		}
		return yield(lines, n)
	})
}

// Counts returns how many lines and memberships a full file has.
func (s *Snapshot) Counts(ctx context.Context) (lines, members int64, err error) {
	err = s.tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(groups), 0) FROM record WHERE line IS NOT NULL`).Scan(&lines, &members)
	return lines, members, err
}

// Changed calls yield with every account that a publication carries: what the
// receiver has of it and what it is to have, nil for nothing; ordered by id.
func (s *Snapshot) Changed(ctx context.Context, x Batch, yield func(id string, shown, want []byte) error) error {
	return s.each(ctx, `SELECT p.id, p.shown, r.want FROM pending p JOIN record r ON r.id = p.id WHERE p.epoch BETWEEN ? AND ? ORDER BY p.id`, func(rows *sql.Rows) error {
		var id string
		var shown, want []byte
		if err := rows.Scan(&id, &shown, &want); err != nil {
			return err
		}
		return yield(id, shown, want)
	}, x.first, x.last)
}

// ChangedCount returns how many accounts a publication carries.
func (s *Snapshot) ChangedCount(ctx context.Context, x Batch) (n int64, err error) {
	err = s.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM pending WHERE epoch BETWEEN ? AND ?`, x.first, x.last).Scan(&n)
	return n, err
}

// Same reports whether the accounts of a publication are what the receiver has.
func (s *Snapshot) Same(ctx context.Context, x Batch) (bool, error) {
	var n int
	err := s.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM pending p JOIN record r ON r.id = p.id WHERE p.epoch BETWEEN ? AND ? AND p.shown IS NOT r.want LIMIT 1)`,
		x.first, x.last).Scan(&n)
	return n == 0, err
}

func (s *Snapshot) each(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
