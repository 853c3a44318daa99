package store

import (
	"context"
	"errors"
	"time"
)

// Session is one browser in which somebody is signed in.
type Session struct {
	// ID is the hash of what the browser holds.
	ID string
	// User is the name of the user it belongs to; "" for whom an identity provider
	// vouches.
	User  string
	Actor string // who the audit trail names
	Role  string
	// CreatedAt, SeenAt and ExpiresAt: when it began, when it was last used, and
	// when it ends whatever happens.
	CreatedAt, SeenAt, ExpiresAt time.Time
}

// BeginSession signs somebody in, in place of the session called former, if there is
// one; s.CreatedAt is now. For a user, password is the PHC string that was checked:
// when it, the role or the user has changed since, [ErrState] refuses. Sessions that
// have ended are swept up.
func (o *Org) BeginSession(ctx context.Context, s Session, password, former string) error {
	now := s.CreatedAt
	return o.write(ctx, "session.begin", func(t *tx) error {
		if s.User != "" {
			u, err := o.lockUser(t, s.User)
			switch {
			case err != nil:
				return err
			case u.Disabled || u.Password != password || u.Role != s.Role:
				return refuse(ErrState, "user %s has changed in this moment; sign in again", s.User)
			}
			if _, err := t.exec(`UPDATE web_user SET signed_in_at = ? WHERE org_id = ? AND name = ?`, micros(now), o.id, s.User); err != nil {
				return err
			}
		}
		if _, err := t.exec(`DELETE FROM web_session WHERE org_id = ? AND (id = ? OR expires_at <= ?)`, o.id, former, micros(now)); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO web_session (org_id, id, user_name, actor, role, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			o.id, s.ID, s.User, s.Actor, s.Role, micros(now), micros(now), micros(s.ExpiresAt)); err != nil {
			return err
		}
		return t.audit(o.id, entry(now, s.Actor, "session.begin", s.Actor, map[string]any{"role": s.Role}))
	})
}

// Session returns the session with this id; [ErrNotFound] when there is none, or its
// time is over.
func (o *Org) Session(ctx context.Context, id string, now time.Time) (Session, error) {
	var row struct {
		User        string `db:"user_name"`
		Actor, Role string
		CreatedAt   int64 `db:"created_at"`
		SeenAt      int64 `db:"seen_at"`
		ExpiresAt   int64 `db:"expires_at"`
	}
	err := o.get(ctx, &row, `SELECT user_name, actor, role, created_at, seen_at, expires_at FROM web_session
		WHERE org_id = ? AND id = ? AND expires_at > ?`, o.id, id, micros(now))
	return Session{
		ID: id, User: row.User, Actor: row.Actor, Role: row.Role,
		CreatedAt: fromMicros(row.CreatedAt), SeenAt: fromMicros(row.SeenAt), ExpiresAt: fromMicros(row.ExpiresAt),
	}, o.s.fail("read session", err)
}

// SignedIn is somebody who is signed in.
type SignedIn struct {
	Actor, Role string
	Sessions    int
	SeenAt      time.Time // when the last of them was used
}

// SignedIn returns who has sessions that have not ended at now and were used after since,
// by name.
func (o *Org) SignedIn(ctx context.Context, now, since time.Time) ([]SignedIn, error) {
	var rows []struct {
		Actor, Role string
		Sessions    int
		SeenAt      int64 `db:"seen_at"`
	}
	err := o.all(ctx, &rows, `SELECT actor, MAX(role) AS role, COUNT(*) AS sessions, MAX(seen_at) AS seen_at FROM web_session
		WHERE org_id = ? AND expires_at > ? AND seen_at > ? GROUP BY actor ORDER BY actor`, o.id, micros(now), micros(since))
	out := make([]SignedIn, len(rows))
	for i, r := range rows {
		out[i] = SignedIn{r.Actor, r.Role, r.Sessions, fromMicros(r.SeenAt)}
	}
	return out, o.s.fail("read sessions", err)
}

// TouchSession notes that a session was used.
func (o *Org) TouchSession(ctx context.Context, id string, now time.Time) error {
	return o.write(ctx, "session.touch", func(t *tx) error {
		_, err := t.exec(`UPDATE web_session SET seen_at = ? WHERE org_id = ? AND id = ?`, micros(now), o.id, id)
		return err
	})
}

// EndSession signs out one browser; one that is not there is no error.
func (o *Org) EndSession(ctx context.Context, id string, now time.Time) error {
	return o.write(ctx, "session.end", func(t *tx) error {
		var actor string
		err := t.get(&actor, `DELETE FROM web_session WHERE org_id = ? AND id = ? RETURNING actor`, o.id, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return t.audit(o.id, entry(now, actor, "session.end", actor, map[string]any{}))
	})
}

// EndSessions signs actor out everywhere, in the name of by, and returns how many
// sessions that were.
func (o *Org) EndSessions(ctx context.Context, actor, by string, now time.Time) (n int, err error) {
	err = o.write(ctx, "session.revoke", func(t *tx) error {
		ended, err := t.exec(`DELETE FROM web_session WHERE org_id = ? AND actor = ?`, o.id, actor)
		if err != nil || ended == 0 {
			return err
		}
		n = int(ended)
		return t.audit(o.id, entry(now, by, "session.revoke", actor, map[string]any{"sessions": n}))
	})
	return n, err
}
