package fakescim

import (
	"net/http"
	"time"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

const signInPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form method=\"post\">Your name: <input name=\"user\"></form></body></html>\n"

// before lets the faults happen that come before the request is looked at, and
// reports whether that was all.
func (x *exchange) before() (over bool) {
	for _, f := range x.faults {
		switch f.Name {
		case Slow:
			x.pause(f.Wait)
		case Hang:
			drain(x.r)
			x.pause(0)
			x.abort()
		case Dropped:
			drain(x.r)
			x.abort()
		case HTML:
			drain(x.r)
			x.html(http.StatusOK, signInPage)
			return true
		case TokenExpired:
			x.server.ExpireTokens()
			if !x.server.gate.fetched(x.r) {
				x.refuse(f, http.StatusUnauthorized, "the token has expired")
				return true
			}
		case RateLimited:
			x.refuse(f, http.StatusTooManyRequests, "too many requests")
			return true
		case Busy:
			x.refuse(f, http.StatusServiceUnavailable, "the service is busy")
			return true
		case Business412:
			x.refuse(f, http.StatusPreconditionFailed, "the address is not allowed by the organisation's rules")
			return true
		case Refused:
			x.refuse(f, orElse(f.Status, http.StatusInternalServerError), "the service was told to refuse this")
			return true
		}
	}
	return false
}

// refuse answers with an error in place of what was asked for.
func (x *exchange) refuse(f *armed, status int, detail string) {
	drain(x.r)
	if f.Text != "" {
		detail = f.Text
	}
	rep := refusal(schema.Refused(status, "%s", detail))
	if f.RetryAfter != "" {
		rep.header.Set("Retry-After", f.RetryAfter)
	}
	if status == http.StatusUnauthorized {
		rep.header.Set("WWW-Authenticate", `Bearer realm="SCIM", error="invalid_token"`)
	}
	x.write(rep)
}

// after lets the faults happen that come once the work is done, and reports
// whether the answer has been given.
func (x *exchange) after(rep *reply) (over bool) {
	for _, f := range x.faults {
		switch {
		case f.Name == LostReply && rep.status < 300 && x.door.first(f, x.key):
			x.abort()
		case f.Name == CreateThen504 && rep.status == http.StatusCreated:
			x.html(http.StatusGatewayTimeout, "<html><body><h1>504 Gateway Time-out</h1></body></html>\n")
			return true
		case f.Name == DropMidBody && rep.body != nil:
			x.half(rep, true)
		case f.Name == TruncatedJSON && rep.body != nil:
			x.half(rep, false)
			return true
		}
	}
	return false
}

// html answers with a page for people.
func (x *exchange) html(status int, page string) {
	x.server.journal.note(x.r, x.path, status)
	x.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	x.w.WriteHeader(status)
	_, _ = x.w.Write([]byte(page)) // the client may have gone
}

// half sends half of an answer. cut breaks the connection then; else the answer
// ends as if it were whole.
func (x *exchange) half(rep *reply, cut bool) {
	raw := x.encode(rep)
	size := len(raw) / 2
	if cut {
		size = len(raw)
	}
	copyHeader(x.w.Header(), rep.header)
	x.w.Header().Set("Content-Type", x.contentType())
	x.w.Header().Set("Content-Length", itoa(size))
	x.w.WriteHeader(rep.status)
	_, _ = x.w.Write(raw[:len(raw)/2])
	if cut {
		_ = http.NewResponseController(x.w).Flush()
		x.abort()
	}
	x.server.journal.note(x.r, x.path, rep.status)
}

// abort breaks the connection; it does not return.
func (x *exchange) abort() {
	x.server.journal.note(x.r, x.path, 0)
	panic(http.ErrAbortHandler)
}

// pause waits for d, or until the client goes or the server ends; d 0 waits for
// these alone.
func (x *exchange) pause(d time.Duration) {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
	case <-x.r.Context().Done():
	case <-x.door.done:
	}
}
