package fakescim

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Server is a SCIM service. It is safe for concurrent use.
type Server struct {
	options   Options
	authority *authority // nil without TLS
	gate      *gate
	limits    *limiter
	cursors   *cursors
	journal   journal
	types     []*schema.Type
	dir       *directory.Directory
	gone      gone
	done      context.Context // ends when the server is closed
	end       context.CancelFunc
	front     *Door

	mu    sync.Mutex
	doors []*Door
}

// New starts a server.
func New(o Options) (*Server, error) {
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	o.BasePath = cmp.Or(o.BasePath, "/scim/v2")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Profile == nil {
		p, err := scim.LoadProfile("")
		if err != nil {
			return nil, err
		}
		o.Profile = p
	}
	types, err := o.types()
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		if t.Name == "User" {
			dialectAttributes(o.Profile, t)
		}
	}
	s := &Server{options: o, gate: newGate(o), types: types, dir: directory.New(types, o.Now, o.Unique)}
	s.limits = newLimiter(o.Profile, o.Now)
	s.cursors = newCursors(o.Now)
	s.done, s.end = context.WithCancel(context.Background())
	if !o.PlainHTTP {
		if s.authority, err = newAuthority(); err != nil {
			return nil, err
		}
	}
	s.front, err = s.open(o.Addr)
	return s, err
}

// URL returns the address of the service, such as https://127.0.0.1:41234/scim/v2.
func (s *Server) URL() string { return s.front.URL() }

// TokenURL returns the address that gives tokens to [Options.Client].
func (s *Server) TokenURL() string { return s.front.origin() + tokenPath }

// Arm makes something go wrong at [Server.URL] from now on. The function that it
// returns ends it.
func (s *Server) Arm(f Fault) (disarm func()) { return s.front.Arm(f) }

// Disarm ends all faults at [Server.URL].
func (s *Server) Disarm() { s.front.Disarm() }

// Close ends the server and every connection to it.
func (s *Server) Close() error {
	s.end()
	s.mu.Lock()
	doors := s.doors
	s.doors = nil
	s.mu.Unlock()
	for _, d := range doors {
		d.Close()
	}
	return nil
}

const tokenPath = "/oauth/token"

// serve answers a request that has been read and let in.
func (s *Server) serve(q *request) *reply {
	rep, err := s.route(q)
	if err != nil {
		return refusal(err)
	}
	return rep
}

// refusal is the answer to a request that was refused.
func refusal(err error) *reply {
	e, ok := err.(*schema.Error)
	if !ok {
		e = schema.Refused(http.StatusInternalServerError, "%v", err)
	}
	return answer(e.Status, errorBody(e))
}

func itoa(n int) string { return strconv.Itoa(n) }
