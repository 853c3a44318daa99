package pluginhost

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// submit puts a call's units into the queue, or answers them at once.
func (s *stream) submit(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range c.units {
		if e := s.refusal(u); e != nil {
			u.answerAll(connector.OutcomeFailed, *e)
			continue
		}
		s.enqueue(u)
	}
	s.nudge()
}

func (s *stream) enqueue(u *unit) {
	s.redact.Hold(u.secrets...)
	for _, op := range u.ops {
		s.waiting[op.GetOperationId()] = struct{}{}
	}
	s.queue = append(s.queue, u)
}

// dequeue forgets that u waits; the caller takes it from the queue.
func (s *stream) dequeue(u *unit) {
	for _, op := range u.ops {
		delete(s.waiting, op.GetOperationId())
	}
}

// refusal says why u is not taken; nothing of it is sent then.
func (s *stream) refusal(u *unit) *connector.Error {
	switch {
	case s.err != nil || s.closing:
		return unavailable("the plugin of %s is not running", s.instance)
	case time.Now().Before(s.throttle):
		return s.throttleError()
	}
	seen := map[string]bool{}
	for _, op := range u.ops {
		id := op.GetOperationId()
		p, sent := s.pending[id]
		_, waits := s.waiting[id]
		switch {
		case sent && !p.abandoned.IsZero():
			return connector.Errorf(connector.CodeBusy, "the plugin has not answered an earlier attempt of this operation yet")
		case sent, waits, seen[id]:
			return connector.Errorf(connector.CodeInternal, "operation %s is under way already", id)
		case s.suspects.poison(id):
			return connector.Errorf(connector.CodeInternal, "the plugin died %d times while this operation alone was under way; it was not sent again", poisonAt)
		}
		seen[id] = true
	}
	return nil
}

func unavailable(format string, args ...any) *connector.Error {
	e := connector.Errorf(connector.CodeUnavailable, format, args...)
	e.Scope = connector.ScopeInstance
	return e
}
