package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// api answers with h and returns a client for it.
func api(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return client(t, s.URL)
}

func client(t *testing.T, base string) *Client {
	t.Helper()
	c, err := New(base, Bearer(connector.NewSecret("t0ken")), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer names what an error says: the outcome and the code.
func answer(err error) string {
	r := connector.ResultOf("", connector.Ref{}, err)
	if r.Err == nil {
		return string(r.Outcome)
	}
	return fmt.Sprintf("%s %s", r.Outcome, r.Err.Code)
}

func TestACallCarriesWhatItWasGivenAndReadsTheAnswer(t *testing.T) {
	c := api(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		w.Header().Set("ETag", `"2"`)
		_ = json.NewEncoder(w).Encode(map[string]string{"saw": fmt.Sprintf("%s %s?%s %s %s %s %s %s", r.Method, r.URL.EscapedPath(), r.URL.RawQuery,
			r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), r.Header.Get("If-Match"), r.Header.Get("Content-Type"), body["name"])})
	})
	var into struct{ Saw string }
	h, err := c.Do(t.Context(), Call{Method: "PATCH", Path: "/users/a%2Fb", Query: map[string][]string{"q": {"x y"}}, Key: "k1", IfMatch: `"1"`, Body: map[string]string{"name": "Ann"}, Into: &into})
	if err != nil || h.Get("ETag") != `"2"` {
		t.Fatalf("got %v, %v", h, err)
	}
	if want := `PATCH /users/a%2Fb?q=x+y Bearer t0ken k1 "1" application/json Ann`; into.Saw != want {
		t.Errorf("got  %s\nwant %s", into.Saw, want)
	}
}

func TestAStatusSaysWhatTheHubDoes(t *testing.T) {
	for status, want := range map[int][2]string{ // on a write, on a read
		200: {"applied", "applied"}, 204: {"applied", "applied"},
		301: {"failed CONFIGURATION", "failed CONFIGURATION"},
		400: {"failed INVALID_VALUE", "failed INVALID_VALUE"}, 418: {"failed INVALID_VALUE", "failed INVALID_VALUE"}, 422: {"failed INVALID_VALUE", "failed INVALID_VALUE"},
		401: {"failed AUTHENTICATION", "failed AUTHENTICATION"}, 402: {"failed QUOTA", "failed QUOTA"}, 403: {"failed PERMISSION", "failed PERMISSION"},
		404: {"failed NOT_FOUND", "failed NOT_FOUND"}, 410: {"failed NOT_FOUND", "failed NOT_FOUND"}, 405: {"failed CONFIGURATION", "failed CONFIGURATION"},
		409: {"failed ALREADY_EXISTS", "failed ALREADY_EXISTS"}, 412: {"failed VERSION_CONFLICT", "failed VERSION_CONFLICT"}, 413: {"failed TOO_LARGE", "failed TOO_LARGE"},
		423: {"failed BUSY", "failed BUSY"}, 429: {"failed RATE_LIMITED", "failed RATE_LIMITED"},
		500: {"unknown UNAVAILABLE", "failed UNAVAILABLE"}, 501: {"failed CONFIGURATION", "failed CONFIGURATION"}, 502: {"unknown UNAVAILABLE", "failed UNAVAILABLE"},
		503: {"failed UNAVAILABLE", "failed UNAVAILABLE"}, 504: {"unknown TIMEOUT", "failed TIMEOUT"}, 599: {"failed UNAVAILABLE", "failed UNAVAILABLE"},
	} {
		c := api(t, func(w http.ResponseWriter, r *http.Request) {
			if status == 301 {
				w.Header().Set("Location", "/elsewhere")
			}
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			if status != 204 {
				_, _ = w.Write([]byte("why"))
			}
		})
		for i, method := range []string{"POST", "GET"} {
			err := c.Send(t.Context(), Call{Method: method, Path: "/x"})
			if got := answer(err); got != want[i] {
				t.Errorf("%d on %s: got %s; want %s", status, method, got, want[i])
			}
			if e := connector.AsError(err); e != nil && (e.RetryAfter != 7*time.Second || e.Detail != "why" || !IsStatus(err, status)) {
				t.Errorf("%d on %s: got %+v", status, method, e)
			}
		}
	}
}

func TestASuccessThatIsNotJSONIsNoSuccess(t *testing.T) {
	c := api(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Please log in"))
	})
	for method, want := range map[string]string{"GET": "failed CONFIGURATION", "POST": "unknown CONFIGURATION"} {
		var into any
		if got := answer(c.Send(t.Context(), Call{Method: method, Into: &into})); got != want {
			t.Errorf("%s: got %s; want %s", method, got, want)
		}
	}
}

