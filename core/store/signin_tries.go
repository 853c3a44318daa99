package store

import (
	"context"
	"errors"
	"time"
)

// Tries are the tries to sign in, of one account or from one address, since the last
// one that succeeded.
type Tries struct {
	Failures int
	LastAt   time.Time
}

// triesKept is how long tries are remembered after the last one.
const triesKept = 24 * time.Hour

// CountTry counts one more try for an account and for the address it comes from,
// before anybody knows whether it succeeds, so that many at once are counted too.
// wait says how long one with these tries has still to wait; when one of the two has
// to, nothing is counted and the longer wait is returned.
func (o *Org) CountTry(ctx context.Context, account, address string, now time.Time, wait func(subject string, had Tries) time.Duration) (longest time.Duration, err error) {
	err = o.write(ctx, "signin.try", func(t *tx) error {
		longest = 0
		for _, s := range []string{account, address} {
			had, err := o.tries(t, s)
			if err != nil {
				return err
			}
			longest = max(longest, wait(s, had))
		}
		if longest > 0 {
			return nil
		}
		for _, s := range []string{account, address} {
			if _, err := t.exec(`INSERT INTO web_try (org_id, subject, failures, last_at) VALUES (?, ?, 1, ?)
				ON CONFLICT (org_id, subject) DO UPDATE SET failures = web_try.failures + 1, last_at = excluded.last_at`, o.id, s, micros(now)); err != nil {
				return err
			}
		}
		_, err := t.exec(`DELETE FROM web_try WHERE org_id = ? AND last_at < ?`, o.id, micros(now.Add(-triesKept)))
		return err
	})
	return longest, err
}

func (o *Org) tries(t *tx, subject string) (Tries, error) {
	var row struct {
		Failures int
		LastAt   int64 `db:"last_at"`
	}
	err := t.get(&row, `SELECT failures, last_at FROM web_try WHERE org_id = ? AND subject = ?`+t.s.dialect.forUpdate, o.id, subject)
	if errors.Is(err, ErrNotFound) {
		return Tries{}, nil
	}
	return Tries{Failures: row.Failures, LastAt: fromMicros(row.LastAt)}, err
}

// TrySucceeded forgets the tries of account, and takes back the one that was counted
// for address: others who try from there are not forgiven.
func (o *Org) TrySucceeded(ctx context.Context, account, address string) error {
	return o.write(ctx, "signin.success", func(t *tx) error {
		if _, err := t.exec(`DELETE FROM web_try WHERE org_id = ? AND subject = ?`, o.id, account); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE web_try SET failures = failures - 1 WHERE org_id = ? AND subject = ? AND failures > 0`, o.id, address)
		return err
	})
}
