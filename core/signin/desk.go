package signin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/provhub/provhub/core/store"
)

// The defaults of [Options].
const (
	DefaultIdle     = 30 * time.Minute
	DefaultAbsolute = 12 * time.Hour
)

// ErrRefused: no such user, a wrong password, or a user who may not sign in. Nobody
// is told which.
var ErrRefused = errors.New("name or password is wrong")

// ErrNoSession: nobody is signed in, or not any more.
var ErrNoSession = errors.New("not signed in")

// WaitError: too many tries failed; no other is made before the wait is over.
type WaitError struct{ Wait time.Duration }

// Error implements error.
func (e *WaitError) Error() string {
	return fmt.Sprintf("too many tries; wait %s and try again", max(e.Wait.Round(time.Second), time.Second))
}

// Who is somebody who is signed in.
type Who struct {
	// Actor is who the audit trail names: "alice", "oidc:alice@example.org".
	Actor string
	Role  Role
}

// Options say how long sessions last; zero: the defaults.
type Options struct {
	Idle, Absolute time.Duration
	Now            func() time.Time // nil: time.Now
}

// Desk lets people in and knows who is in. It is safe for concurrent use.
type Desk struct {
	org *store.Org
	opt Options
	// hashing bounds the passwords that are checked at once: each takes 64 MiB.
	hashing chan struct{}
}

// hashAtOnce bounds the passwords that are checked side by side.
const hashAtOnce = 4

// New returns the desk of an org.
func New(org *store.Org, o Options) *Desk {
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Absolute <= 0 {
		o.Absolute = DefaultAbsolute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Desk{org: org, opt: o, hashing: make(chan struct{}, hashAtOnce)}
}

// Password lets in the user called name, from address, in place of the session that
// former stands for, if any. It returns the token for the browser. [ErrRefused],
// [*WaitError].
func (d *Desk) Password(ctx context.Context, name, password, address, former string) (token string, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	forgive, err := d.count(ctx, name, address)
	if err != nil {
		return "", err
	}
	u, err := d.check(ctx, name, password)
	if err != nil {
		return "", err
	}
	token, err = d.begin(ctx, store.Session{User: u.Name, Actor: u.Name, Role: u.Role}, u.Password, former)
	if err != nil {
		return "", err
	}
	return token, forgive()
}

// count counts a try for the account called name from address, and refuses it with
// [*WaitError] when there were too many. forgive is for who knew the password.
func (d *Desk) count(ctx context.Context, name, address string) (forgive func() error, err error) {
	account, from := subjects(name, address)
	now := d.opt.Now()
	free := map[string]int{account: freeTriesAccount, from: freeTriesAddress}
	wait, err := d.org.CountTry(ctx, account, from, now, func(subject string, had store.Tries) time.Duration {
		return waitAfter(had, free[subject], now)
	})
	switch {
	case err != nil:
		return nil, err
	case wait > 0:
		return nil, &WaitError{wait}
	}
	return func() error { return d.org.TrySucceeded(ctx, account, from) }, nil
}

// check returns the user when the password is right. It takes as long for a user
// that does not exist.
func (d *Desk) check(ctx context.Context, name, password string) (store.User, error) {
	u, err := d.org.User(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return u, err
	}
	phc := u.Password
	if err != nil {
		phc = nobody()
	}
	if len(password) > passwordMax {
		return u, ErrRefused
	}
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return u, ctx.Err()
	}
	right, verr := verify(phc, password)
	switch {
	case verr != nil:
		return u, fmt.Errorf("user %s: %w; set a new one: provhub user passwd %s", name, verr, name)
	case !right || err != nil || u.Disabled || !Role(u.Role).Known():
		return u, ErrRefused
	}
	return u, nil
}

// nobody is the hash of a password that nobody has.
var nobody = sync.OnceValue(func() string { return HashPassword(rand.Text()) })

// Admit lets in somebody an identity provider vouches for.
func (d *Desk) Admit(ctx context.Context, who Who, former string) (token string, err error) {
	return d.begin(ctx, store.Session{Actor: who.Actor, Role: string(who.Role)}, "", former)
}

// begin makes a session with a new token: 256 random bits, of which the store keeps
// the hash.
func (d *Desk) begin(ctx context.Context, s store.Session, password, former string) (token string, err error) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // it never fails: crypto/rand ends the program before
	token = base64.RawURLEncoding.EncodeToString(raw)
	s.ID, s.CreatedAt = digest(token), d.opt.Now()
	s.ExpiresAt = s.CreatedAt.Add(d.opt.Absolute)
	if former != "" {
		former = digest(former)
	}
	err = d.org.BeginSession(ctx, s, password, former)
	if errors.Is(err, store.ErrState) || errors.Is(err, store.ErrNotFound) {
		return "", ErrRefused // the user was changed between the check and this
	}
	return token, err
}

// touchEvery is how often the use of a session is written down.
const touchEvery = time.Minute

// Who returns who is signed in with this token: [ErrNoSession]. byItself says that no
// person asks, but a page that is open: that keeps no session alive.
func (d *Desk) Who(ctx context.Context, token string, byItself bool) (Who, error) {
	if token == "" {
		return Who{}, ErrNoSession
	}
	now := d.opt.Now()
	s, err := d.org.Session(ctx, digest(token), now)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Who{}, ErrNoSession
	case err != nil:
		return Who{}, err
	case now.Sub(s.SeenAt) >= d.opt.Idle, !Role(s.Role).Known():
		return Who{}, ErrNoSession
	}
	if !byItself && now.Sub(s.SeenAt) >= min(touchEvery, d.opt.Idle/2) {
		d.touch(ctx, s.ID, now)
	}
	return Who{Actor: s.Actor, Role: Role(s.Role)}, nil
}

// touchMax is how long somebody waits until the use of their session is written down.
const touchMax = time.Second

// touch notes that a session is used. Where nothing can be written, as on a full disk,
// people have to see why: then the session ends earlier, and that is all.
func (d *Desk) touch(ctx context.Context, id string, now time.Time) {
	ctx, done := context.WithTimeout(ctx, touchMax)
	defer done()
	_ = d.org.TouchSession(ctx, id, now)
}

// SignedIn returns who is signed in now, by name.
func (d *Desk) SignedIn(ctx context.Context) ([]store.SignedIn, error) {
	now := d.opt.Now()
	return d.org.SignedIn(ctx, now, now.Add(-d.opt.Idle))
}

// End signs out the browser that holds token.
func (d *Desk) End(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	return d.org.EndSession(ctx, digest(token), d.opt.Now())
}
