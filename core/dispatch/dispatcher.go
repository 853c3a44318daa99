package dispatch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/store"
)

// Options say what a [Dispatcher] works on. Connector, Queue, Target and Owner
// are required; zero fields have the defaults named.
type Options struct {
	Connector string
	Queue     Queue
	Target    Target
	// Owner names this worker in leases.
	Owner string
	Retry Retry
	// Quarantine says from when on only single operations are tried.
	Quarantine Quarantine
	// InFlight bounds the operations under way at once, and so does what the target
	// says; 0 for both: 16.
	InFlight int
	// ReadLag is how long the target may take to show what was written; 2 s.
	ReadLag time.Duration
	// Patience is how long [Dispatcher.Drain] goes on without anything being done,
	// waiting for operations that are due later, before it leaves them to the next
	// one; 5 s. Negative: not at all.
	Patience time.Duration
	// LeaseTime is how long operations are taken for; 10 min, or eight times
	// Retry.Timeout. Nothing is begun in its second half.
	LeaseTime time.Duration
	// Idle is how often [Dispatcher.Run] looks for work that nobody told it of; 1 s.
	Idle time.Duration
	// Calls ends when another worker may have the connector: calls to the target that
	// are under way are given up, and are in doubt. nil: they are waited for.
	Calls context.Context
	// Maintenance, when set, returns until when nothing is sent because the target is
	// worked on; the zero time: it is not.
	Maintenance func(now time.Time) (until time.Time)
	// Traces begins the traces of operations that belong to none; nil: they have none.
	Traces *span.Tracer
	Log    *slog.Logger // nil: [slog.Default]
	// Progress, when set, is told after every batch of outcomes.
	Progress func(Summary)
	// Finished, when set, is told of every outcome that was recorded. It must not block.
	Finished func(*store.Finish)
	// Trouble, when set, is told by [Dispatcher.Run] each time the queue cannot be read
	// or written, and of nil once it can again.
	Trouble func(error)
	// Now and Random are the clock and a source of numbers in [0, 1), for tests.
	Now    func() time.Time
	Random func() float64
}

func (o Options) withDefaults() Options {
	o.Retry = o.Retry.withDefaults()
	o.Quarantine = o.Quarantine.withDefaults()
	if says := o.Target.Capabilities().MaxInFlight; o.InFlight <= 0 || says > 0 && says < o.InFlight {
		o.InFlight = cmp.Or(says, 16)
	}
	o.ReadLag = cmp.Or(o.ReadLag, 2*time.Second)
	o.Patience = cmp.Or(o.Patience, 5*time.Second)
	o.LeaseTime = cmp.Or(o.LeaseTime, max(10*time.Minute, 8*o.Retry.Timeout))
	o.Idle = cmp.Or(o.Idle, time.Second)
	o.Log = cmp.Or(o.Log, slog.Default()).With("connector", o.Connector)
	if o.Trouble == nil {
		o.Trouble = func(error) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

// Dispatcher carries out the operations of one connector. What a worker before
// it left behind is taken back by the store's Recover, once for all connectors,
// before the first Drain or Run.
type Dispatcher struct {
	opts Options
	gate *gate
	wake chan struct{}
	// waiting are operations that cannot go on before something is there. It belongs to
	// the loop.
	waiting waiting
}

// New returns a dispatcher that has not begun.
func New(o Options) *Dispatcher {
	o = o.withDefaults()
	return &Dispatcher{
		opts: o, wake: make(chan struct{}, 1), waiting: waiting{ops: map[string]Need{}},
		gate: &gate{queue: o.Queue, name: o.Connector, now: o.Now, maintenance: o.Maintenance, log: o.Log},
	}
}

// ErrLost ends a Drain or Run whose connector another worker may have.
var ErrLost = errors.New("the connector was given to another worker")

// Drain sends what is due, and what comes due within [Options.Patience], and
// says what became of it. Operations are no errors, whatever their outcome: the
// error is that the queue could not be read or written, or [ErrLost].
//
// When ctx ends, nothing more is begun; what is under way is finished, what was
// taken and not sent is given back, and the summary is returned without an error.
// One Drain or Run at a time.
func (d *Dispatcher) Drain(ctx context.Context) (Summary, error) {
	return d.carry(ctx, false)
}

// Run sends what is due until ctx ends, as Drain does, and then returns nil. New
// operations are found within [Options.Idle], or at once after [Dispatcher.Wake]. Where
// the queue cannot be read or written, nothing is begun; Run keeps what it knows and
// tries again until it can. [ErrLost] when [Options.Calls] has ended; another error
// only when what was under way at the end could not be recorded.
func (d *Dispatcher) Run(ctx context.Context) error {
	_, err := d.carry(ctx, true)
	return err
}

// carry runs a loop. The context of its calls lasts longer than ctx, so that what is
// under way is finished, and not longer than the connector is ours.
func (d *Dispatcher) carry(ctx context.Context, forever bool) (Summary, error) {
	ours, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	if d.opts.Calls != nil {
		defer context.AfterFunc(d.opts.Calls, func() { cancel(ErrLost) })()
	}
	d.gate.until(ctx.Done())
	l := newLoop(d)
	l.ending, l.forever = ctx.Done(), forever
	return l.run(ours)
}

// Wake tells a Drain or Run that there may be something to do.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// closed reports whether a channel that is only ever closed has been; nil: no.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
