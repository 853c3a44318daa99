package fakescim

import (
	"mime"
	"net/http"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// headers holds the headers of a request against the dialect.
func (r *rules) headers(h *http.Request) error {
	if r.declared("user_agent") && h.Header.Get("User-Agent") == "" {
		return schema.Refused(http.StatusForbidden, "requests must say by User-Agent whose they are")
	}
	for name, want := range r.ExtraHeaders {
		if r.declared("extra_headers") && h.Header.Get(name) != want {
			return schema.Refused(http.StatusBadRequest, "the header %s is missing or wrong", name)
		}
	}
	if err := r.accepts(h.Header.Get("Accept")); err != nil {
		return err
	}
	return r.takes(h)
}

// accepts says whether the client wants what the service answers with
// (RFC 7644 §3.8).
func (r *rules) accepts(accept string) error {
	if r.declared("accept") {
		if !listsType(accept, r.Accept) {
			return schema.Refused(http.StatusBadRequest, "the Accept header must be %s", r.Accept)
		}
		return nil
	}
	if accept == "" || listsType(accept, scimJSON) || listsType(accept, "application/json") || listsType(accept, "*/*") || listsType(accept, "application/*") {
		return nil
	}
	return schema.Refused(http.StatusNotAcceptable, "the answer is %s", scimJSON)
}

func listsType(accept, want string) bool {
	for _, part := range strings.Split(accept, ",") {
		if t, _, err := mime.ParseMediaType(part); err == nil && t == want {
			return true
		}
	}
	return false
}

// takes says whether the service reads the body of a request.
func (r *rules) takes(h *http.Request) error {
	if h.ContentLength == 0 || h.Method == http.MethodGet || h.Method == http.MethodDelete {
		return nil
	}
	got, _, err := mime.ParseMediaType(h.Header.Get("Content-Type"))
	switch {
	case err == nil && r.declared("content_type") && got == r.ContentType:
		return nil
	case err == nil && !r.declared("content_type") && (got == scimJSON || got == "application/json"):
		return nil
	}
	return schema.Refused(http.StatusUnsupportedMediaType, "the Content-Type must be %s", r.ContentType)
}
