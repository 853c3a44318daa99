package scim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

func TestWaysToSign(t *testing.T) {
	s := serve(t, always(200, `{"id":"7"}`))
	for want, auth := range map[string]Auth{
		"Authorization: Bearer t":           Bearer(connector.NewSecret("t")),
		"Authorization: Basic c3ZjOnA6dw==": Basic("svc", connector.NewSecret("p:w")),
		"X-Api-Key: k":                      HeaderAuth("X-Api-Key", connector.NewSecret("k")),
		"Authorization: ":                   nil,
	} {
		c := clientFor(t, Options{BaseURL: s.URL, Auth: auth})
		if _, err := c.Get(t.Context(), Users, "7", Selection{}); err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(want, ": ")
		if got := s.take()[0].head.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// tokens is a token service; good is the token that the target takes.
type tokens struct {
	*target
	n      atomic.Int32
	good   atomic.Value // string
	life   int
	status int
	wait   time.Duration
}

func tokenService(t *testing.T) *tokens {
	k := &tokens{life: 3600}
	k.good.Store("tok1")
	k.target = serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(k.wait)
		if k.status != 0 {
			reply(w, k.status, `{"error":"invalid_client","error_description":"s3cret is wrong"}`)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"tok%d","token_type":"bearer","expires_in":%d}`, k.n.Add(1), k.life)
	})
	return k
}

func (k *tokens) auth(inBody bool) Auth {
	return ClientCredentials(Credentials{TokenURL: k.URL + "/token", ClientID: "hub", ClientSecret: connector.NewSecret("s3cret"), Scopes: []string{"a", "b"},
		Parameters: map[string]string{"audience": "x"}, InBody: inBody})
}

// takes answers as a target that knows one token.
func (k *tokens) takes(t *testing.T) *target {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+k.good.Load().(string) {
			reply(w, 401, refusal(401, "", ""))
			return
		}
		reply(w, 200, `{"id":"7"}`)
	})
}

func get(t *testing.T, c *Client) error {
	_, err := c.Get(t.Context(), Users, "7", Selection{})
	return err
}

func TestATokenIsAskedForOnce(t *testing.T) {
	k := tokenService(t)
	k.wait = 50 * time.Millisecond
	s := k.takes(t)
	c := clientFor(t, Options{BaseURL: s.URL, Auth: k.auth(false)})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := get(t, c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := k.n.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	a := k.take()[0]
	if u, p, _ := (&http.Request{Header: a.head}).BasicAuth(); u != "hub" || p != "s3cret" || a.body != "audience=x&grant_type=client_credentials&scope=a+b" {
		t.Errorf("asked as %s with %s", u, a.body)
	}
	if err := get(t, clientFor(t, Options{BaseURL: s.URL, Auth: k.auth(true)})); answer(err) != "failed AUTHENTICATION" {
		t.Errorf("the second token is not good: %v", err)
	}
	if a := k.take()[0]; !strings.Contains(a.body, "client_secret=s3cret") || a.head.Get("Authorization") != "" {
		t.Errorf("asked with %s", a.body)
	}
}

// QUIRKS SCIM-31: one replay after a 401, and no more.
func TestATokenThatIsRefusedIsRenewedOnce(t *testing.T) {
	k := tokenService(t)
	s := k.takes(t)
	c := clientFor(t, Options{BaseURL: s.URL, Auth: k.auth(false)})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	k.good.Store("tok2") // the first was revoked
	s.lines()
	if err := get(t, c); err != nil || len(s.lines()) != 2 || k.n.Load() != 2 {
		t.Errorf("got %v with %d tokens", err, k.n.Load())
	}
	k.good.Store("none")
	if err := get(t, c); answer(err) != "failed AUTHENTICATION" || len(s.lines()) != 2 || k.n.Load() != 3 {
		t.Errorf("got %v with %d tokens", err, k.n.Load())
	}
	plain := clientFor(t, Options{BaseURL: s.URL, Auth: Bearer(connector.NewSecret("old"))})
	if err := get(t, plain); answer(err) != "failed AUTHENTICATION" || len(s.lines()) != 1 {
		t.Errorf("a token that cannot be renewed: %v", err)
	}
}

// A replay repeats a write only after the target has said that it did nothing.
func TestAWriteIsReplayedWithItsBody(t *testing.T) {
	k := tokenService(t)
	k.good.Store("tok2")
	s := k.takes(t)
	if _, err := clientFor(t, Options{BaseURL: s.URL, Auth: k.auth(false)}).Create(t.Context(), Users, Resource{"userName": "jane"}); err != nil {
		t.Fatal(err)
	}
	if b := s.bodies(); len(b) != 2 || b[0] != b[1] || !strings.Contains(b[0], "jane") {
		t.Errorf("sent %q", b)
	}
}

func TestATokenIsNotUsedUpToItsLastSecond(t *testing.T) {
	k := tokenService(t)
	k.life = 20 // less than the skew, used for three quarters of it
	k.good.Store("tok1")
	s := k.takes(t)
	c := clientFor(t, Options{BaseURL: s.URL, Auth: k.auth(false)})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	if err := get(t, c); err != nil || k.n.Load() != 1 {
		t.Errorf("got %v with %d tokens", err, k.n.Load())
	}
	a := c.auth.(*clientCredentials)
	if left := time.Until(a.until); left < 14*time.Second || left > 15*time.Second {
		t.Errorf("it is used for %s", left)
	}
	a.until = time.Now()
	k.good.Store("tok2")
	if err := get(t, c); err != nil || k.n.Load() != 2 {
		t.Errorf("got %v with %d tokens", err, k.n.Load())
	}
}

func TestATokenServiceThatGivesNone(t *testing.T) {
	for status, want := range map[int]string{401: "failed AUTHENTICATION", 400: "failed AUTHENTICATION", 503: "failed UNAVAILABLE", 429: "failed UNAVAILABLE"} {
		k := tokenService(t)
		k.status = status
		s := k.takes(t)
		_, err := clientFor(t, Options{BaseURL: s.URL, Auth: k.auth(false)}).Create(t.Context(), Users, Resource{"userName": "jane"})
		if answer(err) != want || strings.Contains(err.Error(), "s3cret") || len(s.lines()) > 0 {
			t.Errorf("%d: got %v", status, err)
		}
	}
	k := tokenService(t)
	s := k.takes(t)
	auth := k.auth(false)
	k.Close()
	if _, err := clientFor(t, Options{BaseURL: s.URL, Auth: auth}).Create(t.Context(), Users, Resource{"userName": "jane"}); answer(err) != "failed UNAVAILABLE" {
		t.Errorf("down: %v", err)
	}
	slow := tokenService(t)
	slow.wait = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := clientFor(t, Options{BaseURL: s.URL, Auth: slow.auth(false)}).Create(ctx, Users, Resource{"userName": "jane"}); answer(err) != "failed TIMEOUT" {
		t.Errorf("slow: %v", err)
	}
	insecure := clientFor(t, Options{BaseURL: s.URL, Auth: ClientCredentials(Credentials{TokenURL: "http://login.example/token"})})
	if err := get(t, insecure); answer(err) != "failed CONFIGURATION" || !strings.Contains(err.Error(), "allow_insecure") {
		t.Errorf("without TLS: %v", err)
	}
}

func TestMutualTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(always(200, `{"id":"7"}`))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	o := Options{BaseURL: s.URL, CAs: pool, AllowInsecure: []string{"other"}}
	if err := get(t, clientFor(t, o)); err == nil {
		t.Error("served without a certificate")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	o.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	if err := get(t, clientFor(t, o)); err != nil {
		t.Error(err)
	}
}
