package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// finding is one column of a profile as it was measured.
type finding struct {
	Key      string     `json:"key"`
	Value    any        `json:"value"`
	Evidence []evidence `json:"evidence"` // in the order of the requests
}

// evidence is one request that a value rests on. It holds nothing of real
// people: the only values are the probe's own.
type evidence struct {
	Request string    `json:"request"`
	Status  int       `json:"status"` // 0: no answer
	At      time.Time `json:"at"`
	Note    string    `json:"note,omitempty"`
}

// String is the evidence in one line.
func (e evidence) String() string {
	s := fmt.Sprintf("%s: %d at %s", e.Request, e.Status, e.At.Format(time.RFC3339))
	if e.Note != "" {
		s += ", " + e.Note
	}
	return s
}

// set notes a value and what it rests on; a later one replaces it.
func (p *prober) set(key string, value any, because ...evidence) {
	p.found[key] = &finding{Key: key, Value: value, Evidence: because}
}

func (p *prober) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// is returns the value of a column: as measured, else as the profile has it.
func (p *prober) is(key string, otherwise any) any {
	if f := p.found[key]; f != nil {
		return f.Value
	}
	return otherwise
}

// answer is what came back on one request.
type answer struct {
	client.Resource // nil: no body, or no success
	header          http.Header
	scimType        string
	err             error // nil for 2xx
	evidence
}

func (a *answer) ok() bool { return a.err == nil }

// says returns the answer's evidence with a note.
func (a *answer) says(format string, args ...any) evidence {
	e := a.evidence
	e.Note = fmt.Sprintf(format, args...)
	return e
}

// throttledTries and throttledWait bound how long a probe lets itself be slowed
// down. It is a person's errand: unlike an operation, nobody repeats it.
const (
	throttledTries = 4
	throttledWait  = time.Minute
)

// send makes one request. The error is one that ends the probe; a refusal is an
// answer like any other.
func (p *prober) send(ctx context.Context, r client.Request) (*answer, error) {
	for try := 1; ; try++ {
		a := &answer{evidence: evidence{Request: shown(r), At: time.Now().UTC().Truncate(time.Second)}}
		p.requests++
		resp, err := p.Client.Send(ctx, r)
		a.err = err
		var f *client.Fault
		switch {
		case err == nil:
			a.Resource, a.header, a.Status = resp.Resource, resp.Header, resp.Status
		case errors.As(err, &f):
			a.Status, a.scimType = f.Status, f.ScimType
		}
		if fatal(err) || ctx.Err() != nil {
			return a, errors.Join(err, ctx.Err())
		}
		if !connector.IsCode(err, connector.CodeRateLimited) || try == throttledTries {
			return a, nil
		}
		if err := pause(ctx, min(max(connector.AsError(err).RetryAfter, time.Second), throttledWait)); err != nil {
			return a, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shown is a request as the evidence has it.
func shown(r client.Request) string {
	s := r.Method + " " + r.Path
	if q, err := url.QueryUnescape(r.Query); err == nil && q != "" {
		s += "?" + q
	}
	return s
}

// get makes a request that reads a collection.
func (p *prober) get(ctx context.Context, t client.ResourceType, query string) (*answer, error) {
	return p.send(ctx, client.Request{Op: client.OpRead, Type: t, Method: http.MethodGet, Path: p.Profile().Collection(t), Query: query})
}

// query encodes parameters in their order: name, value, name, value …
func query(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pairs[i]+"="+strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "+", "%20"))
	}
	return strings.Join(out, "&")
}

// total returns totalResults, -1 when the answer has none.
func (a *answer) total() int {
	n, err := strconv.Atoi(a.Text("totalResults"))
	if err != nil {
		return -1
	}
	return n
}

// resources returns the resources of a page.
func (a *answer) resources() []client.Resource {
	var out []client.Resource
	for _, v := range a.Values(client.Path{Attr: "Resources"}) {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// hits is how many resources a filter found: what was listed, or what is said
// to be there where nothing is listed.
func (a *answer) hits() int { return max(len(a.resources()), a.total()) }
