package pluginhost

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/redact"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Description is what a plugin says of itself, and which file said it.
type Description struct {
	protocol.Description
	Path   string
	SHA256 string
	// Protocol is the major version that was agreed on.
	Protocol int
}

// Instance is one connector's plugin under supervision. Its methods may be
// called from many goroutines.
type Instance struct {
	cfg      Config
	log      *slog.Logger
	redact   *redact.Redactor
	book     *logbook
	suspects *suspects
	stop     chan time.Duration // the grace; buffered
	wake     chan struct{}      // a call needs the plugin; buffered
	done     chan struct{}      // closed when supervision has ended
	base     context.Context    // ends when a stop is asked for
	cancel   context.CancelFunc

	mu        sync.Mutex
	state     State
	since     time.Time
	changed   chan struct{} // closed at the next change of state
	live      *live         // nil: no process that takes calls
	asleep    bool          // no process, but one is started for a call
	uses      int           // calls under way
	used      time.Time     // when the last one ended
	desc      Description
	caps      connector.Capabilities
	schema    connector.Schema
	target    string // how the target names itself
	incidents []Incident
	restarts  int
	crashes   int
	defects   int // of former streams
	lastError string
	alarm     string
	seen      vitals
}

// live is a configured process with its stream.
type live struct {
	proc   *process
	stream *stream
	since  time.Time
}

// Start launches the plugin, verifies it, configures it and reads the schema,
// then keeps it running until [Instance.Stop]. ctx bounds the start alone.
//
// A plugin that does not come up the first time is not tried again: the error
// is a [*MismatchError], [*StartError] or [*ConfigError], or a
// [*connector.Error] when the plugin works but its target does not.
func Start(ctx context.Context, cfg Config) (*Instance, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	in := newInstance(cfg)
	l, err := in.bringUp(ctx)
	if err != nil {
		in.cancel()
		return nil, err
	}
	if cfg.Dev {
		in.log.Warn("the plugin runs without a pin (dev override)", "path", cfg.Path, "sha256", shortHash(l.proc.sha256))
	}
	in.goLive(l)
	go in.supervise(l)
	return in, nil
}

func newInstance(cfg Config) *Instance {
	log := cfg.Log.With("connector", cfg.InstanceID)
	redact := redact.New(cfg.Secrets)
	in := &Instance{
		cfg: cfg, log: log, redact: redact, book: newLogbook(log, redact), suspects: newSuspects(),
		stop: make(chan time.Duration, 1), wake: make(chan struct{}, 1), done: make(chan struct{}), changed: make(chan struct{}),
	}
	in.base, in.cancel = context.WithCancel(context.Background())
	return in
}

// Apply carries out operations and returns one result for each, in the order
// of ops. It blocks until each is answered, by the plugin or by the host:
//
//	cancelled   ctx ended, or a step of its group could not be sent: not attempted
//	failed      UNAVAILABLE, RATE_LIMITED, BUSY or TOO_LARGE from the host: not sent
//	unknown     sent, and the plugin died or did not answer in time
//
// Neighbours in ops with the same [connector.Call.Group] go out in one message.
// Calls from many goroutines are packed into batches, so there is no need to
// collect operations for speed.
func (in *Instance) Apply(ctx context.Context, ops []connector.Operation) []connector.Result {
	c := newCall(ops, in.cfg.Timeout)
	ctx, s := request(ctx, pluginv1.ConnectorService_Apply_FullMethodName)
	c.traced(ctx, s)
	defer func() { s.End(c.failure()) }()
	l, why := in.acquire(ctx)
	if l == nil {
		for _, u := range c.units {
			u.answerAll(connector.OutcomeFailed, *why)
		}
		return c.results
	}
	defer in.release()
	l.stream.do(ctx, c)
	return c.results
}

// Describe returns what the plugin said of itself.
func (in *Instance) Describe() Description {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.desc
}

// Capabilities returns what this target can do.
func (in *Instance) Capabilities() connector.Capabilities {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.caps
}

// Schema returns the object types as they were last read; see [Instance.SchemaRefresh].
func (in *Instance) Schema() connector.Schema {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.schema
}

// Fingerprint returns how the target named itself when its schema was last read, ""
// when it cannot tell itself from others; see [connector.Fingerprinter].
func (in *Instance) Fingerprint() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.target
}

// Throttled returns until when the target wants to be left alone; zero when it
// does not.
func (in *Instance) Throttled() time.Time { return in.Health().Throttled }

// Incidents returns the last ends of the plugin that nobody asked for, oldest first.
func (in *Instance) Incidents() []Incident {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]Incident{}, in.incidents...)
}

// Log returns up to n of the plugin's last log lines, oldest first, redacted.
func (in *Instance) Log(n int) []string { return in.book.last(n) }

// Health returns what is known at this moment; it asks nobody.
func (in *Instance) Health() Health {
	in.mu.Lock()
	defer in.mu.Unlock()
	h := Health{
		State: in.state, Since: in.since, Restarts: in.restarts, Crashes: in.crashes, LastError: in.lastError, Alarm: in.alarm, Defects: in.defects,
		LastSeen: in.seen.at, HeapBytes: in.seen.heap, Goroutines: in.seen.goroutines,
		Dev: in.cfg.Dev, Version: in.desc.Version, SHA256: in.desc.SHA256,
	}
	if l := in.live; l != nil {
		h.PID, h.Started = l.proc.run.pid(), l.proc.started
		l.stream.report(&h)
	}
	return h
}

func (s *stream) report(h *Health) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Defects += s.defects
	h.Outstanding = len(s.pending)
	for _, u := range s.queue {
		h.Queued += len(u.ops)
	}
	if time.Now().Before(s.throttle) {
		h.Throttled = s.throttle
	}
}

// Stop ends the plugin: it takes nothing new, answers what it has within
// grace, and is killed with all it started. When ctx ends it is killed at once.
// What is left unanswered is unknown to its callers.
func (in *Instance) Stop(ctx context.Context, grace time.Duration) error {
	select {
	case in.stop <- max(grace, 0):
	default: // asked for already
	}
	in.cancel()
	select {
	case <-in.done:
		return nil
	case <-ctx.Done():
	}
	in.mu.Lock()
	l := in.live
	in.mu.Unlock()
	if l != nil {
		l.proc.run.kill()
	}
	<-in.done
	return ctx.Err()
}
