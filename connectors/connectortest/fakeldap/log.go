package fakeldap

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Request is one line of the request log. It holds no passwords and no values
// that were written.
type Request struct {
	At   time.Time
	Conn int    // numbers the connections from 1
	ID   int64  // messageID
	Op   Op     //
	DN   string // as the client wrote it; a search's base
	// Detail: a search's scope, filter and attributes; the attributes that a
	// write names; the name of an extended operation.
	Detail   string
	Controls []string // OIDs
	Code     int      // of the answer; -1: none was sent
	Took     time.Duration
}

// Stats are counts since the start or the last [Server.ResetStats].
type Stats struct {
	Connections int // accepted
	Open        int // of them, still open
	Handshakes  int // TLS
	Binds       int // tried; unbinds do not count
	BindsFailed int
	Entries     int        // returned by searches
	Ops         map[Op]int // requests, by operation
}

// logLength is how many requests are kept.
const logLength = 20_000

// requestLog is a ring of the last requests, and the counters.
type requestLog struct {
	mu    sync.Mutex
	ring  []Request
	start int
	stats Stats
	conns int
}

func (l *requestLog) count(f func(*Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.stats)
}

func (l *requestLog) nextConn() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns++
	return l.conns
}

func (l *requestLog) put(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < logLength {
		l.ring = append(l.ring, r)
		return
	}
	l.ring[l.start] = r
	l.start = (l.start + 1) % logLength
}

// Requests returns the last requests that ended, oldest first, at most 20,000.
func (s *Server) Requests() []Request {
	l := &s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.ring[l.start:], l.ring[:l.start])
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	st := s.log.stats
	st.Ops = maps.Clone(st.Ops)
	return st
}

// ResetStats sets the counters to zero, [Stats.Open] excepted, and forgets the
// requests.
func (s *Server) ResetStats() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.stats = Stats{Open: s.log.stats.Open}
	s.log.ring, s.log.start = nil, 0
}
