package fakeldap

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Server is one directory with its listeners. It is safe for concurrent use.
type Server struct {
	options Options
	dir     *directory
	ca      *authority
	tls     *tls.Config
	plain   *Door
	secure  *Door
	log     requestLog
	faults  faultSet
	dsids   atomic.Uint32

	mu     sync.Mutex
	closed bool
	doors  []*Door
	conns  map[*conn]struct{}
	wg     sync.WaitGroup
}

// New starts a server. It listens when New returns.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	sch, err := loadSchema(o.Flavor, o.Schema)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, conns: map[*conn]struct{}{}}
	if s.dir, err = newDirectory(sch, &s.options); err != nil {
		return nil, err
	}
	s.Restore() // the first database
	s.dsids.Store(0x03151000)
	if err := s.seed(); err != nil {
		return nil, err
	}
	if s.ca, err = newAuthority(); err != nil {
		return nil, err
	}
	if s.tls, err = s.ca.serverTLS(); err != nil {
		return nil, err
	}
	if s.plain, err = s.open(o.Addr, false, nil); err != nil {
		return nil, err
	}
	if s.secure, err = s.open(o.TLSAddr, true, nil); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// URL is the ldaps:// address.
func (s *Server) URL() string { return s.secure.URL() }

// PlainURL is the ldap:// address, where StartTLS is offered.
func (s *Server) PlainURL() string { return s.plain.URL() }

// BaseDN, AdminDN and AdminPassword are what Options said or left to the default.
func (s *Server) BaseDN() string { return s.options.BaseDN }

// AdminDN is the account that may write.
func (s *Server) AdminDN() string { return s.options.AdminDN }

// AdminPassword is its password.
func (s *Server) AdminPassword() string { return s.options.AdminPassword }

// Close cuts all connections and waits until nothing is left running.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	var errs []error
	for _, d := range s.doors {
		if err := d.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for c := range s.conns {
		c.cut()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return errors.Join(errs...)
}

// CutAll cuts every connection there is; new ones are welcome.
func (s *Server) CutAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.cut()
	}
}

// Door is one address of a server, with faults of its own.
type Door struct {
	server   *Server
	listener net.Listener
	secure   bool
	faults   faultSet
}

// URL is where the door is.
func (d *Door) URL() string {
	scheme := "ldap"
	if d.secure {
		scheme = "ldaps"
	}
	return fmt.Sprintf("%s://%s", scheme, d.listener.Addr())
}

// Door opens a further ldaps:// address of the same directory, where the faults
// hold for its connections alone: what one config of a conformance test sees.
func (s *Server) Door(faults ...Fault) (*Door, error) {
	d, err := s.open("127.0.0.1:0", true, faults)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Shut stops listening: the address refuses connections from now on, as a
// target that is down does. Connections that are open stay.
func (d *Door) Shut() error { return d.listener.Close() }

func (s *Server) open(addr string, secure bool, faults []Fault) (*Door, error) {
	d := &Door{server: s, secure: secure}
	for _, f := range faults {
		if _, err := d.faults.inject(s.dir.schema, f); err != nil {
			return nil, err
		}
	}
	var err error
	if d.listener, err = net.Listen("tcp", addr); err != nil {
		return nil, fmt.Errorf("fakeldap: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doors = append(s.doors, d)
	s.wg.Go(d.accept)
	return d, nil
}

func (d *Door) accept() {
	for {
		raw, err := d.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, say
			time.Sleep(10 * time.Millisecond)
			continue
		}
		d.server.admit(d, raw)
	}
}

func (s *Server) admit(d *Door, raw net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = raw.Close()
		return
	}
	c := newConn(s, d, raw)
	s.conns[c] = struct{}{}
	s.log.count(func(st *Stats) { st.Connections++; st.Open++ })
	s.wg.Go(func() {
		c.run()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		s.log.count(func(st *Stats) { st.Open-- })
	})
}
