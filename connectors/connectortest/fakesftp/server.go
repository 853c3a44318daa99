package fakesftp

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Options say how the server is set up. The zero value listens on a free port of
// this machine, with a password and host key of its own.
type Options struct {
	Addr     string // "127.0.0.1:0" when left out
	User     string // "feed" when left out
	Password string // a random one when left out
	// AuthorizedKeys may log in too, each "ssh-ed25519 AAAA…"; UserAuthority signs
	// certificates that may.
	AuthorizedKeys []string
	UserAuthority  string
	// Folders are made beforehand; "/outgoing" when nil.
	Folders []string
	// Forward lets clients connect onwards, as a jump host does.
	Forward bool
	Faults  []Fault
}

// Server is a running server.
type Server struct {
	FS *FS // its files: what tests look at

	opt       Options
	mu        sync.Mutex
	hostKey   ssh.Signer
	refusing  bool // logins
	listeners []net.Listener
	conns     map[net.Conn]bool
	counts    map[string]int
	closed    bool
	wg        sync.WaitGroup
	addr      string
	faults    *faults
}

// New starts a server.
func New(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.User == "" {
		o.User = "feed"
	}
	if o.Password == "" {
		b := make([]byte, 12)
		_, _ = rand.Read(b) // never fails
		o.Password = hex.EncodeToString(b)
	}
	if o.Folders == nil {
		o.Folders = []string{"/outgoing"}
	}
	s := &Server{FS: newFS(o.Folders), opt: o, conns: map[net.Conn]bool{}, counts: map[string]int{}, faults: newFaults(o.Faults)}
	if err := s.RotateHostKey(); err != nil {
		return nil, err
	}
	addr, err := s.listen(o.Addr, s.faults)
	s.addr = addr
	return s, err
}

// Addr returns "127.0.0.1:PORT".
func (s *Server) Addr() string { return s.addr }

// User and Password are what the server accepts.
func (s *Server) User() string     { return s.opt.User }
func (s *Server) Password() string { return s.opt.Password }

// HostKey returns the present host key as it is pinned.
func (s *Server) HostKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey())))
}

// Config returns the connection part of a connector's or reader's config.
func (s *Server) Config() map[string]any { return s.ConfigAt(s.addr) }

// ConfigAt is Config for an address that [Server.Listen] returned.
func (s *Server) ConfigAt(addr string) map[string]any {
	return map[string]any{"host": addr, "user": s.opt.User, "host_keys": []string{s.HostKey()}}
}

// Listen opens another port to the same files, with faults of its own.
func (s *Server) Listen(fs ...Fault) (addr string, err error) {
	return s.listen("127.0.0.1:0", newFaults(fs))
}

// SetFaults replaces the faults of the first port.
func (s *Server) SetFaults(fs ...Fault) { s.faults.set(fs) }

// RotateHostKey gives the server another host key, for connections to come.
func (s *Server) RotateHostKey() error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return err
	}
	s.SetHostKey(signer)
	return nil
}

// SetHostKey gives the server a certain host key, or a certificate for one.
func (s *Server) SetHostKey(signer ssh.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hostKey = signer
}

// RefuseLogins makes every login fail, or none.
func (s *Server) RefuseLogins(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = on
}

// Count returns how often a packet came ("write", "posix-rename"), or
// "connection" and "login".
func (s *Server) Count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[what]
}

func (s *Server) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

// Disconnect ends all connections.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Close ends the server and waits until nothing of it is left.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.mu.Unlock()
	s.Disconnect()
	s.wg.Wait()
}

func (s *Server) listen(addr string, fs *faults) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("fakesftp: %w", err)
	}
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !s.track(conn) {
				return
			}
			s.wg.Go(func() {
				defer s.untrack(conn)
				s.serve(conn, fs)
			})
		}
	})
	return l.Addr().String(), nil
}

func (s *Server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.conns[conn] = true
	s.counts["connection"]++
	return true
}

func (s *Server) untrack(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

var errRefused = errors.New("login refused")

// config is how one connection is met.
func (s *Server) config() *ssh.ServerConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	refusing := s.refusing
	c := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-fakesftp", MaxAuthTries: 6,
		PasswordCallback: func(m ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if refusing || m.User() != s.opt.User || subtle.ConstantTimeCompare(password, []byte(s.opt.Password)) != 1 {
				return nil, errRefused
			}
			return nil, nil
		},
		PublicKeyCallback: func(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if refusing || m.User() != s.opt.User {
				return nil, errRefused
			}
			return s.authorized(m, key)
		},
	}
	c.AddHostKey(s.hostKey)
	return c
}

func (s *Server) authorized(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	if s.opt.UserAuthority != "" {
		if _, isCert := key.(*ssh.Certificate); isCert {
			checker := ssh.CertChecker{IsUserAuthority: func(by ssh.PublicKey) bool { return same(s.opt.UserAuthority, by) }}
			return checker.Authenticate(m, key)
		}
	}
	for _, k := range s.opt.AuthorizedKeys {
		if same(k, key) {
			return nil, nil
		}
	}
	return nil, errRefused
}

func same(line string, key ssh.PublicKey) bool {
	k, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	return err == nil && string(k.Marshal()) == string(key.Marshal())
}
