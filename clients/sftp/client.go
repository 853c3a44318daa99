package sftp

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
)

// Client talks to one server. Its methods may be called at the same time; they
// share one connection.
type Client struct {
	cfg Config

	mu      sync.Mutex
	session *session
	dialing chan struct{} // closed when the connection that is being made is there, or not
	closed  bool
}

// New returns a client that has not connected. CONFIGURATION when something
// required is missing or a key cannot be read. A client without a pinned host key
// answers every call so.
func New(c Config) (*Client, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	if _, err := newPins(c); err != nil {
		return nil, err
	}
	if err := c.Auth.Check(); err != nil {
		return nil, err
	}
	return &Client{cfg: c}, nil
}

// Addr returns the server's address with its port.
func (c *Client) Addr() string { return c.cfg.Addr }

// Connect connects and logs in unless that is done already. Other calls do so by
// themselves.
func (c *Client) Connect(ctx context.Context) error {
	_, err := c.use(ctx)
	return err
}

// Server describes a connection.
type Server struct {
	Version     string // "SSH-2.0-OpenSSH_9.2"
	PosixRename bool   // a rename replaces what is there in one step
	Fsync       bool   // what was written can be forced to disk
}

// Server connects and tells what the server says of itself.
func (c *Client) Server(ctx context.Context) (Server, error) {
	s, err := c.use(ctx)
	if err != nil {
		return Server{}, err
	}
	return Server{Version: string(s.ssh.ServerVersion()), PosixRename: s.offers(extPosixRename), Fsync: s.offers(extFsync)}, nil
}

const (
	extPosixRename = "posix-rename@openssh.com"
	extFsync       = "fsync@openssh.com"
)

func (s *session) offers(extension string) bool {
	version, ok := s.HasExtension(extension)
	return ok && version == "1"
}

// Close ends the connection; calls under way fail. The client cannot be used any
// more.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	s := c.session
	c.mu.Unlock()
	if s != nil {
		s.close(nil)
	}
	return nil
}

// use returns a live connection. One attempt is made however many wait for it.
func (c *Client) use(ctx context.Context) (*session, error) {
	c.mu.Lock()
	for c.dialing != nil {
		wait := c.dialing
		c.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, connectError(ctx, c.cfg.Addr, ctx.Err())
		}
		c.mu.Lock()
	}
	if c.closed {
		c.mu.Unlock()
		return nil, connector.Errorf(connector.CodeUnavailable, "the connection was closed")
	}
	if s := c.session; s != nil && s.alive() {
		c.mu.Unlock()
		return s, nil
	}
	c.dialing = make(chan struct{})
	c.mu.Unlock()

	traced, sp := c.trace(ctx, "connect")
	s, err := newSession(traced, c.cfg)
	sp.End(err)

	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.dialing)
	c.dialing = nil
	if err != nil {
		return nil, err
	}
	if c.closed {
		s.close(nil)
		return nil, connector.Errorf(connector.CodeUnavailable, "the connection was closed")
	}
	c.session = s
	return s, nil
}

// do runs one call that changes nothing, or whose loss leaves nothing behind.
func (c *Client) do(ctx context.Context, what string, call func(*session) error) error {
	s, err := c.use(ctx)
	if err != nil {
		return err
	}
	return c.on(ctx, s, what, func() error { return call(s) })
}

// trace begins the span of a request, which is called by what it does, without the name
// of a file.
func (c *Client) trace(ctx context.Context, what string) (context.Context, *span.Span) {
	verb, _, _ := strings.Cut(what, " ")
	ctx, s := span.Request(ctx, verb)
	if s != nil {
		host, port, _ := net.SplitHostPort(c.cfg.Addr)
		s.To(host, port)
	}
	return ctx, s
}

// on runs one call on a connection that is open already. One that broke is not
// used again.
func (c *Client) on(ctx context.Context, s *session, what string, call func() error) error {
	ctx, sp := c.trace(ctx, what)
	err := s.during(ctx, c.cfg.Stall, call)
	if err != nil {
		err = callError(ctx, what, err)
	}
	sp.End(err)
	if err != nil && isLost(err) {
		s.close(nil)
	}
	return err
}

// Info describes one file or folder.
type Info struct {
	Name    string // without folders
	Size    int64
	ModTime time.Time
	Dir     bool
}

func infoOf(i os.FileInfo) Info {
	return Info{Name: i.Name(), Size: i.Size(), ModTime: i.ModTime(), Dir: i.IsDir()}
}
