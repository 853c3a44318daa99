package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Restore fills an empty outbox with what was published last, as confirmed: the
// records that each yields, and the publication they come from. Either all of it
// is kept or nothing.
func (b *Box) Restore(ctx context.Context, x Batch, each func(keep func(Record) error) error, now time.Time) error {
	return b.in(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO record (id, want, line, members, groups) VALUES (?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		if err := each(func(r Record) error {
			_, err := insert.ExecContext(ctx, r.ID, r.Want, r.Line, r.Members, r.Groups)
			return err
		}); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO batch (seq, first, last, state, mode, run, rows, manifest, attempted, retired, sealed_at, published_at)
			VALUES (?, 0, 0, 'confirmed', ?, ?, ?, ?, 1, 1, ?, ?)`, x.Seq, x.Mode, x.Run, x.Rows, x.Manifest, now.UnixMilli(), now.UnixMilli()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('sequence', ?)`, fmt.Sprint(x.Seq))
		return err
	})
}

// Relay writes the lines of all accounts anew, after the layout of the files has
// changed. It works in steps and can be interrupted; done is kept as the layout
// that the lines are of.
func (b *Box) Relay(ctx context.Context, layout string, render func(id string, want []byte) (Record, error)) error {
	const step = 2000
	for after := ""; ; {
		n := 0
		err := b.relayStep(ctx, &after, &n, step, render)
		if err != nil {
			return err
		}
		if n < step {
			return b.SetMeta(ctx, "layout", layout)
		}
	}
}

func (b *Box) relayStep(ctx context.Context, after *string, n *int, step int, render func(string, []byte) (Record, error)) error {
	b.accept.Lock()
	defer b.accept.Unlock()
	var batch []Record
	rows, err := b.read.QueryContext(ctx, `SELECT id, want FROM record WHERE id > ? ORDER BY id LIMIT ?`, *after, step)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Record
		if err := rows.Scan(&r.ID, &r.Want); err != nil {
			return err
		}
		batch = append(batch, r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if *n = len(batch); *n > 0 {
		*after = batch[*n-1].ID
	}
	return b.in(ctx, func(tx *sql.Tx) error {
		for _, r := range batch {
			if r.Want == nil {
				continue
			}
			fresh, err := render(r.ID, r.Want)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE record SET line = ?, members = ?, groups = ? WHERE id = ?`, fresh.Line, fresh.Members, fresh.Groups, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
