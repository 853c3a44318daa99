package sdk

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

const (
	// defaultTimeout bounds an operation that names no limit of its own.
	defaultTimeout = 30 * time.Second
	// answerGrace is how long a connector may take to come back after its time
	// limit, before the engine answers in its place.
	answerGrace = 800 * time.Millisecond
	// batchWindow is how long a batch waits to become full.
	batchWindow = 20 * time.Millisecond
	// maxWaiting bounds the operations taken in and not started; beyond it the
	// engine stops reading, and the hub's sends block.
	maxWaiting = 4096
)

// engine carries out the operations of one instance, over any number of
// streams: a stream that breaks leaves calls behind which still hold their
// accounts.
type engine struct {
	in *instance

	mu   sync.Mutex
	room *sync.Cond // fewer than maxWaiting wait, or nobody needs to any more

	limit   int // calls under way at once
	batch   int // operations that one call of a Batcher likes to take
	timeout time.Duration
	pace    *rate.Limiter // nil: no limit

	open    map[opID]*unit     // accepted and not answered
	groups  map[opID]*unit     // waiting for the rest of their group
	keys    map[string][]*unit // by ordering key; the first is next or running
	ready   []*unit            // their turn has come
	waiting int                // operations not started
	running int                // calls under way
	stuck   int                // of these, overdue: the connector ignores its deadline

	pumpAt   *time.Timer  // set while a pump is due later
	draining *atomic.Bool // of the process; set at any time
	stopped  bool
	settled  []chan struct{} // closed when open becomes empty

	lastSuccess time.Time
	lastError   *connector.Error
}

// opID names an operation or a group of one stream.
type opID struct {
	out *outbox
	id  string
}

func newEngine(in *instance, draining *atomic.Bool) *engine {
	e := &engine{in: in, draining: draining, limit: 1, timeout: defaultTimeout,
		open: map[opID]*unit{}, groups: map[opID]*unit{}, keys: map[string][]*unit{}}
	e.room = sync.NewCond(&e.mu)
	return e
}

// limits are the bounds that the hub sets on top of the connector's own.
type limits struct {
	inFlight  int
	perSecond float64
	timeout   time.Duration
}

func limitsOf(p *pb.Limits) limits {
	return limits{inFlight: int(p.GetMaxInFlight()), perSecond: p.GetMaxOperationsPerSecond(), timeout: p.GetOperationTimeout().AsDuration()}
}

// configure adapts the engine to a target that was opened.
func (e *engine) configure(c connector.Capabilities, l limits) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.limit, e.batch, e.timeout, e.pace = max(1, c.MaxInFlight), c.PreferredBatch, defaultTimeout, nil
	if l.inFlight > 0 {
		e.limit = min(e.limit, l.inFlight)
	}
	if l.timeout > 0 {
		e.timeout = l.timeout
	}
	if l.perSecond > 0 {
		e.pace = rate.NewLimiter(rate.Limit(l.perSecond), max(1, e.batch))
	}
}

// health is what the engine knows of itself.
type health struct {
	open        int
	lastSuccess time.Time
	lastError   *connector.Error
}

func (e *engine) health() health {
	e.mu.Lock()
	defer e.mu.Unlock()
	return health{open: len(e.open), lastSuccess: e.lastSuccess, lastError: e.lastError}
}
