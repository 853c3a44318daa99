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

// CountTry counts one more try for each of subjects, before anybody knows whether it
// succeeds, so that many at once are counted too. wait says how long a subject with
// these tries has still to wait; when any has to, nothing is counted and the longest
// wait is returned.
func (o *Org) CountTry(ctx context.Context, subjects []string, now time.Time, wait func(Tries) time.Duration) (longest time.Duration, err error) {
	err = o.write(ctx, "signin.try", func(t *tx) error {
		longest = 0
		for _, s := range subjects {
			had, err := o.tries(t, s)
			if err != nil {
				return err
			}
			longest = max(longest, wait(had))
		}
		if longest > 0 {
			return nil
		}
		for _, s := range subjects {
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

// ForgetTries forgets the tries of subjects: one succeeded.
func (o *Org) ForgetTries(ctx context.Context, subjects []string) error {
	return o.write(ctx, "signin.forget", func(t *tx) error {
		return o.s.dialect.inChunks(subjects, func(marks string, args []any) error {
			_, err := t.exec(`DELETE FROM web_try WHERE org_id = ? AND subject IN (`+marks+`)`, append([]any{o.id}, args...)...)
			return err
		})
	})
}
