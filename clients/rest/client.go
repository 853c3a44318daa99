package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/provhub/provhub/connectors/connector"
)

// maxBody bounds an answer; a listing comes in pages.
const maxBody = 64 << 20

// Client calls one API.
type Client struct {
	base *url.URL
	http *http.Client
	auth func(*http.Request)
}

// New returns a client for the API at base, such as "https://api.acme.example/v1".
// auth signs each request, for example with [Bearer]; nil: no signature. hc nil
// means [http.DefaultTransport] without redirects, which would carry the
// signature to another host.
func New(base string, auth func(*http.Request), hc *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, connector.Errorf(connector.CodeConfiguration, "%q is not the address of an API, such as https://api.acme.example/v1", base)
	}
	if hc == nil {
		hc = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Client{base: u, http: hc, auth: auth}, nil
}

// Bearer signs requests with a token.
func Bearer(token connector.Secret) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.Reveal()) }
}

// Basic signs requests with a name and a password.
func Basic(user string, password connector.Secret) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password.Reveal()) }
}

// Call is one request.
type Call struct {
	Method string
	// Path is joined to the base as it is: escape what goes into it with [url.PathEscape].
	Path  string
	Query url.Values
	// RawQuery is sent as it is, in place of Query.
	RawQuery string
	// Header is added to the request and replaces what the client would send.
	Header http.Header
	// Safe says that the call changes nothing although its method could, as a search
	// by POST.
	Safe bool
	// Key is sent as Idempotency-Key; "": none.
	Key string
	// IfMatch makes a write conditional on a version; "": none.
	IfMatch string
	Body    any // sent as JSON; nil: no body
	Into    any // filled from the JSON answer; nil: the answer is not read
}

// Answer is what an API said, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // whole with a status of 2xx, else as much as could be read
}

// Do makes one call. header is that of the answer, nil when there was none. The
// error is ready to be returned by a connector's method: see the package.
func (c *Client) Do(ctx context.Context, call Call) (header http.Header, err error) {
	a, err := c.Exchange(ctx, call)
	switch {
	case a == nil:
		return nil, err
	case err != nil:
		return a.Header, err
	case a.Status < 200 || a.Status > 299:
		return a.Header, statusError(call, a)
	case call.Into == nil:
		return a.Header, nil
	}
	if err := json.Unmarshal(a.Body, call.Into); err != nil {
		return a.Header, call.InDoubt(notJSON(a))
	}
	return a.Header, nil
}

// Exchange makes one call and returns the answer as it came, for an API whose
// statuses have a meaning of their own. Into is not looked at. The error says, as
// that of Do does, why there is no answer or only the beginning of one.
func (c *Client) Exchange(ctx context.Context, call Call) (a *Answer, err error) {
	ctx, s := c.trace(ctx, call.Method)
	defer func() { traceEnd(s, a, err) }()
	var left atomic.Bool // the request may have reached the API
	req, err := c.request(ctx, call, &left)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, call.transportError(ctx, left.Load(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	a = &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	switch {
	case a.Status < 200 || a.Status > 299:
		return a, nil // the status counts, whatever became of its explanation
	case err != nil:
		return a, call.transportError(ctx, true, err)
	case len(body) > maxBody:
		return a, call.InDoubt(connector.Errorf(connector.CodeTooLarge, "the answer has more than %d bytes", maxBody))
	}
	return a, nil
}

func (c *Client) request(ctx context.Context, call Call, left *atomic.Bool) (*http.Request, error) {
	var body io.Reader
	if call.Body != nil {
		b, err := json.Marshal(call.Body)
		if err != nil {
			return nil, connector.Errorf(connector.CodeInternal, "the request cannot be written: %w", err)
		}
		body = bytes.NewReader(b)
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }})
	u := c.base.JoinPath(call.Path)
	u.RawQuery = call.RawQuery
	if u.RawQuery == "" {
		u.RawQuery = call.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, u.String(), body)
	if err != nil {
		return nil, connector.Errorf(connector.CodeInternal, "the request cannot be written: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if call.Key != "" {
		// Not by Set: net/http would repeat a request with that header by itself
		// when a connection breaks, and repeating is the hub's business.
		req.Header["idempotency-key"] = []string{call.Key}
	}
	if call.IfMatch != "" {
		req.Header.Set("If-Match", call.IfMatch)
	}
	for name, values := range call.Header {
		req.Header[name] = values
	}
	if c.auth != nil {
		c.auth(req)
	}
	return req, nil
}

// Send is Do for a call whose header does not matter.
func (c *Client) Send(ctx context.Context, call Call) error {
	_, err := c.Do(ctx, call)
	return err
}

// IsStatus reports whether err is the answer of an API with this HTTP status.
func IsStatus(err error, status int) bool {
	var e *connector.Error
	return errors.As(err, &e) && e.NativeCode == fmt.Sprintf("HTTP %d", status)
}
