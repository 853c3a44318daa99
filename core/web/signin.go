package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/provhub/provhub/core/signin"
)

// flowLasts is how long a sign-in may take.
const flowLasts = 10 * time.Minute

// signInPage is what the sign-in page shows.
type signInPage struct {
	Provider string // what the identity provider is called; "": there is none
	Name     string
	Problem  string
}

func (s *site) showSignIn(w http.ResponseWriter, r *http.Request) {
	s.signInPage(w, r, http.StatusOK, signInPage{})
}

func (s *site) signInPage(w http.ResponseWriter, r *http.Request, status int, p signInPage) {
	if s.provider != nil {
		p.Provider = s.providerName
	}
	s.show(&visit{Request: r, w: w}, status, "signin", "Sign in", p)
}

// signIn checks a name and a password.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	name, password := r.PostFormValue("name"), r.PostFormValue("password")
	token, err := s.desk.Password(r.Context(), name, password, s.address(r), s.jar.get(r, sessionCookie))
	var wait *signin.WaitError
	switch {
	case errors.Is(err, signin.ErrRefused):
		s.log.Warn("a sign-in was refused", "address", s.address(r))
		s.signInPage(w, r, http.StatusUnauthorized, signInPage{Name: name, Problem: "Name or password is wrong."})
	case errors.As(err, &wait):
		s.log.Warn("a sign-in was refused after too many tries", "address", s.address(r))
		s.signInPage(w, r, http.StatusTooManyRequests, signInPage{Name: name, Problem: sentence(wait.Error())})
	case err != nil:
		s.log.Error("a sign-in failed", "error", err)
		s.signInPage(w, r, http.StatusInternalServerError, signInPage{Name: name, Problem: "Something went wrong; it is in the log of the hub."})
	default:
		s.welcome(w, r, token, s.jar.take(w, r, nextCookie))
	}
}

// welcome gives the browser its session and shows the page that was wanted.
func (s *site) welcome(w http.ResponseWriter, r *http.Request, token, next string) {
	s.jar.set(w, sessionCookie, token, 0)
	http.Redirect(w, r, local(next), http.StatusSeeOther)
}

// local returns a path of this site, "/" for everything else.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// goToProvider sends the browser to the identity provider.
func (s *site) goToProvider(w http.ResponseWriter, r *http.Request) {
	if s.provider == nil {
		s.nothingHere(w, r)
		return
	}
	flow, start, err := s.provider.Begin(r.Context(), s.jar.take(w, r, nextCookie))
	if err != nil {
		s.providerFailed(w, r, http.StatusBadGateway, err, "is not possible now: try again later, or sign in with a password. The log of the hub says why.")
		return
	}
	b, err := json.Marshal(flow)
	if err != nil {
		s.providerFailed(w, r, http.StatusInternalServerError, err, failedSignIn)
		return
	}
	s.jar.set(w, flowCookie, string(b), flowLasts)
	http.Redirect(w, r, start, http.StatusSeeOther)
}

// backFromProvider takes the provider's answer (RFC 6749 §4.1.2).
func (s *site) backFromProvider(w http.ResponseWriter, r *http.Request) {
	if s.provider == nil {
		s.nothingHere(w, r)
		return
	}
	var flow signin.Flow
	// A cookie that is none leaves no flow, which Finish refuses.
	_ = json.Unmarshal([]byte(s.jar.take(w, r, flowCookie)), &flow)
	q := r.URL.Query()
	if code := q.Get("error"); code != "" {
		said := failedSignIn
		if code == "access_denied" {
			said = "did not work: it was ended there, or you may not use provhub. Try again, or ask an admin."
		}
		s.providerFailed(w, r, http.StatusForbidden, errors.New(code+": "+q.Get("error_description")), said)
		return
	}
	who, err := s.provider.Finish(r.Context(), flow, q.Get("state"), q.Get("code"))
	switch {
	case errors.Is(err, signin.ErrNoRole):
		s.log.Warn("somebody without a role was not let in", "actor", who.Actor, "error", err)
		s.signInPage(w, r, http.StatusForbidden, signInPage{Problem: s.providerName + " knows you, but gives you no role here. Ask an admin for one."})
		return
	case errors.Is(err, signin.ErrStale):
		s.stale(w, r, err)
		return
	case err != nil:
		s.providerFailed(w, r, http.StatusBadGateway, err, failedSignIn)
		return
	}
	token, err := s.desk.Admit(r.Context(), who, s.jar.get(r, sessionCookie))
	if err != nil {
		s.providerFailed(w, r, http.StatusInternalServerError, err, failedSignIn)
		return
	}
	s.welcome(w, r, token, flow.Next)
}

// stale answers to what fits no sign-in that this browser has begun. Who goes back to
// such an address is signed in often, and goes on.
func (s *site) stale(w http.ResponseWriter, r *http.Request, why error) {
	if _, err := s.desk.Who(r.Context(), s.jar.get(r, sessionCookie), false); err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.log.Warn("a sign-in at the identity provider failed", "error", why)
	s.signInPage(w, r, http.StatusBadRequest, signInPage{Problem: "This sign-in was used already, was begun in another browser, or took longer than 10 minutes: begin again."})
}

// failedSignIn is what people are told whom the reason does not help.
const failedSignIn = "did not work: try again. The log of the hub says why."

// providerFailed says to the person in front of the browser that signing in at the
// provider did not work, and to the log why.
func (s *site) providerFailed(w http.ResponseWriter, r *http.Request, status int, err error, said string) {
	s.log.Warn("a sign-in at the identity provider failed", "error", err)
	s.signInPage(w, r, status, signInPage{Problem: "Signing in at " + s.providerName + " " + said})
}

// signOut ends the session.
func (s *site) signOut(v *visit) error {
	if err := s.desk.End(v.Context(), s.jar.get(v.Request, sessionCookie)); err != nil {
		return err
	}
	s.jar.clear(v.w, sessionCookie)
	http.Redirect(v.w, v.Request, "/signin", http.StatusSeeOther)
	return nil
}
