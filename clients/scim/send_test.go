package scim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

// QUIRKS SCIM-1, SCIM-32: every request carries what the profile says.
func TestHeadersFollowTheProfile(t *testing.T) {
	s := serve(t, always(201, `{"id":"7"}`))
	for _, tt := range []struct {
		overrides map[string]any
		want      map[string]string
	}{
		{nil, map[string]string{"Accept": "application/scim+json", "Content-Type": "application/scim+json", "User-Agent": "provhub", "Authorization": "Bearer t0ken"}},
		{map[string]any{"accept": "application/json", "content_type": "application/json", "user_agent": "acme/1", "extra_headers": map[string]any{"X-Tenant": "7"}},
			map[string]string{"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "acme/1", "X-Tenant": "7"}},
	} {
		if _, err := s.client(t, tt.overrides).Create(t.Context(), Users, Resource{"userName": "jane"}); err != nil {
			t.Fatal(err)
		}
		head := s.take()[0].head
		for name, want := range tt.want {
			if got := head.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
}

// QUIRKS Q-42: a line in the target's log leads to our operation.
func TestRequestsNameTheOperation(t *testing.T) {
	s := serve(t, always(201, `{"id":"7"}`))
	for _, tt := range []struct{ id, header, want string }{
		{"2f6c81/create", "X-Request-Id", "2f6c81"},
		{"2f6c81", "X-Request-Id", "2f6c81"},
		{"2f6c81/grant Führung", "X-Request-Id", "2f6c81"},
		{"of another host: ü", "X-Request-Id", ""},
		{"a\r\nX-Evil: 1", "X-Request-Id", ""},
		{strings.Repeat("a", 200), "X-Request-Id", ""},
		{"2f6c81/create", "", ""},
		{"2f6c81/create", "X-Correlation-Id", "2f6c81"},
	} {
		c := s.client(t, map[string]any{"request_id_header": tt.header})
		for ctx, want := range map[context.Context]string{connector.WithCall(t.Context(), connector.Call{ID: tt.id}): tt.want, t.Context(): ""} {
			if _, err := c.Create(ctx, Users, Resource{"userName": "jane"}); err != nil {
				t.Fatal(err)
			}
			head := s.take()[0].head
			if got := head.Get(cmp.Or(tt.header, "X-Request-Id")); got != want || head.Get("X-Evil") != "" {
				t.Errorf("%q: %s is %q, want %q", tt.id, tt.header, got, want)
			}
		}
	}
}

// QUIRKS SCIM-38: the base address keeps its path, its query and its slash.
func TestTheBaseAddressIsKept(t *testing.T) {
	s := serve(t, always(200, `{"id":"a b/c"}`))
	for base, want := range map[string]string{
		"":                  "GET /Users/a%20b%2Fc",
		"/":                 "GET /Users/a%20b%2Fc",
		"/scim/v2":          "GET /scim/v2/Users/a%20b%2Fc",
		"/scim/v2/":         "GET /scim/v2/Users/a%20b%2Fc",
		"/api/v1/scim/t%2F": "GET /api/v1/scim/t%2F/Users/a%20b%2Fc",
		"/scim?tenant=7&x":  "GET /scim/Users/a%20b%2Fc?tenant=7&x",
	} {
		c := clientFor(t, Options{BaseURL: s.URL + base})
		if _, err := c.Get(t.Context(), Users, "a b/c", Selection{}); err != nil {
			t.Errorf("%s: %v", base, err)
		}
		if got := s.lines(); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: asked %q; want %q", base, got, want)
		}
	}
	c := clientFor(t, Options{BaseURL: s.URL + "/scim?tenant=7"})
	if _, err := c.Get(t.Context(), Users, "a b/c", Selection{Attributes: []string{"userName", "emails.value"}, Excluded: []string{"groups"}}); err != nil {
		t.Fatal(err)
	}
	if got := s.lines()[0]; got != "GET /scim/Users/a%20b%2Fc?tenant=7&attributes=userName%2Cemails.value&excludedAttributes=groups" {
		t.Errorf("asked %s", got)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := c.Get(t.Context(), Users, id, Selection{}); answer(err) != "failed INVALID_VALUE" {
			t.Errorf("id %q: %v", id, err)
		}
	}
	if got := s.lines(); len(got) > 0 {
		t.Errorf("asked %q", got)
	}
}

func TestATrailingSlashWhereTheTargetWantsOne(t *testing.T) {
	s := serve(t, always(200, listOfIDs(0)))
	c := s.client(t, map[string]any{"trailing_slash": true, "users_path": "/People"})
	if _, err := c.List(t.Context(), Query{Type: Users}, nil); err != nil {
		t.Fatal(err)
	}
	_ = c.Delete(t.Context(), Users, "7", "")
	if got := s.lines(); !strings.HasPrefix(got[0], "GET /scim/v2/People/?") || got[1] != "DELETE /scim/v2/People/7" {
		t.Errorf("asked %q", got)
	}
}

// QUIRKS SCIM-33: https unless told otherwise.
func TestAnAddressWithoutTLSIsRefused(t *testing.T) {
	for _, tt := range []struct {
		base, allow, want string
	}{
		{"http://scim.example", "", "allow_insecure"}, {"http://scim.example:8080/x", "scim.example", ""}, {"http://scim.example", "other.example", "allow_insecure"},
		{"https://scim.example/v2", "", ""}, {"scim.example", "", "is not an address"}, {"ftp://scim.example", "", "is not an address"}, {"https://jane:pw@scim.example", "", "is not an address"}, {"https://%zz", "", "address"},
	} {
		_, err := New(Options{BaseURL: tt.base, AllowInsecure: []string{tt.allow}})
		if tt.want == "" && err != nil || tt.want != "" && (answer(err) != "failed CONFIGURATION" || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v", tt.base, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("the password is in %v", err)
		}
	}
}

func TestTheCertificateIsChecked(t *testing.T) {
	s := httptest.NewUnstartedServer(always(200, `{"id":"7"}`))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"unknown authority", Options{AllowInsecure: []string{"other"}}, "failed CONFIGURATION"},
		{"private authority", Options{CAs: pool, AllowInsecure: []string{"other"}}, "applied"},
		{"listed host", Options{AllowInsecure: []string{"127.0.0.1"}}, "applied"},
	} {
		tt.o.BaseURL = s.URL
		if _, err := clientFor(t, tt.o).Get(t.Context(), Users, "7", Selection{}); answer(err) != tt.want {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// QUIRKS SCIM-33: a write goes nowhere else, and a signature to no other host.
func TestRedirects(t *testing.T) {
	var stolen []string
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.Header.Get("Authorization"))
		reply(w, 200, `{"id":"7"}`)
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/scim/v2/Users/there":
			w.Header().Set("Location", other.URL+"/scim/v2/Users/7")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "/scim/v2/Users/7":
			w.Header().Set("Location", "/scim/v2/Moved/7")
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			reply(w, 200, `{"id":"7"}`)
		}
	})
	for _, follow := range []bool{false, true} {
		c := s.client(t, map[string]any{"follow_redirects": follow})
		_, read := c.Get(t.Context(), Users, "7", Selection{})
		_, elsewhere := c.Get(t.Context(), Users, "there", Selection{})
		_, write := c.Update(t.Context(), activation("7", true, ""))
		want := map[bool]string{false: "failed CONFIGURATION", true: "applied"}[follow]
		if answer(read) != want || answer(elsewhere) != "failed CONFIGURATION" || answer(write) != "failed CONFIGURATION" {
			t.Errorf("follow %t: read %v, elsewhere %v, write %v", follow, read, elsewhere, write)
		}
	}
	if len(stolen) > 0 {
		t.Errorf("the other host was asked, with %q", stolen)
	}
}

