package store

import (
	"context"
	"net"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// lines are the open connections to PostgreSQL, so that those that are given up can be
// ended at once: the driver tries for fifteen seconds to take its leave of a server that
// does not answer, and as long the locks of the connection may be held.
type lines struct {
	mu   sync.Mutex
	open map[*line]struct{}
}

// line is one connection.
type line struct {
	net.Conn
	of *lines
}

// through returns dial with what it dials remembered.
func (ls *lines) through(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		l := &line{conn, ls}
		ls.mu.Lock()
		defer ls.mu.Unlock()
		if ls.open == nil {
			ls.open = map[*line]struct{}{}
		}
		ls.open[l] = struct{}{}
		return l, nil
	}
}

// Close implements [net.Conn].
func (l *line) Close() error {
	l.of.mu.Lock()
	delete(l.of.open, l)
	l.of.mu.Unlock()
	return l.Conn.Close()
}

// hangUp ends all connections.
func (ls *lines) hangUp() {
	ls.mu.Lock()
	open := ls.open
	ls.open = nil
	ls.mu.Unlock()
	for l := range open {
		_ = l.Conn.Close() // it is given up anyway
	}
}
