package fakescim

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Door is an address of a server. All doors lead to the same resources; each has
// its own faults.
type Door struct {
	server *Server
	addr   string

	connections atomic.Int64

	mu     sync.Mutex
	faults []*armed
	http   *http.Server  // nil while nobody listens
	done   chan struct{} // closed when http ends
	ending sync.WaitGroup
}

// Open opens another address of the server, where the faults happen.
func (s *Server) Open(faults ...Fault) (*Door, error) {
	d, err := s.open("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		d.Arm(f)
	}
	return d, nil
}

func (s *Server) open(addr string) (*Door, error) {
	d := &Door{server: s, addr: addr}
	if err := d.start(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.doors = append(s.doors, d)
	s.mu.Unlock()
	return d, nil
}

// start listens at the door's address.
func (d *Door) start() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", d.addr)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addr = l.Addr().String() // the port stays when it is opened again
	d.done = make(chan struct{})
	d.http = &http.Server{Handler: d, ErrorLog: log.New(io.Discard, "", 0)}
	var serve net.Listener = &guarded{Listener: l, door: d}
	if a := d.server.authority; a != nil {
		serve = tls.NewListener(serve, &tls.Config{Certificates: []tls.Certificate{a.leaf}, MinVersion: tls.VersionTLS12})
	}
	server := d.http
	d.ending.Go(func() { _ = server.Serve(serve) }) // ends when the door is closed
	return nil
}

// stop takes the address away and breaks the connections to it.
func (d *Door) stop() {
	d.mu.Lock()
	server, done := d.http, d.done
	d.http = nil
	d.mu.Unlock()
	if server != nil {
		close(done)
		_ = server.Close()
	}
	d.ending.Wait()
}

// restart listens again, unless the server has ended.
func (d *Door) restart() {
	if d.server.done.Err() == nil {
		_ = d.start() // the port was the door's own a moment ago
	}
}

// hangUpIdle closes the connections that wait for a request.
func (d *Door) hangUpIdle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.http != nil {
		d.http.SetKeepAlivesEnabled(false)
		d.http.SetKeepAlivesEnabled(true)
	}
}

// guarded counts connections and breaks those that a fault wants broken.
type guarded struct {
	net.Listener
	door *Door
}

// Accept implements [net.Listener].
func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.door.connections.Add(1)
		g.door.server.journal.connected()
		if !g.door.breaks() {
			return c, nil
		}
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset, not an orderly end
		}
		_ = c.Close()
	}
}

func (d *Door) origin() string {
	scheme := "https"
	if d.server.authority == nil {
		scheme = "http"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return scheme + "://" + d.addr
}

// URL returns the address of the service by this door.
func (d *Door) URL() string { return d.origin() + d.server.options.BasePath }

// Connections counts the connections that came by this door.
func (d *Door) Connections() int { return int(d.connections.Load()) }

// Close takes the address away and breaks the connections to it.
func (d *Door) Close() { d.stop() }

// ServeHTTP implements [http.Handler].
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := d.server
	if r.URL.Path == tokenPath {
		granted := s.gate.issue(w, r)
		s.journal.login(granted)
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), s.options.BasePath)
	x := &exchange{server: s, door: d, w: w, r: r, path: path, rules: rulesOf(s.options.Profile)}
	x.base = d.origin() + s.options.BasePath
	x.faults = d.due(r.Method, path)
	x.run(ok && (path == "" || strings.HasPrefix(path, "/")))
}
