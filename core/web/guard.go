package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
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
	// whole ends when nobody waits any more; the context of the request ends before, when
	// a page takes too long.
	whole context.Context
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
	v.whole, v.Request = v.Context(), v.WithContext(ctx)
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
// wanted to see, or to the one that the button stood on that it pressed.
func (s *site) askToSignIn(w http.ResponseWriter, r *http.Request) {
	if page := pageOf(r); page != "/" {
		s.jar.set(w, nextCookie, page, flowLasts)
	}
	if r.Method == http.MethodPost && s.jar.get(r, sessionCookie) != "" {
		s.jar.set(w, noteCookie, notPressed, flowLasts)
	}
	if r.Header.Get("HX-Request") != "" { // a part of a page that is open: the whole page has to go
		w.Header().Set("HX-Redirect", "/signin")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// notPressed is told to who pressed a button after their session had ended.
const notPressed = "You were signed out meanwhile, and what you pressed was not done. Sign in, and press it again."

// pageOf is the page that a request is for, or was sent from.
func pageOf(r *http.Request) string {
	if at, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && at.Path != "" {
		return at.RequestURI()
	}
	switch {
	case r.Method == http.MethodGet:
		return r.URL.RequestURI()
	case strings.HasPrefix(r.URL.Path, "/causes/"):
		return "/queue"
	case slices.Contains([]string{"/people", "/audit", "/users"}, r.URL.Path):
		return r.URL.Path
	}
	return path.Dir(r.URL.EscapedPath())
}

// refreshHeader marks what an open page asks for by itself (hx-headers in the templates).
const refreshHeader = "Provhub-Refresh"

var errForbidden = errors.New("forbidden")

// inputError is a form that was not filled in as it must be.
type inputError struct{ text string }

func (e *inputError) Error() string { return e.text }

var errAddress = &inputError{"The address of this page is not complete."}

// fail shows an error: what is wrong, and what to do.
func (s *site) fail(v *visit, err error) {
	var input *inputError
	var usage *hub.UsageError
	p, status, title := problem{Back: v.back()}, http.StatusUnprocessableEntity, "Not done"
	switch {
	case errors.Is(err, errForbidden):
		status, title = http.StatusForbidden, "Not allowed"
		p.What, p.Do = "Your role, "+string(v.who.Role)+", does not allow this.", "Ask an admin for another role if you need it."
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrAmbiguous):
		status, title = http.StatusNotFound, "Not found"
		p.What, p.Do = "There is no such thing here.", "It may have been taken away, or the address is incomplete."
	case errors.As(err, &input):
		p.What, p.Do = input.text, "Go back and try again."
	case errors.As(err, &usage):
		p.What = usage.Error()
	case errors.Is(err, store.ErrPlanState), errors.Is(err, store.ErrState), errors.Is(err, store.ErrExists):
		status, p.What, p.Do = http.StatusConflict, sentence(err.Error()), "Somebody else may have been faster: look again."
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, store.ErrUnreachable), errors.Is(err, hub.ErrNotServing):
		s.log.Error("a page failed for now", "page", v.Pattern, "error", err)
		v.w.Header().Set("Retry-After", "5")
		status, title, p.What, p.Do = http.StatusServiceUnavailable, "Not now", notNow(err), "Nothing is lost. Try again in a moment."
	case v.Context().Err() != nil: // nobody waits for the answer
		return
	default:
		s.log.Error("a page failed", "page", v.Pattern, "error", err)
		status, title, p.What, p.Do = http.StatusInternalServerError, "Failed", "Something went wrong.", "It is in the log of the hub; try again in a moment."
	}
	s.show(v, status, "problem", title, p)
}

// back is the page that a button was pressed on; "": it was not one.
func (v *visit) back() string {
	if v.Method != http.MethodPost {
		return ""
	}
	return local(pageOf(v.Request))
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
