package sdk

import (
	"sync"

	"google.golang.org/grpc"

	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// maxEvents bounds the notices kept while no hub listens. A secret that the
// target replaced is worth keeping, but only the latest ones can still matter.
const maxEvents = 256

// events holds notices for the hub until it opens the Events stream. A notice
// goes to one listener; when sending fails it is kept for the next.
type events struct {
	mu      sync.Mutex
	waiting []*pb.EventsResponse
	wake    chan struct{}
}

func newEvents() *events { return &events{wake: make(chan struct{}, 1)} }

func (e *events) publish(ev *pb.EventsResponse) {
	e.mu.Lock()
	e.waiting = append(e.waiting, ev)
	if over := len(e.waiting) - maxEvents; over > 0 {
		e.waiting = e.waiting[over:]
	}
	e.mu.Unlock()
	e.signal()
}

func (e *events) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *events) next() *pb.EventsResponse {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) == 0 {
		return nil
	}
	ev := e.waiting[0]
	e.waiting = e.waiting[1:]
	return ev
}

func (e *events) putBack(ev *pb.EventsResponse) {
	e.mu.Lock()
	e.waiting = append([]*pb.EventsResponse{ev}, e.waiting...)
	e.mu.Unlock()
	e.signal()
}

// Events streams notices until the hub closes it.
func (s *server) Events(_ *pb.EventsRequest, stream grpc.ServerStreamingServer[pb.EventsResponse]) error {
	for {
		for ev := s.events.next(); ev != nil; ev = s.events.next() {
			if err := stream.Send(ev); err != nil {
				s.events.putBack(ev)
				return err
			}
		}
		select {
		case <-s.events.wake:
		case <-stream.Context().Done():
			return nil
		}
	}
}
