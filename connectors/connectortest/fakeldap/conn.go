package fakeldap

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// conn is one client.
type conn struct {
	server *Server
	dir    *directory
	door   *Door
	number int
	raw    net.Conn

	reader *bufio.Reader
	stream net.Conn // raw, or TLS on it
	out    sync.Mutex

	mu       sync.Mutex
	identity identity
	peer     dn // of the client's certificate; the root when there is none
	under    map[int64]context.CancelFunc
	pages    map[string]*listing
	wg       sync.WaitGroup
}

// identity is who a connection speaks for.
type identity struct {
	dn    dn // the root: anonymous
	admin bool
}

func newConn(s *Server, d *Door, raw net.Conn) *conn {
	return &conn{server: s, dir: s.dir, door: d, number: s.log.nextConn(), raw: raw, stream: raw,
		reader: bufio.NewReader(raw), under: map[int64]context.CancelFunc{}, pages: map[string]*listing{}}
}

// cut ends the connection at once.
func (c *conn) cut() { _ = c.raw.Close() }

// reset ends it with a TCP reset, as a firewall or a crashed server does.
func (c *conn) reset() {
	if t, ok := c.raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	c.cut()
}

// run serves the connection until it ends.
func (c *conn) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer func() {
		cancel()
		c.cut()
		c.wg.Wait()
	}()
	if c.door.secure && c.startTLS() != nil {
		return
	}
	for {
		p, err := ber.ReadPacket(c.reader)
		if err != nil {
			return
		}
		m, err := parseMessage(p)
		if err != nil {
			c.disconnect(refuse(protocolError, "%s", err))
			return
		}
		if !c.take(ctx, m) {
			return
		}
	}
}

// take begins one operation; false ends the connection. Binds and StartTLS have
// the connection to themselves (RFC 4511 §4.2.1, §4.14.1); all else may overlap.
func (c *conn) take(ctx context.Context, m message) bool {
	c.server.log.count(func(st *Stats) {
		if st.Ops == nil {
			st.Ops = map[Op]int{}
		}
		st.Ops[m.op]++
	})
	switch {
	case m.op == OpUnbind:
		return false
	case m.op == OpAbandon:
		if id, err := ber.ParseInt64(m.body.Data.Bytes()); err == nil {
			c.abandon(id)
		}
		return true
	case m.op == OpBind, m.op == OpExtended && extendedName(m) == oidStartTLS:
		c.wg.Wait()
		return c.serve(ctx, m)
	}
	mine, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	c.under[m.id] = cancel
	c.mu.Unlock()
	c.wg.Go(func() {
		defer c.abandon(m.id)
		if !c.serve(mine, m) {
			c.cut()
		}
	})
	return true
}

// abandon ends an operation that is under way; false: there is none.
func (c *conn) abandon(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	cancel, ok := c.under[id]
	if ok {
		cancel()
		delete(c.under, id)
	}
	return ok
}

// serve carries out one operation, faults included, and answers it. false: the
// connection is to end.
func (c *conn) serve(ctx context.Context, m message) bool {
	began := time.Now()
	r := Request{At: began, Conn: c.number, ID: m.id, Op: m.op, DN: m.target(), Detail: m.detail(), Code: -1}
	for oid := range m.controls {
		r.Controls = append(r.Controls, oid)
	}
	a, fate := c.answer(ctx, m)
	if ctx.Err() != nil && fate == sendAnswer {
		fate = sendNothing // abandoned: RFC 4511 §4.11 wants silence
	}
	r.Took = time.Since(began)
	if fate == sendAnswer {
		r.Code = int(a.code)
	}
	c.server.log.put(r) // before the answer, so that who has it finds the line
	if m.op == OpBind {
		c.server.log.count(func(st *Stats) {
			st.Binds++
			if r.Code != int(success) {
				st.BindsFailed++
			}
		})
	}
	if fate == sendAnswer {
		c.send(a.encode(m.id, m.tag))
	}
	if m.op == OpExtended && a.code == success && extendedName(m) == oidStartTLS && fate == sendAnswer {
		return c.startTLS() == nil
	}
	if fate == resetConn {
		c.reset()
	}
	return fate == sendAnswer || fate == sendNothing
}

// startTLS shakes hands on the connection.
func (c *conn) startTLS() error {
	t := tls.Server(buffered{c.raw, c.reader}, c.server.tls)
	if err := t.Handshake(); err != nil {
		return err
	}
	c.server.log.count(func(st *Stats) { st.Handshakes++ })
	c.out.Lock()
	defer c.out.Unlock()
	c.stream, c.reader = t, bufio.NewReader(t)
	if certs := t.ConnectionState().PeerCertificates; len(certs) > 0 {
		if name, err := c.dir.subjectDN(certs[0]); err == nil {
			c.peer = name
		}
	}
	return nil
}

func (c *conn) encrypted() bool { return c.stream != c.raw }

// buffered reads what a bufio.Reader has taken from the connection already.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

// Read implements [net.Conn].
func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// send writes one message. What cannot be written is lost, as on any network:
// the reading side notices the end.
func (c *conn) send(b []byte) {
	c.out.Lock()
	defer c.out.Unlock()
	_, _ = c.stream.Write(b)
}

// disconnect sends the notice of disconnection (RFC 4511 §4.4.1) and ends.
func (c *conn) disconnect(r *refusal) {
	a := answer{refusal: *r, name: oidDisconnection}
	c.send(a.encode(0, tagExtended))
	c.cut()
}

// who returns the identity of the connection.
func (c *conn) who() identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}

var errAbandoned = errors.New("the operation was abandoned")
