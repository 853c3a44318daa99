package memory

import (
	"context"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// later makes a continuation: it says when the answer will be there.
func later(at time.Time) []byte { return []byte(at.UTC().Format(time.RFC3339Nano)) }

// Poll implements [connector.Poller].
func (t *Target) Poll(_ context.Context, p connector.Poll) error {
	if err := t.login(); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, string(p.Continuation))
	if err != nil {
		return connector.Errorf(connector.CodeInvalidValue, "the continuation is not one of this target")
	}
	if wait := time.Until(at); wait > 0 {
		return connector.Pending(p.Continuation, wait)
	}
	return nil
}
