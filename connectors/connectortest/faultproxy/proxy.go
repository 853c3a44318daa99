package faultproxy

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"time"
)

// Proxy forwards connections, and fails them as its fault says. It is safe for
// concurrent use.
type Proxy struct {
	mu      sync.Mutex
	fault   Fault
	nth     int // exchanges since the fault was armed
	stats   Stats
	watched [][]byte
	fronts  []*front
	links   map[*link]struct{}
	closed  bool
	running sync.WaitGroup
}

// front is one address of the proxy, and where it leads.
type front struct {
	listener net.Listener // nil while connections are refused
	address  string
	target   string
}

// New returns a proxy without a fault. Close it.
func New() *Proxy { return &Proxy{links: map[*link]struct{}{}} }

// Front opens a new address on the loopback interface that leads to target
// ("host:port"), and returns it. The target is dialled for each connection.
func (p *Proxy) Front(target string) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("faultproxy: %w", err)
	}
	f := &front{listener: l, address: l.Addr().String(), target: target}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fronts = append(p.fronts, f)
	p.running.Go(func() { p.accept(f, l) })
	return f.address, nil
}

// Arm replaces the fault. Connections that the last one has spoilt are broken.
func (p *Proxy) Arm(f Fault) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.nth, p.stats.Struck = f, 0, 0
	for l := range p.links {
		if l.spoilt || f.Kind == Reset || f.Kind == Refuse {
			l.abort()
			continue
		}
		l.passed = 0
	}
	for _, fr := range p.fronts {
		if f.Kind == Refuse {
			fr.shut()
		} else if err := p.reopen(fr); err != nil {
			return err
		}
	}
	return nil
}

// Heal takes the fault away.
func (p *Proxy) Heal() error { return p.Arm(Fault{}) }

// Break breaks all open connections, and leaves new ones alone.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.abort()
	}
}

// Watch counts texts that clients send in clear, such as a secret, from now on.
func (p *Proxy) Watch(texts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched, p.stats.Sighted = nil, 0
	for _, t := range texts {
		if t != "" {
			p.watched = append(p.watched, []byte(t))
		}
	}
}

// Stats returns what has been counted so far.
func (p *Proxy) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close breaks all connections and gives the addresses up.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	for _, f := range p.fronts {
		f.shut()
	}
	for l := range p.links {
		l.abort()
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (f *front) shut() {
	if f.listener != nil {
		_ = f.listener.Close()
		f.listener = nil
	}
}

// reopen listens again at the address of a front that was shut. Somebody else
// may hold the port for a moment.
func (p *Proxy) reopen(f *front) error {
	if f.listener != nil || p.closed {
		return nil
	}
	var err error
	for range 40 {
		var l net.Listener
		if l, err = net.Listen("tcp", f.address); err == nil {
			f.listener = l
			p.running.Go(func() { p.accept(f, l) })
			return nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	return fmt.Errorf("faultproxy: listen again: %w", err)
}

func (p *Proxy) accept(f *front, l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // shut
		}
		p.running.Go(func() { p.serve(f, client) })
	}
}

// begin counts a new connection and says whether it is to break at once.
func (p *Proxy) begin(l *link) (broken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Connections++
	if p.closed || p.fault.Kind == Reset && (p.fault.Times == 0 || p.stats.Struck < p.fault.Times) {
		p.stats.Struck++
		return true
	}
	p.links[l] = struct{}{}
	return false
}

func (p *Proxy) end(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.losing != nil {
		l.losing.Stop()
	}
	delete(p.links, l)
}

// note counts what a client sends. It is called with the lock held.
func (p *Proxy) note(l *link, b []byte) {
	p.stats.Up += int64(len(b))
	for _, w := range p.watched {
		p.stats.Sighted += bytes.Count(b, w)
	}
	switch {
	case isClientHello(b):
		p.stats.TLS = true
	case l.first && bytes.HasPrefix(b, []byte("SSH-")):
		p.stats.SSH = true
	case l.first && isRequest(b):
		p.stats.HTTP = true
	}
	l.first = false
}
