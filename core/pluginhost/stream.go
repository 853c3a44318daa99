package pluginhost

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/redact"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// streamOptions are what a stream needs of its instance.
type streamOptions struct {
	instance    string
	window      int // operations sent and not answered
	inFlight    int // operations the plugin works on at once
	answerGrace time.Duration
	cancelGrace time.Duration
	redact      *redact.Redactor
	log         *slog.Logger
	suspects    *suspects
	throttled   func(until time.Time)
	tracer      tracer
}

// stream is the one Apply stream to a process. Many goroutines submit; one
// sends, packing what has gathered into batches; one receives. An operation is
// answered to its caller exactly once: by the plugin, or as unknown when its
// time is up or the stream ends.
type stream struct {
	streamOptions
	rpc    grpc.BidiStreamingClient[pluginv1.ApplyRequest, pluginv1.ApplyResponse]
	ctx    context.Context // ends with the stream
	cancel context.CancelFunc
	wake   chan struct{} // something may be sendable
	ended  chan struct{} // closed once err is set
	stuck  chan string   // why the process should be replaced
	loops  sync.WaitGroup

	mu      sync.Mutex
	queue   []*unit
	waiting map[string]struct{} // ids in queue
	cancels []string            // ids to cancel
	pending map[string]*pending // sent and not answered by the plugin, by id
	alone   *unit               // a suspect under way: nothing else is sent
	closing bool                // takes nothing new
	err     error               // why it ended
	inDoubt []string            // ids unanswered at the end
	// unitsInDoubt is how many units they belong to.
	unitsInDoubt int
	throttle     time.Time
	heard        time.Time // last result
	recent       recent
	defects      int
}

// pending is an operation that the plugin has not answered.
type pending struct {
	unit *unit
	k    int // in unit.ops
	// abandoned is when its caller was told "unknown"; a later answer is dropped.
	abandoned time.Time
}

func openStream(ctx context.Context, client pluginv1.ConnectorServiceClient, o streamOptions) (*stream, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	rpc, err := client.Apply(ctx)
	if err == nil {
		err = rpc.Send(&pluginv1.ApplyRequest{Message: &pluginv1.ApplyRequest_Open{Open: &pluginv1.ApplyOpen{InstanceId: o.instance}}})
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open the stream of operations: %w", err)
	}
	s := &stream{
		streamOptions: o, rpc: rpc, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1), ended: make(chan struct{}),
		stuck: make(chan string, 1), waiting: map[string]struct{}{}, pending: map[string]*pending{}, heard: time.Now(),
	}
	s.loops.Go(s.send)
	s.loops.Go(s.receive)
	s.loops.Go(s.clock)
	return s, nil
}

// do submits a call and waits until each of its operations is answered. When
// ctx ends, what was not sent is taken back and the rest is cancelled.
func (s *stream) do(ctx context.Context, c *call) {
	s.submit(c)
	select {
	case <-c.done:
	case <-ctx.Done():
		s.giveUp(c)
		<-c.done
	}
}

// nudge lets the sender look again.
func (s *stream) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// giveUp is for a caller that does not want to wait: units that were not sent
// are taken back, operations that were are cancelled and get a short while.
func (s *stream) giveUp(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.queue[:0]
	for _, u := range s.queue {
		if u.call != c {
			kept = append(kept, u)
			continue
		}
		s.dequeue(u)
		s.forget(u)
		u.answerAll(connector.OutcomeCancelled, *connector.Errorf(connector.CodeUnavailable, "it was taken back before it was sent"))
	}
	clear(s.queue[len(kept):])
	s.queue = kept
	soon := time.Now().Add(s.cancelGrace)
	for id, p := range s.pending {
		if p.unit.call == c && p.abandoned.IsZero() {
			s.cancels = append(s.cancels, id)
			if p.unit.deadline.After(soon) {
				p.unit.deadline = soon
			}
		}
	}
	s.nudge()
}

// forget drops what is known of a unit's secrets.
func (s *stream) forget(u *unit) {
	s.redact.Release(u.secrets...)
	u.secrets = nil
}

// fail ends the stream: what was sent is unknown, what was not has failed.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	units := map[*unit]struct{}{}
	for id, p := range s.pending {
		units[p.unit] = struct{}{}
		s.inDoubt = append(s.inDoubt, id)
		if p.abandoned.IsZero() {
			p.unit.answer(p.k, doubt(connector.CodeUnavailable, "the plugin stopped before it answered"))
		}
		s.forget(p.unit)
	}
	clear(s.pending)
	s.unitsInDoubt = len(units)
	s.failQueue(*unavailable("the plugin of %s stopped; it was not sent", s.instance))
	s.cancel()
	close(s.ended)
}

func (s *stream) failQueue(e connector.Error) {
	for _, u := range s.queue {
		s.forget(u)
		u.answerAll(connector.OutcomeFailed, e)
	}
	s.queue = nil
	clear(s.waiting)
}

func doubt(code connector.Code, why string) connector.Result {
	return connector.Result{Outcome: connector.OutcomeUnknown,
		Err: connector.Errorf(code, "%s; whether it took effect is not known", why)}
}

// close takes nothing new from now on.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	s.failQueue(*unavailable("the plugin of %s is stopping; it was not sent", s.instance))
}

// idle reports whether nothing is under way.
func (s *stream) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) == 0 && len(s.queue) == 0
}
