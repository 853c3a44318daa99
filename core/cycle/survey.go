package cycle

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Missed is one account that ledger and queue do not have as the rules and the source
// want it.
type Missed struct {
	identity.AccountKey
	// Operation is what would mend it; nil: see Withdraw and Fault.
	Operation *plan.Operation
	// Withdraw is an operation in the queue that is not wanted any more; "": none.
	Withdraw string
	// Fault says why it cannot be worked out, or not be done; nil: it can.
	Fault *plan.Note
	// Next: the next plan looks at it by itself.
	Next bool
}

// Surveyed says what a survey looked at.
type Surveyed struct {
	// Evaluated is how many accounts were worked out.
	Evaluated int
	// ReadAt is when the source was last read; zero: never.
	ReadAt time.Time
	// Rules names connectors whose rules are not those that were last applied.
	Rules []string
}

// Survey works out everybody of the source as last read, in every connector, and calls
// yield for what is not as it should be. It reads neither the source nor changes
// anything. Dates that have come meanwhile count, unless the clock cannot be trusted.
//
// Who was found is worked out a second time, with what the store holds then: what
// others did in the meantime is nothing that was missed.
func (c *Cycle) Survey(ctx context.Context, now time.Time, yield func(Missed) error) (Surveyed, error) {
	s := &survey{pass: &pass{Cycle: c, now: now}, yield: yield}
	s.pass.survey = s
	err := s.run(ctx)
	if err != nil {
		err = fmt.Errorf("source %s: %w", c.Source.Name, err)
	}
	return s.out, err
}

// survey is a pass that plans nothing.
type survey struct {
	*pass
	targets []*target
	// whole are the connectors in which the next plan looks at everyone.
	whole map[string]bool
	again bool // those who were found are worked out a second time
	found []Missed
	yield func(Missed) error
	out   Surveyed
}

func (s *survey) run(ctx context.Context) error {
	if err := s.recall(ctx); err != nil {
		return err
	}
	if s.out.ReadAt = s.last.ReadAt; s.out.ReadAt.IsZero() {
		return nil // nobody is known
	}
	s.report.Source = s.last.report.Source
	if s.trusted() {
		s.clock = s.later()
	}
	last, err := s.Store.Rules(ctx, s.Source.Name)
	if err != nil {
		return err
	}
	s.whole = map[string]bool{}
	for i := range s.Connectors {
		c := &s.Connectors[i]
		s.targets = append(s.targets, newTarget(s.pass, c))
		if last[c.Name] != c.RulesHash {
			s.out.Rules = append(s.out.Rules, c.Name)
		}
		s.whole[c.Name] = last[c.Name] != c.RulesHash || c.timed()
	}
	return s.work(ctx, s.targets, func(yield func(identity.Identity) error) error {
		return s.everyone(ctx, func(id identity.Identity) error {
			s.date(&id)
			return yield(id)
		})
	})
}

// date puts id into the state that its dates give it by now.
func (s *survey) date(id *identity.Identity) {
	if id.DueAt.IsZero() || id.DueAt.After(s.clock) || !id.AbsentSince.IsZero() {
		return
	}
	if state, due, err := s.Source.Lifecycle.State(id.Attributes, s.clock); err == nil {
		id.State, id.DueAt = state, due
	}
}

// take gathers what was found in one chunk, in one target.
func (s *survey) take(r *share) {
	if s.found = append(s.found, r.missed...); !s.again {
		s.out.Evaluated += r.evaluated
		s.report.Evaluated = s.out.Evaluated // for Progress
	}
}

// told ends a chunk: who was found is worked out again, and told if it is so still.
func (s *survey) told(ctx context.Context) error {
	if s.again || len(s.found) == 0 {
		return nil
	}
	keys := keysOf(s.found)
	s.found, s.again = nil, true
	err := s.work(ctx, s.targets, func(yield func(identity.Identity) error) error {
		return s.identities(ctx, keys, func(id identity.Identity) error {
			s.date(&id)
			return yield(id)
		})
	})
	found := s.found
	s.found, s.again = nil, false
	if err != nil || len(found) == 0 {
		return err
	}
	next, err := s.Store.PendingAmong(ctx, s.Source.Name, keys[0].Kind, anchorsOf(keys))
	if err != nil {
		return err
	}
	for _, m := range found {
		m.Next = next[m.Anchor] || s.whole[m.Connector] || m.Operation != nil && m.Operation.Cause == plan.CauseExpired
		if err := s.yield(m); err != nil {
			return err
		}
	}
	return nil
}

// keysOf are the identities of what was found, each once; they are of one kind.
func keysOf(found []Missed) (keys []identity.AccountKey) {
	seen := map[identity.Key]bool{}
	for _, m := range found {
		if k := m.Identity(); !seen[k] {
			seen[k] = true
			keys = append(keys, m.AccountKey)
		}
	}
	return keys
}

func anchorsOf(keys []identity.AccountKey) (anchors []string) {
	for _, k := range keys {
		anchors = append(anchors, k.Anchor)
	}
	return anchors
}

// miss notes what a step says of an account that is not as it should be.
func (s *share) miss(key identity.AccountKey, subject *plan.Subject, step plan.Step) {
	m := Missed{AccountKey: key, Operation: step.Operation, Withdraw: step.Withdraw}
	for i, n := range step.Notes {
		if m.Fault == nil && (n.Unsettled() || inUse(subject, n)) {
			m.Fault = &step.Notes[i]
		}
	}
	if m.Operation != nil || m.Withdraw != "" || m.Fault != nil {
		s.missed = append(s.missed, m)
	}
}

// inUse reports whether n says that the account of somebody who must not use it any more
// stays in use, because the target can do nothing about it.
func inUse(s *plan.Subject, n plan.Note) bool {
	return n.Code == plan.NoteUnable && (s.State == identity.Leaver || s.State == identity.Gone) && s.Have.Enabled != connector.IsDisabled
}
