package pluginhost

import (
	"io"
	"time"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Bounds of one batch, unless a single group is larger.
const (
	batchOps   = 256
	batchBytes = 1 << 20
)

// send is the only goroutine that writes to the stream.
func (s *stream) send() {
	for {
		select {
		case <-s.ended:
			return
		case <-s.wake:
		}
		for m := s.next(); m != nil; m = s.next() {
			if err := s.rpc.Send(m); err != nil {
				// io.EOF: the receiver gets the reason.
				if err != io.EOF {
					s.fail(err)
				}
				return
			}
		}
	}
}

// next returns what can be sent now: a cancel first, else a batch of as many
// waiting units as the window has room for; nil when there is nothing. From
// here on its operations count as sent.
func (s *stream) next() *pluginv1.ApplyRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil
	}
	if n := len(s.cancels); n > 0 {
		id := s.cancels[n-1]
		s.cancels = s.cancels[:n-1]
		return &pluginv1.ApplyRequest{Message: &pluginv1.ApplyRequest_Cancel{Cancel: &pluginv1.Cancel{OperationId: id}}}
	}
	batch, size := &pluginv1.OperationBatch{}, 0
	for len(s.queue) > 0 && s.fits(s.queue[0], len(batch.Operations), size) {
		u := s.queue[0]
		s.queue[0], s.queue = nil, s.queue[1:]
		s.dequeue(u)
		s.markSent(u)
		batch.Operations, size = append(batch.Operations, u.ops...), size+u.size
	}
	if len(batch.Operations) == 0 {
		return nil
	}
	return &pluginv1.ApplyRequest{Message: &pluginv1.ApplyRequest_Batch{Batch: batch}}
}

// fits reports whether u may go into a batch that holds ops operations of size
// bytes. The pending ones include those of the batch. A unit larger than the
// window goes when nothing else is under way, and so does a suspect.
func (s *stream) fits(u *unit, ops, size int) bool {
	switch {
	case s.alone != nil:
		return false
	case len(s.pending) == 0:
		return true
	case s.suspects.any(u):
		return false
	case ops > 0 && (ops+len(u.ops) > batchOps || size+u.size > batchBytes):
		return false
	}
	return len(s.pending)+len(u.ops) <= s.window
}

func (s *stream) markSent(u *unit) {
	if s.suspects.any(u) {
		s.alone = u
	}
	for k, op := range u.ops {
		s.pending[op.GetOperationId()] = &pending{unit: u, k: k}
	}
	// The plugin works on some of what is before u first, then on u's steps one
	// after the other. Counting that in keeps a slow target from looking dead.
	waves := time.Duration((len(s.pending) - 1) / max(1, s.inFlight))
	u.sent = true
	u.deadline = time.Now().Add(u.timeout + waves*u.timeout/time.Duration(len(u.ops)) + s.answerGrace)
}
