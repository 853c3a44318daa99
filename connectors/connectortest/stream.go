package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// stream is one Apply stream, as the hub holds it. It counts what comes back.
type stream struct {
	client grpc.BidiStreamingClient[pluginv1.ApplyRequest, pluginv1.ApplyResponse]
	close  context.CancelFunc
	ended  chan struct{} // closed when nothing more comes

	mu      sync.Mutex
	results map[string]connector.Result // the first answer to each operation
	order   []string                    // ids as they were answered
	asked   map[string]bool
	waiting map[string]chan struct{}
	extra   []string // answers nobody asked for, and second ones
	err     error    // why it ended; nil: as it should
}

// openStream opens the write path of an instance.
func openStream(ctx context.Context, rpc pluginv1.ConnectorServiceClient, instance string) (*stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	client, err := rpc.Apply(ctx)
	if err == nil {
		err = client.Send(&pluginv1.ApplyRequest{Message: &pluginv1.ApplyRequest_Open{Open: &pluginv1.ApplyOpen{InstanceId: instance}}})
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open the Apply stream: %w", err)
	}
	s := &stream{client: client, close: cancel, ended: make(chan struct{}),
		results: map[string]connector.Result{}, asked: map[string]bool{}, waiting: map[string]chan struct{}{}}
	go s.receive()
	return s, nil
}

func (s *stream) receive() {
	defer close(s.ended)
	for {
		m, err := s.client.Recv()
		if err != nil {
			s.mu.Lock()
			if !errors.Is(err, io.EOF) {
				s.err = err
			}
			s.mu.Unlock()
			return
		}
		for _, p := range m.GetBatch().GetResults() {
			s.answer(protocol.FromProtoResult(p))
		}
	}
}

func (s *stream) answer(r connector.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.results[r.ID]; twice || !s.asked[r.ID] {
		s.extra = append(s.extra, r.ID)
		return
	}
	s.results[r.ID] = r
	s.order = append(s.order, r.ID)
	if w := s.waiting[r.ID]; w != nil {
		close(w)
	}
}

// send sends operations in one message.
func (s *stream) send(ops ...connector.Operation) error {
	batch := &pluginv1.OperationBatch{}
	s.mu.Lock()
	for _, op := range ops {
		p, err := protocol.ToProtoOperation(op)
		if err != nil {
			s.mu.Unlock()
			return err
		}
		batch.Operations = append(batch.Operations, p)
		s.asked[op.Meta().ID] = true
		s.waiting[op.Meta().ID] = make(chan struct{})
	}
	s.mu.Unlock()
	err := s.client.Send(&pluginv1.ApplyRequest{Message: &pluginv1.ApplyRequest_Batch{Batch: batch}})
	if err != nil {
		return fmt.Errorf("send on the Apply stream: %w", err)
	}
	return nil
}

// cancel asks for an operation to be given up.
func (s *stream) cancel(id string) error {
	return s.client.Send(&pluginv1.ApplyRequest{Message: &pluginv1.ApplyRequest_Cancel{Cancel: &pluginv1.Cancel{OperationId: id}}})
}

// wait returns the answer to an operation that was sent.
func (s *stream) wait(ctx context.Context, id string) (connector.Result, error) {
	s.mu.Lock()
	w := s.waiting[id]
	s.mu.Unlock()
	select {
	case <-w:
	case <-s.ended:
		// The answer may have come just before the end.
		select {
		case <-w:
		default:
			return connector.Result{}, fmt.Errorf("the Apply stream ended and operation %s was not answered: %w", id, s.cause())
		}
	case <-ctx.Done():
		return connector.Result{}, fmt.Errorf("operation %s was not answered: %w", id, ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.results[id], nil
}

func (s *stream) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return io.EOF
}

// halfClose says that nothing more is sent, and waits for the end.
func (s *stream) halfClose(limit time.Duration) error {
	if err := s.client.CloseSend(); err != nil {
		return err
	}
	select {
	case <-s.ended:
	case <-time.After(limit):
		return fmt.Errorf("the stream did not end within %v of the half-close", limit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// answered returns ids in the order of their answers, those in ids only.
func (s *stream) answered(ids []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, id := range s.order {
		if slices.Contains(ids, id) {
			out = append(out, id)
		}
	}
	return out
}

// count returns how many operations were answered.
func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.order)
}

// made returns the objects of a type that the answers name.
func (s *stream) made(typ string) []connector.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refs []connector.Ref
	for _, r := range s.results {
		if r.Object != nil && r.Object.Ref.ID != "" {
			refs = append(refs, connector.Ref{Type: typ, ID: r.Object.Ref.ID})
		}
	}
	return refs
}

// surplus returns answers that nobody waited for.
func (s *stream) surplus() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.extra)
}
