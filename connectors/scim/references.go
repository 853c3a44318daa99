package scim

import (
	"context"
	"sync"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// seen remembers which resources were there a short while ago, by id.
type seen struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// seenTTL and seenMax bound what is remembered: managers are few, and each is
// named by many.
const (
	seenTTL = 5 * time.Minute
	seenMax = 10_000
)

func (s *seen) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.until[id])
}

func (s *seen) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil || len(s.until) >= seenMax {
		s.until = map[string]time.Time{}
	}
	s.until[id] = time.Now().Add(seenTTL)
}

func (s *seen) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.until, id)
}

// resolves returns DEPENDENCY_MISSING when a value refers to what is not in the
// target. Most services take any text for a manager's id (RFC 7643 §4.3), which
// would leave the account with a manager who does not exist.
func (t *Target) resolves(ctx context.Context, s *service, m *model, a attribute, values connector.Values) error {
	if a.Type != connector.TypeReference || s.Profile().DisabledVisible == client.DisabledHidden {
		return nil
	}
	to, err := m.typeOf(a.RefersTo)
	if err != nil {
		return err
	}
	for _, v := range values {
		ref, ok := v.(connector.Ref)
		if !ok || ref.ID == "" || t.seen.has(ref.ID) {
			continue
		}
		_, err := s.Client.Get(ctx, to.resource, ref.ID, to.selection([]string{}))
		if connector.IsCode(err, connector.CodeNotFound) {
			return a.missing()
		}
		if err != nil {
			return err
		}
		t.seen.add(ref.ID)
	}
	return nil
}

// missing says that what the attribute refers to is not there.
func (a *attribute) missing() error {
	return &connector.Error{Code: connector.CodeDependencyMissing, Attributes: []string{a.Name},
		Message: "what " + a.Name + " refers to is not in the target"}
}
