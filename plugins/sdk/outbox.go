package sdk

import (
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Bounds of one message of results: small enough to come soon, and to fit.
const (
	maxResults     = 512
	maxResultBytes = protocol.MaxMessageBytes / 2
)

// outbox collects the answers to one stream; whatever is there when the stream
// is free leaves in one message.
type outbox struct {
	mu       sync.Mutex
	results  []*pb.Result
	throttle *pb.Throttle
	pending  int  // accepted and not answered
	closing  bool // nothing more comes in
	gone     bool // nobody reads any more

	wake chan struct{}
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// expect says that one more answer will come.
func (o *outbox) expect() {
	o.mu.Lock()
	o.pending++
	o.mu.Unlock()
}

// put sends one expected answer.
func (o *outbox) put(r *pb.Result) {
	o.mu.Lock()
	o.pending--
	if !o.gone {
		o.results = append(o.results, r)
	}
	o.mu.Unlock()
	o.signal()
}

// hold asks the hub to send nothing more for a while.
func (o *outbox) hold(wait time.Duration) {
	o.mu.Lock()
	o.throttle = &pb.Throttle{RetryAfter: durationpb.New(wait)}
	o.mu.Unlock()
	o.signal()
}

// close says that no further operation comes in.
func (o *outbox) close() {
	o.mu.Lock()
	o.closing = true
	o.mu.Unlock()
	o.signal()
}

// leave says that nobody reads any more.
func (o *outbox) leave() {
	o.mu.Lock()
	o.gone, o.results = true, nil
	o.mu.Unlock()
}

func (o *outbox) isGone() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone
}

func (o *outbox) isClosing() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take returns what is there; done when nothing can come any more.
func (o *outbox) take() (results []*pb.Result, throttle *pb.Throttle, done bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	results, throttle = o.results, o.throttle
	o.results, o.throttle = nil, nil
	return results, throttle, o.closing && o.pending == 0
}

// run sends answers until all are sent after a half-close, or the stream breaks.
func (o *outbox) run(stream applyStream, received <-chan error) error {
	for {
		results, throttle, done := o.take()
		if throttle != nil {
			if err := stream.Send(&pb.ApplyResponse{Message: &pb.ApplyResponse_Throttle{Throttle: throttle}}); err != nil {
				return err
			}
		}
		if err := sendResults(stream, results); err != nil {
			return err
		}
		if done {
			return nil
		}
		select {
		case <-o.wake:
		case err := <-received:
			if err != nil {
				return err
			}
			received = nil // half-closed: go on until all is answered
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

func sendResults(stream applyStream, results []*pb.Result) error {
	for len(results) > 0 {
		n, size := 0, 0
		for n < len(results) && n < maxResults {
			fit(results[n])
			if size += proto.Size(results[n]); size > maxResultBytes && n > 0 {
				break
			}
			n++
		}
		batch := &pb.ResultBatch{Results: results[:n]}
		if err := stream.Send(&pb.ApplyResponse{Message: &pb.ApplyResponse_Batch{Batch: batch}}); err != nil {
			return err
		}
		results = results[n:]
	}
	return nil
}

// fit cuts a result that is too large for the wire down to what the hub needs:
// what happened, and to which object.
func fit(r *pb.Result) {
	if proto.Size(r) <= maxResultBytes {
		return
	}
	r.Preview, r.Spans = "", nil
	if r.Object != nil {
		r.Object = &pb.Object{Ref: r.Object.Ref, Enabled: r.Object.Enabled, Version: r.Object.Version}
	}
}
