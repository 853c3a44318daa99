package ldap

import (
	"context"
	"crypto/tls"
	"sync"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// refusedFor is how long a refused bind is not tried again. Two tries in half
// an hour stay below the lockout threshold of every usual policy.
const refusedFor = 15 * time.Minute

// eager is how many requests a connection carries before another one is made.
const eager = 8

// pool shares a few connections to one server at a time.
type pool struct {
	o       Options
	servers []Server
	tls     *tls.Config
	slots   chan struct{} // one for each request under way

	mu       sync.Mutex
	conns    []*conn
	active   int       // the server in use
	switched time.Time // when it became so
	dialling *attempt
	refused  error
	until    time.Time // refused holds
	closed   bool
}

// attempt is one try to connect, shared by all who wait for it.
type attempt struct {
	done chan struct{}
	err  error
}

// acquire returns a connection with room for one more request.
func (p *pool) acquire(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, unsent(ctx)
	}
	c, err := p.pick(ctx)
	if err != nil {
		<-p.slots
	}
	return c, err
}

func (p *pool) pick(ctx context.Context) (*conn, error) {
	for {
		p.mu.Lock()
		c, wait, err := p.choose()
		p.mu.Unlock()
		if c != nil || err != nil {
			return c, err
		}
		select {
		case <-wait.done:
			if wait.err != nil {
				return nil, wait.err
			}
		case <-ctx.Done():
			return nil, unsent(ctx)
		}
	}
}

// choose takes the connection with the least to do, or begins to make one.
func (p *pool) choose() (*conn, *attempt, error) {
	now := time.Now()
	switch {
	case p.closed:
		return nil, nil, &connector.Error{Code: connector.CodeUnavailable, Message: "the connection to the directory was closed"}
	case p.refused != nil && now.Before(p.until):
		return nil, nil, p.refused
	}
	p.refused = nil
	p.sweep(now)
	var best *conn
	for _, c := range p.conns {
		if best == nil || c.flying < best.flying {
			best = c
		}
	}
	if best == nil || best.flying >= eager && len(p.conns) < p.o.Connections || p.mayReturn(now) {
		p.begin()
	}
	if best == nil {
		return nil, p.dialling, nil
	}
	best.flying++
	return best, nil, nil
}

// mayReturn reports whether it is time to try the first server again.
func (p *pool) mayReturn(now time.Time) bool {
	return p.active != 0 && now.Sub(p.switched) > p.o.SwitchBack
}

// sweep drops connections that are broken, too old, or to another server than
// the one in use. What is under way on them ends first.
func (p *pool) sweep(now time.Time) {
	kept := p.conns[:0]
	for _, c := range p.conns {
		stale := c.flying == 0 && now.Sub(c.used) > p.o.IdleTimeout
		if stale || c.retired || c.ldap.IsClosing() || now.Sub(c.born) > p.o.MaxAge || c.server != p.servers[p.active] {
			p.retire(c)
			continue
		}
		kept = append(kept, c)
	}
	p.conns = kept
}

func (p *pool) retire(c *conn) {
	c.retired = true
	if c.flying == 0 {
		go c.close()
	}
}

// release gives a connection back. One on which a request got no answer carries
// no more of them.
func (p *pool) release(c *conn, err error) {
	p.mu.Lock()
	c.flying--
	c.used = time.Now()
	if err != nil && breaks(err) && !c.retired {
		c.retired = true
	}
	last := c.retired && c.flying == 0
	p.mu.Unlock()
	if last {
		c.close()
	}
	<-p.slots
}

// breaks reports whether a connection is of no more use after err.
func breaks(err error) bool {
	code, answered := ResultCode(err)
	return !answered || code == goldap.LDAPResultOperationsError || code == goldap.LDAPResultUnavailable || WindowsCode(err) == "000004DC"
}

// forgive forgets a refused bind, so that the next call tries once.
func (p *pool) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = nil
}

// close ends all connections. What is under way gets no answer.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	conns := p.conns
	p.conns = nil
	p.mu.Unlock()
	for _, c := range conns {
		c.close()
	}
}

// unsent is the error of a call whose time was over before it was sent.
func unsent(ctx context.Context) error {
	return &connector.Error{Code: connector.CodeUnavailable, Message: "the call ended before it was sent to the directory", Cause: ctx.Err()}
}
