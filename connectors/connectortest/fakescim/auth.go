package fakescim

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// gate says who may come in.
type gate struct {
	now    func() time.Time
	basic  Login
	client Login
	life   time.Duration

	mu     sync.Mutex
	static string
	issued map[string]time.Time // token → when it ends
}

func newGate(o Options) *gate {
	g := &gate{now: o.Now, basic: o.Basic, client: o.Client, life: o.TokenLife, static: o.Token, issued: map[string]time.Time{}}
	if g.static == "" {
		g.static = randomToken()
	}
	if g.life == 0 {
		g.life = time.Hour
	}
	return g
}

func randomToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// check lets a request in or says why not: 401, with the challenge to be sent.
func (g *gate) check(r *http.Request) (challenge string, err error) {
	challenge = `Bearer realm="SCIM"`
	if g.basic != (Login{}) {
		challenge += `, Basic realm="SCIM"`
		if name, password, ok := r.BasicAuth(); ok {
			if same(name, g.basic.Name) && same(password, g.basic.Password) {
				return "", nil
			}
			return challenge, schema.Refused(http.StatusUnauthorized, "name or password is wrong")
		}
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return challenge, schema.Refused(http.StatusUnauthorized, "sign in first")
	}
	scheme, token, _ := strings.Cut(header, " ")
	if strings.EqualFold(scheme, "Bearer") && g.knows(token) {
		return "", nil
	}
	return `Bearer realm="SCIM", error="invalid_token"`, schema.Refused(http.StatusUnauthorized, "the token is not known or has expired")
}

func (g *gate) knows(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if same(token, g.static) {
		return true
	}
	until, ok := g.issued[token]
	return ok && g.now().Before(until)
}

// fetched reports whether a request is signed with a token other than the static
// one.
func (g *gate) fetched(r *http.Request) bool {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	g.mu.Lock()
	defer g.mu.Unlock()
	return !same(token, g.static)
}

// issue answers the token endpoint (RFC 6749 §4.4, §5).
func (g *gate) issue(w http.ResponseWriter, r *http.Request) (granted bool) {
	refuse := func(status int, code string) bool {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		}
		writeJSON(w, "application/json", status, map[string]any{"error": code})
		return false
	}
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "invalid_request")
	}
	if err := r.ParseForm(); err != nil {
		return refuse(http.StatusBadRequest, "invalid_request")
	}
	name, secret, ok := r.BasicAuth()
	if !ok {
		name, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if g.client == (Login{}) || !same(name, g.client.Name) || !same(secret, g.client.Password) {
		return refuse(http.StatusUnauthorized, "invalid_client")
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		return refuse(http.StatusBadRequest, "unsupported_grant_type")
	}
	token := randomToken()
	g.mu.Lock()
	g.issued[token] = g.now().Add(g.life)
	g.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json", http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(g.life.Seconds())})
	return true
}

// Token returns the bearer token that signs requests.
func (s *Server) Token() string {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.gate.static
}

// SetToken makes another bearer token the good one; the one before is refused.
func (s *Server) SetToken(token string) {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	s.gate.static = token
}

// ExpireTokens ends all tokens that the token endpoint gave out.
func (s *Server) ExpireTokens() {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	clear(s.gate.issued)
}
