package web

import (
	"encoding/base64"
	"net/http"
	"time"
)

// The cookies.
const (
	sessionCookie = "provhub"      // the token of the session
	flowCookie    = "provhub-flow" // a sign-in at a provider that is under way
	nextCookie    = "provhub-next" // the page that somebody wanted to see
	noteCookie    = "provhub-note" // what became of a press, for the page that follows
)

// jar sets and reads cookies. None is seen by scripts; over https none goes over an
// open line, and none can be set by another host of the domain (RFC 6265bis §4.1.3).
type jar struct{ secure bool }

func (j jar) name(name string) string {
	if j.secure {
		return "__Host-" + name
	}
	return name
}

// set sets a cookie; lasts 0: until the browser is closed. Any text may be in it.
func (j jar) set(w http.ResponseWriter, name, value string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: j.name(name), Value: base64.RawURLEncoding.EncodeToString([]byte(value)), Path: "/",
		MaxAge: int(lasts.Seconds()), Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// get returns what [jar.set] put in; "" when there is no such cookie.
func (j jar) get(r *http.Request, name string) string {
	c, err := r.Cookie(j.name(name))
	if err != nil {
		return ""
	}
	value, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return ""
	}
	return string(value)
}

// take is get, and takes the cookie away.
func (j jar) take(w http.ResponseWriter, r *http.Request, name string) string {
	value := j.get(r, name)
	if value != "" {
		j.clear(w, name)
	}
	return value
}

func (j jar) clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: j.name(name), Path: "/", MaxAge: -1, Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
