// Package fakehttp is a small JSON API for tests: the target that
// `provhub plugin new --kind http` begins with. It keeps users in memory.
//
//	GET    /me                         whether the token is good
//	GET    /users?after=ID&limit=N     a page, by id; ?userName=… or ?externalId=… finds one
//	POST   /users                      201, or 409 when userName or externalId is taken
//	GET    /users/{id}
//	PATCH  /users/{id}                 null clears an attribute
//	DELETE /users/{id}                 204, or 404
//
// It speaks HTTP in clear on the loopback interface, so that a proxy can answer
// in its place (see package faultproxy).
package fakehttp

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Options say what the server is like. The zero value is an empty API on a port
// of its own, with random tokens.
type Options struct {
	// Addr to listen on; "": 127.0.0.1 and a free port.
	Addr string
	// Tokens that are accepted; nil: two random ones.
	Tokens []string
}

// Server is a running API.
type Server struct {
	users
	tokens   []string
	listener net.Listener
	http     *http.Server
}

// New starts a server. Close it.
func New(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Tokens == nil {
		o.Tokens = []string{rand.Text(), rand.Text()}
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("fakehttp: %w", err)
	}
	s := &Server{users: users{byID: map[int]map[string]any{}}, tokens: o.Tokens, listener: l}
	s.http = &http.Server{Handler: s.guard(s.routes()), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(l) }() // ends with Close
	return s, nil
}

// URL is where the API is.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Token is the first token that is accepted, NewToken the last.
func (s *Server) Token() string { return s.tokens[0] }

// NewToken is a second token that is accepted, when there are several.
func (s *Server) NewToken() string { return s.tokens[len(s.tokens)-1] }

// Config is that of a connector that `provhub plugin new --kind http` writes.
func (s *Server) Config() map[string]any { return map[string]any{"base_url": s.URL()} }

// Close stops the server.
func (s *Server) Close() { _ = s.http.Close() }

func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(s.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			answer(w, http.StatusUnauthorized, map[string]string{"error": "the token is not known"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"product": "provhub fake API"})
	})
	m.HandleFunc("GET /users", s.list)
	m.HandleFunc("POST /users", s.create)
	m.HandleFunc("GET /users/{id}", s.one(s.show))
	m.HandleFunc("PATCH /users/{id}", s.one(s.patch))
	m.HandleFunc("DELETE /users/{id}", s.one(s.remove))
	return m
}
