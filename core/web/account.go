package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// accountPage is the visitor's own account.
type accountPage struct {
	Now time.Time
	// Local: the hub knows the password; else an identity provider vouches.
	Local bool
	store.User
	Sessions int
	Problem  string // of a form that was not filled in as it must be
}

func (s *site) showAccount(v *visit) error {
	return s.accountPage(v, http.StatusOK, "")
}

func (s *site) accountPage(v *visit, status int, problem string) error {
	p := accountPage{Now: s.now(), Problem: problem}
	u, err := v.hub.State().User(v.Context(), v.who.Actor)
	switch {
	case err == nil:
		p.User, p.Local = u, true
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	in, err := s.desk.SignedIn(v.Context())
	if err != nil {
		return err
	}
	for _, who := range in {
		if who.Actor == v.who.Actor {
			p.Sessions = who.Sessions
		}
	}
	s.show(v, status, "account", "Your account", p)
	return nil
}

// changePassword gives the visitor another password: the current one is asked for, and
// only this browser stays signed in.
func (s *site) changePassword(v *visit) error {
	current, next := v.PostFormValue("current"), v.PostFormValue("password")
	if strings.Contains(v.who.Actor, ":") { // a provider's: nothing is changed here
		return s.showAccount(v)
	}
	again := func(status int, text string) error { return s.accountPage(v, status, sentence(text)) }
	switch err := signin.CheckPassword(v.who.Actor, next); {
	case err != nil:
		return again(http.StatusUnprocessableEntity, err.Error())
	case next != v.PostFormValue("again"):
		return again(http.StatusUnprocessableEntity, "the new password was not typed the same twice")
	case next == current:
		return again(http.StatusUnprocessableEntity, "the new password is the current one")
	}
	token, err := s.desk.ChangePassword(v.Context(), v.who.Actor, current, next, s.address(v.Request), s.jar.get(v.Request, sessionCookie))
	var wait *signin.WaitError
	switch {
	case errors.Is(err, signin.ErrRefused):
		s.log.Warn("a change of password was refused", "address", s.address(v.Request))
		return again(http.StatusUnprocessableEntity, "the current password is wrong")
	case errors.As(err, &wait):
		s.log.Warn("a change of password was refused after too many tries", "address", s.address(v.Request))
		return again(http.StatusTooManyRequests, wait.Error())
	case err != nil:
		return err
	}
	s.jar.set(v.w, sessionCookie, token, 0)
	return s.done(v, "/account", "You have another password. You are signed out everywhere else.")
}
