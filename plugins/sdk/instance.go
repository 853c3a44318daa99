package sdk

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/redact"
)

// instance is one configured target system. Its engine outlives a change of
// the config: the new target takes the next operation, the old one finishes
// what it has.
type instance struct {
	id      string
	red     *redact.Redactor
	log     *slog.Logger
	engine  *engine
	actions actions

	configuring sync.Mutex // one change at a time

	mu      sync.Mutex
	current *opened // nil: not configured yet, or released
	config  json.RawMessage
	secrets map[string]connector.Secret
	dataDir string
}

// newInstance makes an instance that takes nothing new once draining is set.
func newInstance(id string, draining *atomic.Bool, red *redact.Redactor, log *slog.Logger) *instance {
	in := &instance{id: id, red: red, log: log, actions: actions{draining: draining}}
	in.engine = newEngine(in, draining)
	return in
}

// opened is a target in use.
type opened struct {
	target connector.Target
	caps   connector.Capabilities
	log    *slog.Logger

	mu      sync.Mutex
	uses    int
	retired bool
	closed  chan struct{} // once the target was closed
}

func (in *instance) isOpen() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.current != nil
}

// acquire returns the target that takes the next call, nil once released. Give
// it back with done.
func (in *instance) acquire() *opened {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.current != nil {
		in.current.mu.Lock()
		in.current.uses++
		in.current.mu.Unlock()
	}
	return in.current
}

// replace puts o in service, nil for none, and returns what was there.
func (in *instance) replace(o *opened) (old *opened) {
	in.mu.Lock()
	defer in.mu.Unlock()
	old, in.current = in.current, o
	return old
}

// release ends the instance: what waits is answered as cancelled, what runs is
// asked to stop, and the target is closed after the last call. It waits for
// that no longer than ctx.
func (in *instance) release(ctx context.Context) {
	in.engine.stop()
	in.actions.stop()
	if old := in.replace(nil); old != nil {
		old.retire()
		select {
		case <-old.closed:
		case <-ctx.Done():
		}
	}
}

// remember keeps what is needed to open the target again.
func (in *instance) remember(config json.RawMessage, secrets map[string]connector.Secret, dataDir string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.config, in.secrets, in.dataDir = config, maps.Clone(secrets), dataDir
}

func (in *instance) remembered() (config json.RawMessage, secrets map[string]connector.Secret, dataDir string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.config, maps.Clone(in.secrets), in.dataDir
}

// done gives back what acquire returned.
func (o *opened) done() {
	o.mu.Lock()
	o.uses--
	last := o.retired && o.uses == 0
	o.mu.Unlock()
	if last {
		o.close()
	}
}

// retire takes o out of service; it is closed when the last call has returned.
func (o *opened) retire() {
	o.mu.Lock()
	o.retired = true
	idle := o.uses == 0
	o.mu.Unlock()
	if idle {
		o.close()
	}
}

func (o *opened) close() {
	defer close(o.closed)
	c, ok := o.target.(connector.Closer)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := guard(ctx, o.log, "Close", func() error { return c.Close(ctx) }); err != nil {
		o.log.Warn("the target did not close cleanly", "error", err)
	}
}
