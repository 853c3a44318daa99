package fakescim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is what the log keeps of a request: no query, no body, no header.
type Request struct {
	Method string
	Path   string // below the base path; ids stay in it
	// Status of the answer; 0: there was none.
	Status int
	At     time.Time
}

// String returns "METHOD path status".
func (r Request) String() string { return r.Method + " " + r.Path + " " + itoa(r.Status) }

// Counts are what came since the server was started.
type Counts struct {
	Connections int
	Logins      int // tokens given out
	Requests    int // without those for tokens
}

// journal notes requests.
type journal struct {
	mu     sync.Mutex
	all    []Request
	counts Counts
}

// maxLog bounds the log; the oldest requests go first.
const maxLog = 100_000

func (j *journal) note(r *http.Request, path string, status int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts.Requests++
	if len(j.all) >= 2*maxLog {
		j.all = slices.Clone(j.all[maxLog:])
	}
	j.all = append(j.all, Request{r.Method, path, status, time.Now()})
}

func (j *journal) connected() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts.Connections++
}

func (j *journal) login(granted bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if granted {
		j.counts.Logins++
	}
}

// Log returns the requests that came, oldest first.
func (s *Server) Log() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return slices.Clone(s.journal.all)
}

// ResetLog forgets the requests that came; the counts go on.
func (s *Server) ResetLog() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.all = nil
}

// Count counts the requests in the log with this method whose path begins so;
// "" stands for any.
func (s *Server) Count(method, path string) int {
	n := 0
	for _, r := range s.Log() {
		if (method == "" || r.Method == method) && strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

// Counts returns what came since the server was started.
func (s *Server) Counts() Counts {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.counts
}
