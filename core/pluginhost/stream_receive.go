package pluginhost

import (
	"errors"
	"io"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// throttleMax bounds how long a plugin can make the hub wait with one message.
const throttleMax = 24 * time.Hour

var errStreamEnded = errors.New("the plugin ended the stream of operations")

// receive is the only goroutine that reads from the stream.
func (s *stream) receive() {
	for {
		m, err := s.rpc.Recv()
		if err == io.EOF {
			err = errStreamEnded
		}
		if err != nil {
			s.fail(err)
			return
		}
		switch x := m.GetMessage().(type) {
		case *pluginv1.ApplyResponse_Batch:
			s.deliver(x.Batch.GetResults())
		case *pluginv1.ApplyResponse_Throttle:
			s.hold(x.Throttle)
		default:
			s.defect("a message of a kind that is not known here", "")
		}
	}
}

func (s *stream) deliver(results []*pluginv1.Result) {
	for _, p := range results {
		// Converted outside the lock: it is most of the work.
		r := protocol.FromProtoResult(p)
		r.Err = s.redact.Error(r.Err)
		r.Preview = s.redact.Text(r.Preview)
		s.settle(r, p)
	}
	s.nudge()
}

// settle gives one answer, as it is on the wire too, to whoever waits for it.
func (s *stream) settle(r connector.Result, wire *pluginv1.Result) {
	s.mu.Lock()
	p, ok := s.pending[r.ID]
	if !ok {
		duplicate := s.recent.has(r.ID)
		s.mu.Unlock()
		if duplicate {
			s.defect("a second answer to one operation", r.ID)
		} else {
			s.defect("an answer to an operation that was not sent", r.ID)
		}
		return
	}
	delete(s.pending, r.ID)
	s.recent.add(r.ID)
	s.suspects.clear(r.ID)
	s.heard = time.Now()
	verb := p.unit.verbs[p.k]
	late := !p.abandoned.IsZero()
	s.tracer.result(p.unit.call.span, wire) // before the answer: then the trace may be over
	if !late {
		p.unit.answer(p.k, r)
	}
	s.finished(p.unit)
	s.mu.Unlock()
	switch {
	case late:
		s.log.Warn("the plugin answered after the time limit; the answer is dropped", ofStep(r.ID), "outcome", string(r.Outcome))
	case noID(verb, r):
		s.defect("a "+string(verb)+" answered without the object's id", r.ID)
	}
}

// finished lets go of a unit once all of it is answered.
func (s *stream) finished(u *unit) {
	for _, op := range u.ops {
		if p, ok := s.pending[op.GetOperationId()]; ok && p.unit == u {
			return
		}
	}
	s.forget(u)
	if s.alone == u {
		s.alone = nil
	}
}

// noID reports whether an answer lacks what must always be there.
func noID(v connector.Verb, r connector.Result) bool {
	return (v == connector.VerbCreate || v == connector.VerbRename) && r.Outcome.Done() && (r.Object == nil || r.Object.Ref.ID == "")
}

// defect counts a breach of the protocol.
func (s *stream) defect(what, id string) {
	s.mu.Lock()
	s.defects++
	n := s.defects
	s.mu.Unlock()
	if n <= 10 || n%1000 == 0 {
		s.log.Error("the plugin breaks the protocol: "+what, ofStep(clip(id, 64)), "defects", n)
	}
}

// hold makes the target's wish known: nothing more is sent until it is over.
// What waits is answered, so that its caller can decide.
func (s *stream) hold(t *pluginv1.Throttle) {
	wait := min(t.GetRetryAfter().AsDuration(), throttleMax)
	if wait <= 0 {
		return
	}
	s.mu.Lock()
	s.throttle = time.Now().Add(wait)
	until := s.throttle
	s.failQueue(*s.throttleError())
	s.mu.Unlock()
	s.log.Warn("the target asks to be left alone", "wait", wait.Round(time.Millisecond))
	s.throttled(until)
}

func (s *stream) throttleError() *connector.Error {
	e := connector.Errorf(connector.CodeRateLimited, "the target of %s asks to be left alone", s.instance)
	e.Scope, e.RetryAfter = connector.ScopeInstance, time.Until(s.throttle)
	return e
}

// clock looks once in a while for what was not answered in time.
func (s *stream) clock() {
	period := min(time.Second, s.cancelGrace/4, s.answerGrace/4)
	t := time.NewTicker(max(period, 10*time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-s.ended:
			return
		case now := <-t.C:
			s.expire(now)
		}
	}
}

// overdueFactor times cancelGrace is how long a cancelled operation may stay
// unanswered while others are answered.
const overdueFactor = 12

// expire answers what is overdue as unknown and cancels it. A plugin that does
// not answer even then, as every operation must be, is reported as stuck: at
// once when it answers nothing at all, after a while when it answers others.
func (s *stream) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, p := range s.pending {
		switch waited := now.Sub(p.abandoned); {
		case p.abandoned.IsZero() && now.After(p.unit.deadline):
			p.abandoned = now
			s.cancels = append(s.cancels, id)
			p.unit.answer(p.k, doubt(connector.CodeTimeout, "the plugin did not answer in time"))
			s.nudge()
		case p.abandoned.IsZero():
		case waited > s.cancelGrace && s.heard.Before(p.abandoned), waited > overdueFactor*s.cancelGrace:
			select {
			case s.stuck <- "does not answer operation " + id + ", not even its cancel":
			default:
			}
		}
	}
}
