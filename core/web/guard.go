package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// bodyMax bounds what a form may send.
const bodyMax = 1 << 20

// transferMax bounds how long a form takes to come in, and a page to go out.
const transferMax = 30 * time.Second

// policy lets a page load its own files and nothing else: no script or style within
// a page, no foreign form, no frame around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers sets what every answer has.
func (s *site) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if s.jar.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
		// Who reads or writes slowly must not keep a connection for good. A writer that
		// cannot do it is one of a test.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(transferMax))
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(transferMax))
		next.ServeHTTP(w, r)
	})
}

// visit is one request of somebody who is signed in.
type visit struct {
	*http.Request
	w   http.ResponseWriter
	who signin.Who
	// hub acts in the name of who.
	hub *hub.Hub
}

// may reports whether the visitor may do what right says.
func (v *visit) may(right signin.Right) bool { return v.who.Role.May(right) }

// signedIn serves a route to who is signed in and has the right to it.
func (s *site) signedIn(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var who signin.Who
		err := s.reading(req, func() (err error) {
			who, err = s.desk.Who(req.Context(), s.jar.get(req, sessionCookie), req.Header.Get(refreshHeader) != "")
			return err
		})
		if errors.Is(err, signin.ErrNoSession) {
			s.askToSignIn(w, req)
			return
		}
		v := &visit{Request: req, w: w, who: who, hub: s.hub.As(who.Actor)}
		switch {
		case err != nil:
			s.fail(v, err)
		case !who.Role.May(r.right):
			s.fail(v, errForbidden)
		case req.Method == http.MethodGet:
			s.read(v, r)
		default:
			if err := r.handle(s, v); err != nil {
				s.fail(v, err)
			}
		}
	})
}

// readMax bounds how long the state may take for a page, askAgain is how soon it is asked
// once more when the database did not answer.
const (
	readMax  = 20 * time.Second
	askAgain = 300 * time.Millisecond
)

// read shows a page.
func (s *site) read(v *visit, r route) {
	ctx, done := context.WithTimeout(v.Context(), readMax)
	defer done()
	v.Request = v.WithContext(ctx)
	if err := s.reading(v.Request, func() error { return r.handle(s, v) }); err != nil {
		s.fail(v, err)
	}
}

// reading does what changes nothing, and does it once more when the database did not
// answer: one that restarts, or whose connection is taken up anew, is back in a moment.
func (s *site) reading(req *http.Request, do func() error) error {
	err := do()
	if !errors.Is(err, store.ErrUnreachable) {
		return err
	}
	s.log.Warn("the database did not answer; it is asked once more", "page", req.Pattern, "error", err)
	select {
	case <-req.Context().Done():
	case <-time.After(askAgain):
	}
	return do()
}

// askToSignIn sends a browser to the sign-in page, and back afterwards to the page it
// wanted to see.
func (s *site) askToSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Request") != "" { // a part of a page that is open: the whole page has to go
		w.Header().Set("HX-Redirect", "/signin")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		s.jar.set(w, nextCookie, r.URL.RequestURI(), flowLasts)
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// refreshHeader marks what an open page asks for by itself (hx-headers in the templates).
const refreshHeader = "Provhub-Refresh"

var errForbidden = errors.New("forbidden")

// inputError is a form that was not filled in as it must be.
type inputError struct{ text string }

func (e *inputError) Error() string { return e.text }

// fail shows an error: what is wrong, and what to do.
func (s *site) fail(v *visit, err error) {
	var input *inputError
	var usage *hub.UsageError
	switch {
	case errors.Is(err, errForbidden):
		s.show(v, http.StatusForbidden, "problem", "Not allowed", problem{"Your role, " + string(v.who.Role) + ", does not allow this.", "Ask an admin for another role if you need it."})
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrAmbiguous):
		s.show(v, http.StatusNotFound, "problem", "Not found", problem{"There is no such thing here.", "It may have been taken away, or the address is incomplete."})
	case errors.As(err, &input):
		s.show(v, http.StatusUnprocessableEntity, "problem", "Not done", problem{input.text, "Go back and try again."})
	case errors.As(err, &usage):
		s.show(v, http.StatusUnprocessableEntity, "problem", "Not done", problem{usage.Error(), ""})
	case errors.Is(err, store.ErrPlanState), errors.Is(err, store.ErrState):
		s.show(v, http.StatusConflict, "problem", "Not done", problem{sentence(err.Error()), "Somebody else may have been faster: look again."})
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, store.ErrUnreachable), errors.Is(err, hub.ErrNotServing):
		s.log.Error("a page failed for now", "page", v.Pattern, "error", err)
		v.w.Header().Set("Retry-After", "5")
		s.show(v, http.StatusServiceUnavailable, "problem", "Not now", problem{notNow(err), "Nothing is lost. Try again in a moment."})
	case v.Context().Err() != nil: // nobody waits for the answer
	default:
		s.log.Error("a page failed", "page", v.Pattern, "error", err)
		s.show(v, http.StatusInternalServerError, "problem", "Failed", problem{"Something went wrong.", "It is in the log of the hub; try again in a moment."})
	}
}

// notNow says in one sentence why something cannot be done at the moment.
func notNow(err error) string {
	switch {
	case errors.Is(err, hub.ErrNotServing):
		return "This node is not serving at the moment."
	case errors.Is(err, store.ErrUnreachable):
		return "The database does not answer at the moment."
	}
	return "The database took too long to answer."
}

// crossOrigin refuses a form that another site sent.
func (s *site) crossOrigin(w http.ResponseWriter, r *http.Request) {
	s.log.Warn("a form of another site was refused", "origin", r.Header.Get("Origin"))
	http.Error(w, "This form was sent by another site and is refused. Open the page of provhub and press the button there.", http.StatusForbidden)
}

func (s *site) nothingHere(w http.ResponseWriter, r *http.Request) {
	who, err := s.desk.Who(r.Context(), s.jar.get(r, sessionCookie), false)
	if err != nil {
		s.askToSignIn(w, r)
		return
	}
	s.fail(&visit{Request: r, w: w, who: who, hub: s.hub}, store.ErrNotFound)
}

// address is where a request comes from: the last address that no trusted proxy has.
func (s *site) address(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := at.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(ip); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = hop.Unmap()
	}
	return ip.String()
}

func (s *site) trusted(ip netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
