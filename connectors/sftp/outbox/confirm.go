package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// keepChanges is how long the outcome of a change is kept for a hub that asks
// again.
const keepChanges = 30 * 24 * time.Hour

// Confirm notes that the receiver has what a publication carries.
func (b *Box) Confirm(ctx context.Context, x Batch, now time.Time) error {
	return b.in(ctx, func(tx *sql.Tx) error { return confirm(ctx, tx, x, now) })
}

func confirm(ctx context.Context, tx *sql.Tx, x Batch, now time.Time) error {
	for _, q := range []string{
		`DELETE FROM record WHERE want IS NULL AND id IN (SELECT id FROM pending WHERE epoch BETWEEN ? AND ?)`,
		`DELETE FROM pending WHERE epoch BETWEEN ? AND ?`,
	} {
		if _, err := tx.ExecContext(ctx, q, x.first, x.last); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE batch SET state = 'confirmed' WHERE number = ?`, x.Number); err != nil {
		return err
	}
	return forget(ctx, tx, now)
}

// Skip confirms a taken publication for which there was nothing to write.
func (b *Box) Skip(ctx context.Context, x Batch, now time.Time) error {
	return errors.Join(b.Confirm(ctx, x, now), b.sweep(ctx))
}

// forget removes changes that nobody asks after any more.
func forget(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM change WHERE at < ? AND epoch <= (SELECT COALESCE(MAX(last), 0) FROM batch WHERE state = 'confirmed')
		AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.id = change.id)`, now.Add(-keepChanges).UnixMilli())
	return err
}

// Verdict is what the receiver says of one account.
type Verdict struct {
	ID      string
	Refused bool
	Code    int    // with Refused
	Message string // with Refused
}

// Respond applies the receiver's response to accounts of a publication. One that
// is refused is again what the receiver has; its changes are rejected. Accounts
// that the publication does not carry are passed over. A publication of which no
// account is open any more is confirmed.
func (b *Box) Respond(ctx context.Context, x Batch, verdicts []Verdict, render func(id string, shown []byte) (Record, error)) error {
	return b.in(ctx, func(tx *sql.Tx) error {
		for _, v := range verdicts {
			if err := respond(ctx, tx, x, v, render); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE batch SET state = 'confirmed' WHERE number = ? AND NOT EXISTS (SELECT 1 FROM pending WHERE epoch BETWEEN first AND last)`, x.Number)
		return err
	})
}

func respond(ctx context.Context, tx *sql.Tx, x Batch, v Verdict, render func(string, []byte) (Record, error)) error {
	state := Confirmed
	if v.Refused {
		state = Rejected
	}
	if _, err := tx.ExecContext(ctx, `UPDATE change SET state = ?, code = ?, message = ? WHERE id = ? AND epoch BETWEEN ? AND ? AND state = 'accepted'`,
		state, v.Code, v.Message, v.ID, x.first, x.last); err != nil {
		return err
	}
	var shown []byte
	err := tx.QueryRowContext(ctx, `SELECT shown FROM pending WHERE id = ? AND epoch BETWEEN ? AND ?`, v.ID, x.first, x.last).Scan(&shown)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // not carried, answered before, or overtaken by a later change
	}
	if err == nil && v.Refused {
		err = revert(ctx, tx, v.ID, shown, render)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM pending WHERE id = ?`, v.ID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM record WHERE id = ? AND want IS NULL`, v.ID)
	return err
}

// revert makes an account again what the receiver has.
func revert(ctx context.Context, tx *sql.Tx, id string, shown []byte, render func(string, []byte) (Record, error)) error {
	if shown == nil {
		_, err := tx.ExecContext(ctx, `DELETE FROM record WHERE id = ?`, id)
		return err
	}
	r, err := render(id, shown)
	if err != nil {
		return fmt.Errorf("take an account back: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE record SET want = ?, line = ?, members = ?, groups = ? WHERE id = ?`, r.Want, r.Line, r.Members, r.Groups, id)
	return err
}
