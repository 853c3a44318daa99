package store

import (
	"context"
	"errors"
	"time"
)

// ErrExists: there is one of that name already.
var ErrExists = errors.New("it exists already")

// User is somebody who signs in to the pages with a password that is kept here.
type User struct {
	Name string `json:"name"` // lower case
	Role string `json:"role"`
	// Password is a PHC string, never the password itself.
	Password   string    `json:"-"`
	Disabled   bool      `json:"disabled,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	ChangedAt  time.Time `json:"changed_at"` // of the password
	SignedInAt time.Time `json:"signed_in_at,omitzero"`
}

type userRow struct {
	Name, Role, Password string
	Disabled             int64
	CreatedAt            int64 `db:"created_at"`
	ChangedAt            int64 `db:"changed_at"`
	SignedInAt           int64 `db:"signed_in_at"`
}

func (r userRow) user() User {
	return User{
		Name: r.Name, Role: r.Role, Password: r.Password, Disabled: r.Disabled != 0,
		CreatedAt: fromMicros(r.CreatedAt), ChangedAt: fromMicros(r.ChangedAt), SignedInAt: fromMicros(r.SignedInAt),
	}
}

const userColumns = `name, role, password, disabled, created_at, changed_at, signed_in_at`

// Users returns all users, by name.
func (o *Org) Users(ctx context.Context) ([]User, error) {
	var rows []userRow
	err := o.all(ctx, &rows, `SELECT `+userColumns+` FROM web_user WHERE org_id = ? ORDER BY name`, o.id)
	out := make([]User, len(rows))
	for i, r := range rows {
		out[i] = r.user()
	}
	return out, o.s.fail("read users", err)
}

// User returns the user called name, disabled or not; [ErrNotFound].
func (o *Org) User(ctx context.Context, name string) (User, error) {
	var row userRow
	err := o.get(ctx, &row, `SELECT `+userColumns+` FROM web_user WHERE org_id = ? AND name = ?`, o.id, name)
	return row.user(), o.s.fail("read user", err)
}

// AddUser makes a user: Name, Role and Password are taken. It is audited in the
// name of by. [ErrExists].
func (o *Org) AddUser(ctx context.Context, u User, by string, now time.Time) error {
	return o.write(ctx, "user.add", func(t *tx) error {
		n, err := t.exec(`INSERT INTO web_user (org_id, `+userColumns+`) VALUES (?, ?, ?, ?, 0, ?, ?, 0) ON CONFLICT (org_id, name) DO NOTHING`,
			o.id, u.Name, u.Role, u.Password, micros(now), micros(now))
		switch {
		case err != nil:
			return err
		case n == 0:
			return refuse(ErrExists, "there is a user %s already", u.Name)
		}
		return t.audit(o.id, entry(now, by, "user.add", u.Name, map[string]any{"role": u.Role}))
	})
}

// ChangeUser changes Role, Password and Disabled of a user in the name of by, audits
// what changed, and signs the user out everywhere when anything did. [ErrNotFound].
func (o *Org) ChangeUser(ctx context.Context, name, by string, now time.Time, change func(*User)) error {
	return o.write(ctx, "user.change", func(t *tx) error {
		had, err := o.lockUser(t, name)
		if err != nil {
			return err
		}
		next := had
		change(&next)
		entries := userEntries(had, next, by, now)
		if len(entries) == 0 {
			return nil
		}
		if next.Password != had.Password {
			next.ChangedAt = now
		}
		if _, err := t.exec(`UPDATE web_user SET role = ?, password = ?, disabled = ?, changed_at = ? WHERE org_id = ? AND name = ?`,
			next.Role, next.Password, flag(next.Disabled), micros(next.ChangedAt), o.id, name); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM web_session WHERE org_id = ? AND user_name = ?`, o.id, name); err != nil {
			return err
		}
		return t.audit(o.id, entries...)
	})
}

func (o *Org) lockUser(t *tx, name string) (User, error) {
	var row userRow
	err := t.get(&row, `SELECT `+userColumns+` FROM web_user WHERE org_id = ? AND name = ?`+t.s.dialect.forUpdate, o.id, name)
	if errors.Is(err, ErrNotFound) {
		return User{}, refuse(ErrNotFound, "there is no user %s; see `provhub user list`", name)
	}
	return row.user(), err
}

func userEntries(had, next User, by string, now time.Time) []AuditEntry {
	var out []AuditEntry
	if had.Role != next.Role {
		out = append(out, entry(now, by, "user.role", had.Name, map[string]any{"role": next.Role, "before": had.Role}))
	}
	if had.Password != next.Password {
		out = append(out, entry(now, by, "user.password", had.Name, map[string]any{}))
	}
	if had.Disabled != next.Disabled {
		action := "user.enable"
		if next.Disabled {
			action = "user.disable"
		}
		out = append(out, entry(now, by, action, had.Name, map[string]any{}))
	}
	return out
}
