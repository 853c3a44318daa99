package fakescim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// exchange is one HTTP request and its answer, with the faults that are due.
type exchange struct {
	server *Server
	door   *Door
	w      http.ResponseWriter
	r      *http.Request
	path   string // below the base path, escaped
	base   string
	rules  rules
	faults []*armed

	// key tells a create by what it is about; "": not known.
	key string
}

// run answers the request and notes it in the log. known tells whether the
// address is below the base path.
func (x *exchange) run(known bool) {
	defer x.rescue()
	for _, f := range x.faults {
		if twist := twisting[f.Name]; twist != nil {
			twist(&x.rules, f.Fault)
		}
	}
	if x.before() {
		return
	}
	rep := x.answer(known)
	if x.after(rep) {
		return
	}
	x.write(rep)
}

// rescue answers a request at which the server itself failed.
func (x *exchange) rescue() {
	if v := recover(); v == http.ErrAbortHandler {
		panic(v) // a connection that is to be broken
	} else if v != nil {
		x.write(refusal(schema.Refused(http.StatusInternalServerError, "fakescim failed: %v at %s", v, debug.Stack())))
	}
}

// answer does what the request asks for.
func (x *exchange) answer(known bool) *reply {
	if challenge, err := x.server.gate.check(x.r); err != nil {
		rep := refusal(err)
		rep.header.Set("WWW-Authenticate", challenge)
		return rep
	}
	if !known {
		return refusal(schema.Refused(http.StatusNotFound, "there is nothing at this address"))
	}
	q, err := x.request()
	if err != nil {
		return refusal(err)
	}
	if wait, ok := x.server.limits.allow(q); !ok {
		rep := refusal(schema.Refused(http.StatusTooManyRequests, "too many requests"))
		if x.rules.RetryAfter {
			rep.header.Set("Retry-After", itoa(wait))
		}
		return rep
	}
	x.key = correlation(q.body)
	return x.server.serve(q)
}

// request reads the request and holds its headers against the dialect.
func (x *exchange) request() (*request, error) {
	if err := x.rules.headers(x.r); err != nil {
		return nil, err
	}
	query, err := parseQuery(x.r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	q := &request{method: x.r.Method, path: x.path, query: query, header: x.r.Header, rules: &x.rules, base: x.base}
	if x.r.Method == http.MethodGet || x.r.Method == http.MethodDelete {
		return q, nil
	}
	q.body, err = readBody(x.r)
	return q, err
}

// correlation returns what a resource in a body is known by.
func correlation(body map[string]any) string {
	for _, name := range []string{"externalId", "userName", "displayName"} {
		if s, ok := field(body, name).(string); ok && s != "" {
			return name + " " + s
		}
	}
	return ""
}

// write sends the answer.
func (x *exchange) write(rep *reply) {
	x.server.journal.note(x.r, x.path, rep.status)
	if rep.body == nil {
		copyHeader(x.w.Header(), rep.header)
		x.w.WriteHeader(rep.status)
		return
	}
	raw := x.encode(rep)
	copyHeader(x.w.Header(), rep.header)
	x.w.Header().Set("Content-Type", x.contentType())
	x.w.Header().Set("Content-Length", itoa(len(raw)))
	x.w.WriteHeader(rep.status)
	_, _ = x.w.Write(raw) // the client may have gone
}

func (x *exchange) encode(rep *reply) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rep.body); err != nil {
		panic(err) // the server made it of what JSON can hold
	}
	return b.Bytes()
}

// contentType is application/json for those who asked for that alone.
func (x *exchange) contentType() string {
	if accept := x.r.Header.Get("Accept"); strings.HasPrefix(accept, "application/json") {
		return "application/json"
	}
	return scimJSON
}

func copyHeader(to, from http.Header) {
	for k, v := range from {
		to[k] = v
	}
}

// drain reads what is left of a request's body, so that an end without an answer
// is not taken for one while the request was on its way.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
