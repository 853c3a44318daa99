package sql

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutter stands between the connector and a server. It cuts the connection on
// which a given text goes by: the server gets it and acts, its answer is lost.
type cutter struct {
	listener net.Listener
	server   string

	mu      sync.Mutex
	pattern string // "": cut nothing
	cuts    int
	open    []net.Conn
}

func newCutter(t *testing.T, server string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{listener: l, server: server}
	var wg sync.WaitGroup
	wg.Go(c.accept)
	t.Cleanup(func() {
		_ = l.Close()
		c.closeAll()
		wg.Wait()
	})
	return c
}

// through rewrites a connection string to lead through the cutter.
func (c *cutter) through(dsn string) string {
	return strings.Replace(dsn, c.server, c.listener.Addr().String(), 1)
}

// cutAt arms the cutter.
func (c *cutter) cutAt(pattern string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pattern = pattern
}

func (c *cutter) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		_ = conn.Close()
	}
}

func (c *cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		c.mu.Lock()
		c.open = append(c.open, client, server)
		c.mu.Unlock()
		go c.pass(client, server)
	}
}

// pass forwards both ways until the pattern goes by.
func (c *cutter) pass(client, server net.Conn) {
	cut := make(chan struct{})
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil {
				_ = client.Close()
				return
			}
			select {
			case <-cut: // the server has answered what was cut
				_, _ = client.Close(), server.Close()
				return
			default:
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			_ = server.Close()
			return
		}
		if c.hit(buf[:n]) {
			close(cut)
			_, _ = server.Write(buf[:n])
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (c *cutter) hit(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pattern == "" || !bytes.Contains(bytes.ToLower(b), []byte(c.pattern)) {
		return false
	}
	c.pattern = ""
	c.cuts++
	return true
}
