package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/provhub/provhub/core/dispatch"
	"github.com/provhub/provhub/core/hub"
)

// settleAfter is how long what a node before us has sent is left alone: until then a
// node that was cut off has certainly ended its calls. It notices within four
// seconds that it was cut off, and gives its calls up at once.
const settleAfter = 8 * time.Second

// idle is how often a sender looks for work by itself; the bell tells it earlier.
const idle = 10 * time.Second

// sender sends the operations of one connector.
type sender struct {
	t     *term
	name  string
	stop  context.CancelFunc
	bell  chan struct{}
	ended chan struct{}

	mu         sync.Mutex
	dispatcher *dispatch.Dispatcher // nil: its plugin does not run yet
	problem    error                // why it sends nothing now; nil: it does
}

// ring tells the sender that there may be work. It does not wait.
func (s *sender) ring() {
	s.mu.Lock()
	d := s.dispatcher
	s.mu.Unlock()
	if d != nil {
		d.Wake()
		return
	}
	select {
	case s.bell <- struct{}{}:
	default: // it rings already
	}
}

// run sends until ctx ends. Its plugin is started when there is something to send,
// and what fails is tried again.
func (s *sender) run(ctx context.Context) {
	pause := newPause()
	for ctx.Err() == nil {
		err := s.work(ctx, pause)
		s.set(nil, err)
		if err == nil || ctx.Err() != nil {
			continue
		}
		s.t.n.log.Error("nothing is sent to a connector for now", "connector", s.name, "error", err)
		wait(ctx, pause.next())
	}
}

// work takes back what a node before this one left, waits for work and sends.
func (s *sender) work(ctx context.Context, p pause) error {
	h := s.t.n.Hub()
	after := settleAfter
	if s.t.role.Alone() {
		after = 0 // whoever was here before is dead
	}
	if err := h.Recover(ctx, s.name, after); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.bell:
	}
	d, err := h.Dispatcher(ctx, s.name, hub.DispatchOptions{Calls: s.t.calls, Idle: idle})
	if err != nil {
		s.ring() // there is work still
		return err
	}
	p.over()
	s.set(d, nil)
	return d.Run(ctx)
}

func (s *sender) set(d *dispatch.Dispatcher, problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatcher, s.problem = d, problem
}

// trouble is why it sends nothing now; nil: nothing speaks against it.
func (s *sender) trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}
