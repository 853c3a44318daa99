package sdk

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// actions keeps one instance to one action at a time.
type actions struct {
	draining *atomic.Bool // of the process: none begins any more

	mu      sync.Mutex
	id      string // of the one under way
	running chan struct{}
	cancel  context.CancelFunc
	stopped bool
}

// begin takes the place of the action called id; end gives it back. cancel stops it.
func (as *actions) begin(id string, cancel context.CancelFunc) (*action, *connector.Error) {
	as.mu.Lock()
	defer as.mu.Unlock()
	switch {
	case as.stopped:
		return nil, errReleasedBefore
	case as.draining.Load():
		return nil, errDraining
	case as.running != nil:
		return nil, errActionRuns(as.id)
	}
	as.id, as.cancel, as.running = id, cancel, make(chan struct{})
	return &action{wake: make(chan struct{}, 1), ended: make(chan struct{})}, nil
}

func (as *actions) end() {
	as.mu.Lock()
	defer as.mu.Unlock()
	close(as.running)
	as.running, as.cancel = nil, nil
}

// settle waits for the action under way; when ctx ends it is asked to stop, and
// its id is returned.
func (as *actions) settle(ctx context.Context) (unanswered []string) {
	as.mu.Lock()
	running, id, cancel := as.running, as.id, as.cancel
	as.mu.Unlock()
	if running == nil {
		return nil
	}
	select {
	case <-running:
		return nil
	case <-ctx.Done():
		cancel()
		return []string{id}
	}
}

// stop lets no more begin and asks the one under way to end.
func (as *actions) stop() {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.stopped = true
	if as.cancel != nil {
		as.cancel()
	}
}

// action is one use of an action. What it reports waits here for the stream, so
// that a slow hub holds up no connector; of several reports the last counts.
type action struct {
	mu     sync.Mutex
	latest *connector.Progress
	wake   chan struct{}

	last  *pb.InvokeResponse // set before ended is closed
	ended chan struct{}
}

// progress is what the connector calls.
func (a *action) progress(p connector.Progress) {
	a.mu.Lock()
	a.latest = &p
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *action) finish(m *pb.InvokeResponse) {
	a.last = m
	close(a.ended)
}

func (a *action) take() *connector.Progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.latest
	a.latest = nil
	return p
}

// report sends the progress of an action and how it ended. When ctx ends first,
// the connector has a moment to come back.
func (a *action) report(ctx context.Context, in *instance, stream grpc.ServerStreamingServer[pb.InvokeResponse]) error {
	for under := true; under; {
		select {
		case <-a.wake:
		case <-a.ended:
			under = false
		case <-ctx.Done():
			a.await(answerGrace)
			under = false
		}
		if p := a.take(); p != nil {
			p.Message = in.red.Text(p.Message)
			if err := stream.Send(protocol.ToProtoProgress(*p)); err != nil {
				return err
			}
		}
	}
	select {
	case <-a.ended:
		return stream.Send(a.last)
	default:
		return stream.Send(failedAction(errActionTimeout))
	}
}

func (a *action) await(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-a.ended:
	case <-t.C:
	}
}
