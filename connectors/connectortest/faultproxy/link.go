package faultproxy

import (
	"errors"
	"io"
	"net"
	"time"
)

// quiet is how long a server must be silent before its reply counts as whole.
const quiet = 100 * time.Millisecond

// link is one connection through the proxy. Its fields besides the connections
// belong to the proxy's lock.
type link struct {
	client, server net.Conn
	first          bool  // nothing has come from the client yet
	asked          bool  // the last bytes were the client's
	passed         int64 // bytes from the server since the fault was armed
	losing         *time.Timer
	spoilt         bool // bytes were swallowed: nothing more can go right
}

// verdict says what becomes of a run of bytes.
type verdict int

const (
	pass verdict = iota
	swallow
	cut
	answer // the proxy speaks HTTP itself
	pose   // the proxy poses as the server
)

// serve carries one connection to its end.
func (p *Proxy) serve(f *front, client net.Conn) {
	l := &link{client: client, first: true}
	if p.begin(l) {
		abort(client)
		return
	}
	defer p.end(l)
	defer client.Close()
	server, err := net.DialTimeout("tcp", f.target, 10*time.Second)
	if err != nil {
		abort(client) // as if nobody were there
		return
	}
	defer server.Close()
	p.mu.Lock()
	l.server = server
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return
	}
	p.running.Go(func() {
		p.down(l)
		_ = server.Close()
	})
	p.up(l)
}

// up passes on what the client sends.
func (p *Proxy) up(l *link) {
	buf := make([]byte, 32<<10)
	for {
		n, err := l.client.Read(buf)
		if n > 0 {
			what, wait := p.fromClient(l, buf[:n])
			time.Sleep(wait)
			switch what {
			case answer:
				p.answerHTTP(l, buf[:n])
				return
			case pose:
				p.pose(l, buf[:n])
				return
			case pass:
				if _, werr := l.server.Write(buf[:n]); werr != nil {
					return
				}
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				halfClose(l.server)
			}
			return
		}
	}
}

// down passes on what the server sends.
func (p *Proxy) down(l *link) {
	buf := make([]byte, 32<<10)
	for {
		n, err := l.server.Read(buf)
		if n > 0 {
			b := buf[:n]
			what, keep := p.fromServer(l, b)
			if what != swallow {
				if _, werr := l.client.Write(b[:keep]); werr != nil {
					return
				}
			}
			if what == cut {
				_ = l.client.Close() // in order, which is the harder to tell from a reply that is whole
				return
			}
		}
		if err != nil {
			p.mu.Lock()
			lost := l.losing != nil
			p.mu.Unlock()
			if lost {
				abort(l.client)
			} else {
				halfClose(l.client)
			}
			return
		}
	}
}

// fromClient decides about what a client has sent.
func (p *Proxy) fromClient(l *link, b []byte) (v verdict, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(l, b)
	begins := !l.asked
	l.asked = true
	switch f := p.fault; f.Kind {
	case Delay:
		p.stats.Struck++
		return pass, f.Wait
	case Hang:
		p.stats.Struck++
		l.spoilt = true
		return swallow, 0
	case LoseReply:
		if begins {
			p.nth++
		}
		if begins && p.nth == f.Nth {
			p.stats.Struck++
			l.spoilt = true
			l.losing = time.AfterFunc(time.Hour, func() { p.drop(l) }) // until it answers
		}
	case Status:
		if isRequest(b) {
			p.stats.Struck++
			return answer, 0
		}
	case BadCertificate:
		if isClientHello(b) || isSSH(b) {
			p.stats.Struck++
			return pose, 0
		}
	}
	return pass, 0
}

// fromServer decides about what a server has sent: what becomes of it and how
// many bytes pass.
func (p *Proxy) fromServer(l *link, b []byte) (v verdict, keep int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(b)
	p.stats.Down += int64(n)
	l.asked = false
	if l.losing != nil {
		l.losing.Reset(quiet)
		return swallow, 0
	}
	f := p.fault
	switch {
	case f.Kind == Hang:
		l.spoilt = true
		return swallow, 0
	case f.Kind == CutReply && l.passed+int64(n) > f.After:
		p.stats.Struck++
		return cut, int(max(0, f.After-l.passed))
	case f.Kind == BadCertificate && isSSH(b):
		return swallow, 0 // the proxy sends a banner of its own
	}
	l.passed += int64(n)
	return pass, n
}

// drop breaks a connection whose reply was lost.
func (p *Proxy) drop(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.abort()
}

// abort breaks both sides. It is called with the proxy's lock held.
func (l *link) abort() {
	if l.losing != nil {
		l.losing.Stop()
	}
	abort(l.client)
	if l.server != nil {
		abort(l.server)
	}
}

// abort closes a connection with a reset in place of an orderly end.
func abort(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func halfClose(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
}
