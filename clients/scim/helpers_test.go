package scim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/provhub/provhub/connectors/connector"
)

// target is a server that answers as a test wants, and what it was asked.
type target struct {
	*httptest.Server
	mu   sync.Mutex
	seen []asked
}

type asked struct {
	line string // "PATCH /scim/v2/Users/7?…"
	head http.Header
	body string
}

// serve answers every request with h; what was asked is noted first.
func serve(t testing.TB, h http.HandlerFunc) *target {
	t.Helper()
	s := &target{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(raw)))
		s.mu.Lock()
		s.seen = append(s.seen, asked{r.Method + " " + r.RequestURI, r.Header.Clone(), string(raw)})
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// lines returns the requests so far, and forgets them.
func (s *target) lines() []string {
	var out []string
	for _, a := range s.take() {
		out = append(out, a.line)
	}
	return out
}

// bodies returns the bodies of the requests so far, and forgets them.
func (s *target) bodies() []string {
	var out []string
	for _, a := range s.take() {
		out = append(out, a.body)
	}
	return out
}

func (s *target) take() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

// client returns a client for the server, with a profile of its own.
func (s *target) client(t testing.TB, overrides map[string]any) *Client {
	t.Helper()
	return clientFor(t, Options{BaseURL: s.URL + "/scim/v2", Profile: profile(t, overrides), Auth: Bearer(connector.NewSecret("t0ken"))})
}

func clientFor(t testing.TB, o Options) *Client {
	t.Helper()
	if o.AllowInsecure == nil {
		o.AllowInsecure = []string{"127.0.0.1"}
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// reply answers with a status and JSON.
func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/scim+json;charset=utf-8")
	w.WriteHeader(status)
	if text, ok := body.(string); ok {
		_, _ = io.WriteString(w, text)
		return
	}
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// refusal is an error body of RFC 7644 §3.12.
func refusal(status int, scimType, detail string) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": fmt.Sprint(status), "scimType": scimType, "detail": detail}
}

// always answers with one status and body.
func always(status int, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) }
}

// listOfIDs is a list response with resources that have these ids.
func listOfIDs(total int, ids ...string) map[string]any {
	rows := []any{}
	for _, id := range ids {
		rows = append(rows, map[string]any{"id": id, "userName": id})
	}
	body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "Resources": rows}
	if total >= 0 {
		body["totalResults"] = total
	}
	return body
}

// answer names what an error says: the outcome and the code.
func answer(err error) string {
	r := connector.ResultOf("", connector.Ref{}, err)
	if r.Err == nil {
		return string(r.Outcome)
	}
	return fmt.Sprintf("%s %s", r.Outcome, r.Err.Code)
}

// object0 reads JSON text.
func object0(t testing.TB, text string) Resource {
	t.Helper()
	var r Resource
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

// same reports whether two JSON texts say the same.
func same(t testing.TB, a, b string) bool {
	t.Helper()
	x, err := json.Marshal(object0(t, a))
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(object0(t, b))
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

// live returns a client for the real SCIM service, and a prefix for names of the
// test's own.
func live(t testing.TB, overrides map[string]any) (c *Client, prefix string) {
	t.Helper()
	address := os.Getenv("PROVHUB_TEST_SCIM_URL")
	if address == "" {
		t.Skip("needs PROVHUB_TEST_SCIM_URL: run make test")
	}
	p, err := LoadProfile("scimmy")
	if err == nil {
		p, err = p.With(overrides)
	}
	if err != nil {
		t.Fatal(err)
	}
	c = clientFor(t, Options{BaseURL: address, Profile: p, Auth: Bearer(connector.NewSecret(os.Getenv("PROVHUB_TEST_SCIM_TOKEN")))})
	return c, "cs-" + uuid.NewString()[:8] + "-"
}

// made creates a resource that is deleted when the test is over.
func made(t testing.TB, c *Client, typ ResourceType, r Resource) Resource {
	t.Helper()
	out, err := c.Create(t.Context(), typ, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Delete(contextOf(t), typ, out.ID(), ""); err != nil && answer(err) != "unchanged" {
			t.Errorf("clean up: %v", err)
		}
	})
	return out
}
