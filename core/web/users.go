package web

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// usersPage is who may sign in, and who is signed in.
type usersPage struct {
	Now   time.Time
	Users []store.User
	// Others are signed in and no users of the hub: an identity provider vouches for them.
	Others   []store.SignedIn
	Sessions map[string]int // by user
	Roles    []signin.Role
	MayAdmit bool
	Provider string
	// Problem, Name and Role are of a form that was not filled in as it must be.
	Problem, Name string
	Role          signin.Role
}

func (s *site) showUsers(v *visit) error {
	return s.usersPage(v, http.StatusOK, usersPage{Role: signin.Viewer})
}

func (s *site) usersPage(v *visit, status int, p usersPage) error {
	p.Now, p.Roles, p.MayAdmit, p.Sessions = s.now(), signin.Roles, v.may(signin.Admit), map[string]int{}
	if s.provider != nil {
		p.Provider = s.providerName
	}
	var err error
	if p.Users, err = v.hub.State().Users(v.Context()); err != nil {
		return err
	}
	in, err := s.desk.SignedIn(v.Context())
	if err != nil {
		return err
	}
	for _, who := range in {
		p.Sessions[who.Actor] = who.Sessions
		if !slices.ContainsFunc(p.Users, func(u store.User) bool { return u.Name == who.Actor }) {
			p.Others = append(p.Others, who)
		}
	}
	s.show(v, status, "users", "Users", p)
	return nil
}

// addUser makes a user. What was typed is shown again when it does not do, but for the
// password.
func (s *site) addUser(v *visit) error {
	p := usersPage{Name: v.PostFormValue("name"), Role: signin.Role(v.PostFormValue("role"))}
	again := func(err error) error {
		p.Problem = sentence(err.Error())
		return s.usersPage(v, http.StatusUnprocessableEntity, p)
	}
	name, err := signin.ParseUser(p.Name)
	if err != nil {
		return again(err)
	}
	role, err := signin.ParseRole(string(p.Role))
	if err != nil {
		return again(err)
	}
	password := v.PostFormValue("password")
	if err := signin.CheckPassword(name, password); err != nil {
		return again(err)
	}
	err = signin.Add(v.Context(), v.hub.State(), name, role, password, v.hub.Actor(), s.now())
	switch {
	case errors.Is(err, store.ErrExists):
		return again(err)
	case err != nil:
		return err
	}
	return s.done(v, userPath(name), name+" may sign in as "+string(role)+".")
}

// userPath is where the page of somebody who may sign in is; names may be mail addresses,
// which are not to be read there.
func userPath(actor string) string {
	return "/users/" + base64.RawURLEncoding.EncodeToString([]byte(actor))
}

// userPage is one user.
type userPage struct {
	Now time.Time
	store.User
	// Local: the hub knows the password; else an identity provider vouches.
	Local    bool
	Own      bool // it is the visitor
	MayAdmit bool
	Sessions int
	SeenAt   time.Time
	Roles    []signin.Role
}

// actor reads who the address of a page names.
func (v *visit) actor() (string, error) {
	name, err := base64.RawURLEncoding.DecodeString(v.PathValue("user"))
	if err != nil || len(name) == 0 {
		return "", store.ErrNotFound
	}
	return string(name), nil
}

func (s *site) showUser(v *visit) error {
	name, err := v.actor()
	if err != nil {
		return err
	}
	p := userPage{Now: s.now(), Roles: signin.Roles, MayAdmit: v.may(signin.Admit), Own: name == v.who.Actor}
	in, err := s.desk.SignedIn(v.Context())
	if err != nil {
		return err
	}
	for _, who := range in {
		if who.Actor == name {
			p.Sessions, p.SeenAt, p.Role = who.Sessions, who.SeenAt, who.Role
		}
	}
	u, err := v.hub.State().User(v.Context(), name)
	switch {
	case err == nil:
		p.User, p.Local = u, true
	case errors.Is(err, store.ErrNotFound) && p.Sessions > 0:
		p.User.Name = name
	default:
		return err
	}
	return s.page(v, "user", name, p)
}

// errOwn keeps admins from locking themselves out, and with them perhaps everybody.
var errOwn = &inputError{"This is you: have another admin do it, so that nobody locks everybody out."}

// errOwnPassword keeps who finds an admin's browser open from taking the account over.
var errOwnPassword = &inputError{"This is you: change your password on the page of your account, where the current one is asked for."}

// giveRole gives a user another role.
func (s *site) giveRole(v *visit) error {
	role, err := signin.ParseRole(v.PostFormValue("role"))
	if err != nil {
		return &inputError{sentence(err.Error())}
	}
	return s.changeUser(v, func(u *store.User) { u.Role = string(role) }, " is "+string(role)+" now, and has to sign in again.")
}

func (s *site) disableUser(v *visit) error {
	return s.changeUser(v, func(u *store.User) { u.Disabled = true }, " cannot sign in any more, and is signed out everywhere.")
}

func (s *site) enableUser(v *visit) error {
	return s.changeUser(v, func(u *store.User) { u.Disabled = false }, " may sign in again.")
}

// changeUser changes another user in the name of the visitor.
func (s *site) changeUser(v *visit, change func(*store.User), note string) error {
	name, err := v.actor()
	if err != nil {
		return err
	}
	if name == v.who.Actor {
		return errOwn
	}
	if err := v.hub.State().ChangeUser(v.Context(), name, v.hub.Actor(), s.now(), change); err != nil {
		return err
	}
	return s.done(v, userPath(name), name+note)
}

// newPassword gives a user another password.
func (s *site) newPassword(v *visit) error {
	name, err := v.actor()
	if err != nil {
		return err
	}
	if name == v.who.Actor {
		return errOwnPassword
	}
	password := v.PostFormValue("password")
	if err := signin.CheckPassword(name, password); err != nil {
		return &inputError{sentence(err.Error())}
	}
	if err := signin.SetPassword(v.Context(), v.hub.State(), name, password, v.hub.Actor(), s.now()); err != nil {
		return err
	}
	return s.done(v, userPath(name), name+" has another password, and is signed out everywhere.")
}

// signOutUser ends all sessions of somebody.
func (s *site) signOutUser(v *visit) error {
	name, err := v.actor()
	if err != nil {
		return err
	}
	n, err := v.hub.State().EndSessions(v.Context(), name, v.hub.Actor(), s.now())
	if err != nil {
		return err
	}
	to := userPath(name)
	if strings.Contains(name, ":") { // without a session, nothing is known of them
		to = "/users"
	}
	return s.done(v, to, plural(n, "session", "sessions")+" of "+name+" ended.")
}
