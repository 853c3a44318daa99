package connectortest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/provhub/provhub/connectors/connector"
)

// maxTrace bounds how much of a check's story is told.
const maxTrace = 24

// story is what happened in a check, in all its instances: operations, their
// results and faults, in order.
type story struct {
	mu      sync.Mutex
	lines   []string
	untried []string
}

func (s *story) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines = append(s.lines, line); len(s.lines) > 2*maxTrace {
		s.lines = slices.Clone(s.lines[maxTrace:])
	}
}

// last returns the end of the story.
func (s *story) last() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines[max(0, len(s.lines)-maxTrace):])
}

// tell adds a line to the story of the check.
func (e *Env) tell(format string, args ...any) { e.story.add(e.voice() + fmt.Sprintf(format, args...)) }

// voice names the instance that a line of the story is of; "" for the first.
func (e *Env) voice() string {
	if e.name == "" {
		return ""
	}
	return "[" + e.name + "] "
}

// note tells of an operation and its result.
func (e *Env) note(op connector.Operation, r connector.Result) {
	result := string(r.Outcome)
	if result == "" {
		result = "(no answer)"
	}
	if r.Err != nil {
		result += ": " + r.Err.Error()
	}
	e.tell("%s %s → %s", op.Verb(), describe(op), result)
}

// leftOut notes a part of the check that was not tried, and why: a check that
// passes must not look like more than it is.
func (e *Env) leftOut(format string, args ...any) {
	e.story.mu.Lock()
	defer e.story.mu.Unlock()
	if line := fmt.Sprintf(format, args...); !slices.Contains(e.story.untried, line) {
		e.story.untried = append(e.story.untried, line)
	}
}

// notTried returns the parts that were left out.
func (e *Env) notTried() []string {
	e.story.mu.Lock()
	defer e.story.mu.Unlock()
	return slices.Clone(e.story.untried)
}
