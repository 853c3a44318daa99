package ldap

import (
	"context"
	"net"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// conn is one connection, bound, with several requests under way on it.
type conn struct {
	ldap      *goldap.Conn
	tap       *tap
	readBacks *readBacks
	server    Server
	encrypted bool
	born      time.Time

	// Guarded by the pool's mutex.
	used    time.Time
	flying  int
	retired bool
}

func (c *conn) close() { _ = c.ldap.Close() }

// start hands a network connection to go-ldap.
func (c *conn) start(nc net.Conn, encrypted bool, limit time.Duration) {
	c.encrypted = encrypted
	c.tap, c.readBacks = newTap(nc), newReadBacks()
	c.tap.give(c.readBacks)
	c.ldap = goldap.NewConn(c.tap, encrypted)
	c.ldap.SetTimeout(limit)
	c.ldap.Start()
}

// begin starts one try to connect, unless one is under way. Only one at a time,
// so that a wrong password is sent once and not by every caller.
func (p *pool) begin() {
	if p.dialling != nil {
		return
	}
	a := &attempt{done: make(chan struct{})}
	p.dialling = a
	first := p.active
	if p.mayReturn(time.Now()) {
		first = 0
	}
	go func() {
		c, at, err := p.dialFrom(context.Background(), first)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.dialling = nil
		a.err = err
		p.settle(c, at, err)
		close(a.done)
	}()
}

// settle takes in the end of a try.
func (p *pool) settle(c *conn, at int, err error) {
	if err != nil {
		if connector.IsCode(err, connector.CodeAuthentication) {
			p.refused, p.until = err, time.Now().Add(refusedFor)
		}
		return
	}
	if p.closed {
		go c.close()
		return
	}
	if at != p.active || at != 0 && p.mayReturn(time.Now()) {
		p.active, p.switched = at, time.Now()
	}
	p.sweep(time.Now())
	if len(p.conns) >= p.o.Connections { // it was made to see whether the first server is back
		go c.close()
		return
	}
	p.conns = append(p.conns, c)
}

// dialFrom tries the servers in turn, beginning with the one at first. A server
// that refuses the bind ends it: the others would count the same failure.
func (p *pool) dialFrom(ctx context.Context, first int) (c *conn, at int, err error) {
	for i := range p.servers {
		at = (first + i) % len(p.servers)
		if c, err = p.dial(ctx, p.servers[at]); err == nil || connector.IsCode(err, connector.CodeAuthentication) {
			break
		}
	}
	return c, at, err
}

// server returns the one in use.
func (p *pool) server() Server {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.servers[p.active]
}

// own makes a connection for one caller, to the server in use. A refused bind
// counts for all.
func (p *pool) own(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	refused, first := p.refused, p.active
	if refused != nil && time.Now().After(p.until) {
		refused = nil
	}
	p.mu.Unlock()
	if refused != nil {
		return nil, refused
	}
	c, _, err := p.dialFrom(ctx, first)
	if connector.IsCode(err, connector.CodeAuthentication) {
		p.mu.Lock()
		p.refused, p.until = err, time.Now().Add(refusedFor)
		p.mu.Unlock()
	}
	return c, err
}