// QUIRKS §7.2, SCIM-36: before the request left nothing happened; after it a write may have.
func TestWhatAFailureOfTheNetworkLeavesBehind(t *testing.T) {
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	short := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"id":"7"`))
	})
	release := make(chan struct{})
	slow := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	for _, tt := range []struct {
		name        string
		c           *Client
		write, read string
	}{
		{"cut", cut.client(t, nil), "unknown UNAVAILABLE", "failed UNAVAILABLE"},
		{"cut in the body", short.client(t, nil), "unknown UNAVAILABLE", "failed UNAVAILABLE"},
		{"slow", slow.client(t, map[string]any{"timeout": "50ms"}), "unknown TIMEOUT", "failed TIMEOUT"},
		{"down", clientFor(t, Options{BaseURL: "http://" + l.Addr().String()}), "failed UNAVAILABLE", "failed UNAVAILABLE"},
	} {
		for i, call := range calls {
			want := tt.write
			if i == 3 {
				want = tt.read
			}
			if err := call.run(t, tt.c); answer(err) != want {
				t.Errorf("%s, %s: got %v; want %s", tt.name, call.op, err, want)
			}
		}
	}
	if n := len(cut.lines()); n < 4 {
		t.Errorf("%d requests", n)
	}
}

// QUIRKS SCIM-37: an id may be missing from the answer, or stand in its address.
func TestTheAnswerToACreate(t *testing.T) {
	for _, tt := range []struct {
		status         int
		body, location string
		id             string
	}{
		{201, `{"id":"7"}`, "", "7"}, {200, `{"id":"7"}`, "", "7"}, {204, "", "", ""}, {202, "", "", ""}, {201, "", "", ""}, {201, `{"userName":"jane"}`, "", ""},
		{201, "", "https://scim.example/scim/v2/Users/a%20b", "a b"}, {201, `{"userName":"jane"}`, "/scim/v2/Users/7/", "7"}, {201, "", "https://scim.example/other/7", ""}, {202, "", "::", ""},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", tt.location)
			w.Header().Set("ETag", `W/"1"`)
			reply(w, tt.status, tt.body)
		})
		r, err := s.client(t, nil).Create(t.Context(), Users, Resource{"userName": "jane"})
		if err != nil || r.ID() != tt.id {
			t.Errorf("%+v: got %v, %v", tt, r, err)
		}
		if tt.body != "" && r.Version() != `W/"1"` {
			t.Errorf("%+v: the version is %q", tt, r.Version())
		}
	}
}

func TestACreateWithoutWhatTheTargetRequiresIsNotSent(t *testing.T) {
	s := serve(t, always(201, nil))
	c := s.client(t, map[string]any{"required_on_create": []string{"userName", "name.givenName", "emails"}})
	_, err := c.Create(t.Context(), Users, Resource{"userName": "jane", "emails": []any{}})
	if e := connector.AsError(err); answer(err) != "failed INVALID_VALUE" || !slices.Equal(e.Attributes, []string{"name.givenName", "emails"}) || len(s.lines()) > 0 {
		t.Errorf("got %v, %+v", err, e)
	}
}

func TestACancelledCallIsNotSent(t *testing.T) {
	s := serve(t, always(200, `{"id":"7"}`))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client(t, nil).Update(ctx, activation("7", true, ""))
	var open *connector.Answer
	if errors.As(err, &open) || len(s.lines()) > 0 {
		t.Errorf("got %v", err)
	}
}

// QUIRKS SCIM-60, SCIM-61: disabling and deleting are different, whatever DELETE does.
func TestDisableAndDelete(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reply(w, 200, `{"id":"7","userName":"jane","custom":1}`)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	for _, tt := range []struct {
		name      string
		overrides map[string]any
		run       func(*Client) error
		want      []string
		answer    string
	}{
		{"disable", nil, func(c *Client) error { _, err := c.SetActive(t.Context(), "7", false, ""); return err }, []string{"PATCH /scim/v2/Users/7"}, "applied"},
		{"disable by DELETE", map[string]any{"disable": "delete"}, func(c *Client) error { _, err := c.SetActive(t.Context(), "7", false, ""); return err }, []string{"DELETE /scim/v2/Users/7"}, "applied"},
		{"enable where DELETE disables", map[string]any{"disable": "delete"}, func(c *Client) error { _, err := c.SetActive(t.Context(), "7", true, ""); return err }, []string{"PATCH /scim/v2/Users/7"}, "applied"},
		{"disable by PUT", map[string]any{"disable": "put"}, func(c *Client) error { _, err := c.SetActive(t.Context(), "7", false, ""); return err }, []string{"GET /scim/v2/Users/7", "PUT /scim/v2/Users/7"}, "applied"},
		{"enable by create", map[string]any{"reactivate": "create"}, func(c *Client) error { _, err := c.SetActive(t.Context(), "7", true, ""); return err }, nil, "failed UNSUPPORTED"},
		{"delete", nil, func(c *Client) error { return c.Delete(t.Context(), Users, "7", "") }, []string{"DELETE /scim/v2/Users/7"}, "applied"},
		{"delete where that is forbidden", map[string]any{"delete": "forbidden"}, func(c *Client) error { return c.Delete(t.Context(), Users, "7", "") }, nil, "failed UNSUPPORTED"},
		{"delete a group where that is forbidden", map[string]any{"group_delete": "forbidden"}, func(c *Client) error { return c.Delete(t.Context(), Groups, "7", "") }, nil, "failed UNSUPPORTED"},
		{"delete with a version where that is required", map[string]any{"etag": "require"}, func(c *Client) error { return c.Delete(t.Context(), Users, "7", "") }, []string{"GET /scim/v2/Users/7", "DELETE /scim/v2/Users/7"}, "applied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.run(s.client(t, tt.overrides))
			if got := s.lines(); answer(err) != tt.answer || !slices.Equal(got, tt.want) {
				t.Errorf("got %v after %q; want %s after %q", err, got, tt.answer, tt.want)
			}
		})
	}
}

// QUIRKS SCIM-9: neither query nor id reaches the log.
func TestTheLogHoldsNoData(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		reply(w, 200, listOfIDs(0))
	})
	var text bytes.Buffer
	c := clientFor(t, Options{BaseURL: s.URL, Auth: Bearer(connector.NewSecret("t0ken")), Log: slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	_, _ = c.Find(t.Context(), Users, "userName", "jane", Selection{})
	_ = c.Delete(t.Context(), Users, "jane", "")
	for _, want := range []string{"method=GET path=/Users status=200", "method=DELETE path=/Users/…"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "jane") || strings.Contains(text.String(), "t0ken") {
		t.Errorf("the log says\n%s", text.String())
	}
}

func TestARequestIsShownWithoutData(t *testing.T) {
	c := clientFor(t, Options{BaseURL: "https://scim.example"})
	l, err := c.listing(Query{Type: Users, Filter: Eq("userName", "jane")})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.request().String(); got != "GET /Users" {
		t.Errorf("got %s", got)
	}
}
