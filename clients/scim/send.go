package scim

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/rest"
	"github.com/provhub/provhub/connectors/connector"
)

// Response is an answer of 2xx.
type Response struct {
	Status int
	Header http.Header
	// Resource is the body; nil when there was none.
	Resource Resource
}

// Send makes one request: one attempt, and exactly one more when the target
// refuses a token that can be renewed. It waits at most a second for its turn. An
// answer that is no success is an error whose cause is a [*Fault].
func (c *Client) Send(ctx context.Context, r Request) (*Response, error) {
	set := c.state()
	leave, err := set.limits.enter(ctx, r)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(set.profile.Timeout))
	defer cancel()
	call := set.profile.call(r, c.query)
	if id := requestID(ctx); id != "" && set.profile.RequestIDHeader != "" {
		call.Header.Set(set.profile.RequestIDHeader, id)
	}
	begin := time.Now()
	a, err := c.signed(ctx, call)
	if err != nil {
		c.log.DebugContext(ctx, "no answer", "method", r.Method, "path", set.profile.route(r), "took", time.Since(begin), "error", err)
		return nil, err
	}
	c.log.DebugContext(ctx, "answer", "method", r.Method, "path", set.profile.route(r), "status", a.Status, "bytes", len(a.Body), "took", time.Since(begin))
	if a.Status < 200 || a.Status > 299 {
		return nil, c.answered(set, r, faultOf(a, time.Now()))
	}
	resp, f, err := set.profile.success(call, a)
	if f != nil {
		return nil, c.answered(set, r, f)
	}
	set.limits.served(r)
	return resp, err
}

// call makes the HTTP call of a request. query is that of the base address.
func (p *Profile) call(r Request, query string) rest.Call {
	h := http.Header{"Accept": {p.Accept}, "User-Agent": {p.UserAgent}}
	for k, v := range p.ExtraHeaders {
		h.Set(k, v)
	}
	if r.Body != nil {
		h.Set("Content-Type", p.ContentType)
	}
	if r.Query != "" && query != "" {
		query += "&"
	}
	return rest.Call{Method: r.Method, Path: r.Path, RawQuery: query + r.Query, Header: h, Safe: r.Op == OpRead, IfMatch: r.IfMatch, Body: r.Body}
}

// requestID names the operation that a request is for, in letters that a header can
// hold; "": it is for none. It is a hash: nobody can be told from it.
func requestID(ctx context.Context) string {
	c, ok := connector.CallOf(ctx)
	id := c.Operation()
	if !ok || len(id) > requestIDMax || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return id
}

// requestIDMax bounds a name that another host than the hub may have given.
const requestIDMax = 128

// signed makes the call, twice when the target refuses the first token.
func (c *Client) signed(ctx context.Context, call rest.Call) (*rest.Answer, error) {
	if c.auth == nil {
		return c.exchange(ctx, call)
	}
	for again := false; ; again = true {
		name, value, err := c.auth.header(ctx)
		if err != nil {
			return nil, err
		}
		call.Header.Set(name, value.Reveal())
		a, err := c.exchange(ctx, call)
		if err != nil || a.Status != http.StatusUnauthorized || again || !c.auth.refused(value) {
			return a, err
		}
	}
}

func (c *Client) exchange(ctx context.Context, call rest.Call) (*rest.Answer, error) {
	rc := c.rest
	if call.Safe && call.Method == http.MethodGet && c.state().profile.FollowRedirects {
		rc = c.following
	}
	a, err := rc.Exchange(ctx, call)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// answered returns the error for an answer that is no success, and holds back
// further requests when the target asks for that.
func (c *Client) answered(set *state, r Request, f *Fault) error {
	if !set.profile.RetryAfter {
		f.wait = 0
	}
	err := set.profile.failure(r, f)
	if f.Class != ClassThrottle {
		set.limits.served(r)
		return err
	}
	wait := set.limits.throttled(r, f.wait)
	if e := connector.AsError(err); e != nil {
		e.RetryAfter = wait
	}
	return err
}

// success reads an answer of 2xx. f is set when it holds an error all the same.
func (p *Profile) success(call rest.Call, a *rest.Answer) (resp *Response, f *Fault, err error) {
	resp = &Response{Status: a.Status, Header: a.Header}
	if len(a.Body) == 0 {
		if call.Safe && call.Method != http.MethodDelete {
			return nil, nil, notSCIM(a, "nothing")
		}
		return resp, nil, nil
	}
	if resp.Resource, err = readResource(a.Body); err != nil {
		what := "something that is not a JSON object"
		if isHTML(a) {
			what = "a page for people"
		}
		return nil, nil, call.InDoubt(notSCIM(a, what))
	}
	if ct := a.Header.Get("Content-Type"); !p.LenientResponseCT && !strings.Contains(strings.ToLower(ct), "json") {
		return nil, nil, call.InDoubt(notSCIM(a, "an unexpected type"))
	}
	if f := errorInside(resp.Resource); f != nil {
		return nil, f, nil
	}
	return resp, nil, nil
}