// QUIRKS §7.3: before the request left, nothing can have happened; after it, a
// write may have.
func TestABrokenConnectionIsInDoubtOnlyOnceTheRequestLeft(t *testing.T) {
	var requests atomic.Int32
	dropped := api(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	for method, want := range map[string]string{"GET": "failed UNAVAILABLE", "POST": "unknown UNAVAILABLE", "DELETE": "unknown UNAVAILABLE"} {
		requests.Store(0)
		err := dropped.Send(t.Context(), Call{Method: method, Key: "k1"})
		if got := answer(err); got != want || method != "GET" && requests.Load() != 1 {
			t.Errorf("%s: got %s after %d requests; want %s after one", method, got, requests.Load(), want)
		}
		if strings.Contains(err.Error(), "http://") {
			t.Errorf("the address is in the message: %v", err)
		}
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := client(t, "http://"+l.Addr().String())
	_ = l.Close()
	if err := down.Send(t.Context(), Call{Method: "POST"}); answer(err) != "failed UNAVAILABLE" || !strings.Contains(err.Error(), "cannot connect") {
		t.Errorf("refused: %v", err)
	}
	nowhere := client(t, "http://name.invalid")
	if err := nowhere.Send(t.Context(), Call{Method: "POST"}); answer(err) != "failed UNAVAILABLE" {
		t.Errorf("no such name: %v", err)
	}
}

func TestASlowAPIIsATimeout(t *testing.T) {
	release := make(chan struct{})
	c := api(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	})
	defer close(release)
	for method, want := range map[string]string{"GET": "failed TIMEOUT", "PUT": "unknown TIMEOUT"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if got := answer(c.Send(ctx, Call{Method: method})); got != want {
			t.Errorf("%s: got %s; want %s", method, got, want)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := answer(c.Send(ctx, Call{Method: "PUT"})); got != "failed UNAVAILABLE" {
		t.Errorf("cancelled before it left: %s", got)
	}
}

func TestACertificateThatIsNotTrustedIsTheConfigsFault(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	plain := api(t, func(http.ResponseWriter, *http.Request) {})
	for base, want := range map[string]string{s.URL: "unknown authority", "https://" + plain.base.Host: "does not speak TLS"} {
		err := client(t, base).Send(t.Context(), Call{Method: "POST"})
		if answer(err) != "failed CONFIGURATION" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want %q", base, err, want)
		}
	}
}

func TestABodyThatIsCutShortIsInDoubt(t *testing.T) {
	c := api(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"id":`))
	})
	var into any
	if got := answer(c.Send(t.Context(), Call{Method: "POST", Into: &into})); got != "unknown UNAVAILABLE" {
		t.Errorf("got %s", got)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, base := range []string{"", "api.acme.example", "ftp://x", "https://", "::"} {
		if _, err := New(base, nil, nil); !connector.IsCode(err, connector.CodeConfiguration) {
			t.Errorf("%q: got %v", base, err)
		}
	}
}

func TestAnExchangeLeavesTheMeaningToTheCaller(t *testing.T) {
	c := api(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(w, "%s?%s %s", r.URL.Path, r.URL.RawQuery, r.Header.Get("Accept"))
	})
	a, err := c.Exchange(t.Context(), Call{Method: "POST", Path: "/x", RawQuery: "cursor&a=b%20c", Header: http.Header{"Accept": {"application/scim+json"}}})
	if err != nil || a.Status != http.StatusConflict || string(a.Body) != "/x?cursor&a=b%20c application/scim+json" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestASafeCallIsNeverInDoubt(t *testing.T) {
	c := api(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for safe, want := range map[bool]string{true: "failed UNAVAILABLE", false: "unknown UNAVAILABLE"} {
		if got := answer(c.Send(t.Context(), Call{Method: "POST", Safe: safe})); got != want {
			t.Errorf("safe %t: got %s; want %s", safe, got, want)
		}
	}
}

func TestSigning(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	Basic("svc", connector.NewSecret("pw"))(r)
	if u, p, _ := r.BasicAuth(); u != "svc" || p != "pw" {
		t.Errorf("got %s, %s", u, p)
	}
	if !errors.Is(connector.Errorf(1, "%w", io.EOF), io.EOF) || IsStatus(io.EOF, 404) {
		t.Error("IsStatus is wrong")
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, " 0 ": 0, "Tue, 31 Mar 2026 12:01:00 GMT": time.Minute, "Tue, 31 Mar 2026 11:00:00 GMT": 0,
		"": -1, "-1": -1, "soon": -1, "7.5": -1, "99999999999999999999": -1,
	} {
		got, ok := RetryAfter(http.Header{"Retry-After": {text}}, now)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %s, %v; want %s", text, got, ok, want)
		}
	}
}
