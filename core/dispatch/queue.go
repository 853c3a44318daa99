package dispatch

import (
	"context"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Queue is where operations wait and their outcomes are recorded; [*store.Org]
// is one. Its methods promise there what they are used for here.
type Queue interface {
	// Take takes operations that are due and commits that they are about to be
	// sent: by lane, then in order; never one whose account has another operation
	// under way.
	Take(ctx context.Context, connector, owner string, n int, now time.Time, ttl time.Duration) ([]store.OpRow, error)
	// Finish records outcomes, accounts and audit in one transaction, and returns
	// the ids of those whose lease was lost, of which nothing is recorded.
	Finish(ctx context.Context, fs []store.Finish) (fenced []string, err error)
	// Unknown leases operations in doubt that are due. They stay unknown until they
	// are finished.
	Unknown(ctx context.Context, connector, owner string, n int, now time.Time, ttl time.Duration) ([]store.OpRow, error)
	// Accepted leases operations that the target works on and is to be asked after by
	// due. They stay unknown until they are finished.
	Accepted(ctx context.Context, connector, owner string, n int, due, now time.Time, ttl time.Duration) ([]store.OpRow, error)
	// GiveBack gives back what was leased until a time, besides the operations in keep.
	GiveBack(ctx context.Context, connector, owner string, until time.Time, keep []string, now time.Time) (n int, err error)
	// DueAt returns when something can be leased next, the zero time when nothing is
	// waiting.
	DueAt(ctx context.Context, connector string) (at time.Time, err error)
	// ReadyBefore reports whether something can be leased that goes before lane.
	ReadyBefore(ctx context.Context, connector string, lane plan.Lane, now time.Time) (bool, error)
	// EndDrain pauses the connector when it is being drained and that is through.
	EndDrain(ctx context.Context, connector string, now time.Time) (done bool, err error)
	// WakeDependents makes operations due that wait for something to be made: those
	// named, or all for nil.
	WakeDependents(ctx context.Context, connector string, ids []string, now time.Time) (n int, err error)
	// ConnectorAccounts returns what the ledger has of one connector, by account.
	ConnectorAccounts(ctx context.Context, connector string, keys []identity.Key) (map[identity.AccountKey]identity.Account, error)
	ConnectorState(ctx context.Context, name string) (store.ConnectorState, error)
	SetConnectorState(ctx context.Context, s store.ConnectorState, actor string, now time.Time) error
}

// Target is the connector that operations are sent to, such as a plugin process.
// Its methods are called by many goroutines at once.
type Target interface {
	Capabilities() connector.Capabilities
	Schema() connector.Schema
	// Apply carries out operations that stand alone, or all of one group, and
	// returns one result for each when all are answered.
	Apply(ctx context.Context, ops []connector.Operation) []connector.Result
	// Get reads one object; the error is a [*connector.Error].
	Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error)
}

// Waiter is implemented by a target whose process may be away for a moment.
type Waiter interface {
	// WaitReady returns nil as soon as calls can be made.
	WaitReady(ctx context.Context) error
}
