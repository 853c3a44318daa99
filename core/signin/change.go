package signin

import (
	"context"
	"errors"

	"github.com/provhub/provhub/core/store"
)

// ChangePassword gives the user called name, who is signed in from address with the
// session that former stands for, the password next, which [CheckPassword] has checked.
// It asks for the current one as a sign-in does, and counts the tries with those: who
// found a browser open learns nothing and takes nothing over. All sessions of the user
// end; token is that of a new one for this browser. [ErrRefused], [*WaitError].
func (d *Desk) ChangePassword(ctx context.Context, name, current, next, address, former string) (token string, err error) {
	forgive, err := d.count(ctx, name, address)
	if err != nil {
		return "", err
	}
	had, err := d.check(ctx, name, current)
	if err != nil {
		return "", err
	}
	phc, changed := HashPassword(next), false
	err = d.org.ChangeUser(ctx, name, name, d.opt.Now(), func(u *store.User) {
		// Who was disabled, or got another password, since it was checked stays so.
		if changed = u.Password == had.Password && !u.Disabled; changed {
			u.Password = phc
		}
	})
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !changed:
		return "", ErrRefused
	case err != nil:
		return "", err
	}
	if err := forgive(); err != nil {
		return "", err
	}
	return d.begin(ctx, store.Session{User: name, Actor: name, Role: had.Role}, phc, former)
}
