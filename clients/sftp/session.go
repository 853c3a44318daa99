package sftp

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// session is one connection with its SFTP subsystem.
type session struct {
	ssh       *ssh.Client
	closeJump func()
	*sftp.Client

	answered atomic.Int64 // bytes that the subsystem has sent
	done     chan struct{}
	end      sync.Once
	why      error // with done closed: why we ended it; nil: the other side did
}

func newSession(ctx context.Context, c Config) (*session, error) {
	client, closeJump, err := dial(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &session{ssh: client, closeJump: closeJump, done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.close(ctx.Err()) })
	defer stop()
	if err := s.open(); err != nil {
		s.close(nil)
		return nil, subsystemError(ctx, c.Addr, err)
	}
	go s.watch(c.KeepAlive)
	return s, nil
}

// open starts the SFTP subsystem.
func (s *session) open() error {
	ch, err := s.ssh.NewSession()
	if err != nil {
		return err
	}
	in, err := ch.StdinPipe()
	if err != nil {
		return err
	}
	out, err := ch.StdoutPipe()
	if err != nil {
		return err
	}
	if err := ch.RequestSubsystem("sftp"); err != nil {
		return err
	}
	s.Client, err = sftp.NewClientPipe(counted{out, &s.answered}, in, sftp.MaxConcurrentRequestsPerFile(inFlight))
	return err
}

// inFlight is how many requests of one transfer are under way at once, as with
// OpenSSH's own client.
const inFlight = 64

// counted counts what is read.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// close ends the connection; why is told to calls that it breaks.
func (s *session) close(why error) {
	s.end.Do(func() {
		s.why = why
		close(s.done)
		// The connection first: a polite end of the subsystem waits for a server
		// that may have stopped answering.
		_ = s.ssh.Close()
		s.closeJump()
	})
}

// alive reports whether the connection can be used.
func (s *session) alive() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

var (
	errSilent  = errors.New("the server does not answer the keep-alive")
	errStalled = errors.New("the server answers nothing any more")
)

// watch notices the end of the connection, and a server that is gone without
// saying so.
func (s *session) watch(every time.Duration) {
	ended := make(chan struct{})
	go func() { _ = s.ssh.Wait(); close(ended) }()
	if every < 0 {
		<-ended
		s.close(nil)
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			s.close(nil)
			return
		case <-tick.C:
			late := time.AfterFunc(2*every, func() { s.close(errSilent) })
			_, _, err := s.ssh.SendRequest("keepalive@openssh.com", true, nil)
			late.Stop()
			if err != nil {
				s.close(nil)
			}
		}
	}
}

// during runs one call. The end of ctx, or a server that answers nothing for as
// long as stall, ends the connection and with it the call.
func (s *session) during(ctx context.Context, stall time.Duration, call func() error) error {
	stop := context.AfterFunc(ctx, func() { s.close(ctx.Err()) })
	defer stop()
	over := make(chan struct{})
	defer close(over)
	go s.guard(stall, over)
	err := call()
	if err != nil && ctx.Err() == nil && !s.alive() && s.why != nil {
		return s.why
	}
	return err
}

// guard ends a connection on which nothing is answered until over.
func (s *session) guard(stall time.Duration, over <-chan struct{}) {
	tick := time.NewTicker(stall)
	defer tick.Stop()
	for last := s.answered.Load(); ; {
		select {
		case <-over:
			return
		case <-s.done:
			return
		case <-tick.C:
			now := s.answered.Load()
			if now == last {
				s.close(errStalled)
			}
			last = now
		}
	}
}
