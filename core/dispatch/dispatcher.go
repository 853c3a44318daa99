package dispatch

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
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
	// Calls bounds the calls to the target: when it ends, those that are under way are
	// given up, and are in doubt. nil: they are waited for.
	Calls context.Context
	Log   *slog.Logger // nil: [slog.Default]
	// Progress, when set, is told after every batch of outcomes.
	Progress func(Summary)
	// Now and Random are the clock and a source of numbers in [0, 1), for tests.
	Now    func() time.Time
	Random func() float64
}

func (o Options) withDefaults() Options {
	o.Retry = o.Retry.withDefaults()
	if says := o.Target.Capabilities().MaxInFlight; o.InFlight <= 0 || says > 0 && says < o.InFlight {
		o.InFlight = cmp.Or(says, 16)
	}
	o.ReadLag = cmp.Or(o.ReadLag, 2*time.Second)
	o.Patience = cmp.Or(o.Patience, 5*time.Second)
	o.LeaseTime = cmp.Or(o.LeaseTime, max(10*time.Minute, 8*o.Retry.Timeout))
	o.Idle = cmp.Or(o.Idle, time.Second)
	o.Log = cmp.Or(o.Log, slog.Default()).With("connector", o.Connector)
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
	// waiting are operations that cannot go on before something is there; begun: those
	// that waited before were tried again. Both belong to the loop.
	waiting map[string]Need
	begun   bool
}

// New returns a dispatcher that has not begun.
func New(o Options) *Dispatcher {
	o = o.withDefaults()
	return &Dispatcher{
		opts: o, wake: make(chan struct{}, 1), waiting: map[string]Need{},
		gate: &gate{queue: o.Queue, name: o.Connector, now: o.Now},
	}
}

// Drain sends what is due, and what comes due within [Options.Patience], and
// says what became of it. Operations are no errors, whatever their outcome: the
// error is that the queue could not be read or written.
//
// When ctx ends, nothing more is begun; what is under way is finished, what was
// taken and not sent is given back, and the summary is returned without an error.
// One Drain or Run at a time.
func (d *Dispatcher) Drain(ctx context.Context) (Summary, error) {
	return newLoop(d).run(ctx)
}

// Run drains until ctx ends. New operations are found within [Options.Idle], or at
// once after [Dispatcher.Wake]. The error is that of a drain.
func (d *Dispatcher) Run(ctx context.Context) error {
	for ; ctx.Err() == nil; sleep(ctx, d.opts.Idle, d.wake) {
		at, _, err := d.opts.Queue.NextDue(context.WithoutCancel(ctx), d.opts.Connector)
		if err != nil {
			return err
		}
		if at.IsZero() || at.After(d.opts.Now()) {
			continue
		}
		s, err := d.Drain(ctx)
		if err != nil {
			return err
		}
		if s.Done+s.Replanned+s.Retrying+s.Pending+s.Unknown+s.ParkedTotal() > 0 {
			d.opts.Log.Info("operations carried out", "summary", s.String())
		}
	}
	return nil
}

// Wake tells Run that there may be something to do.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// sleep waits for d, for wake (nil: never) or for the end of ctx.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
}
