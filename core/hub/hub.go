// Package hub assembles the rooms into one running hub: config, store, plugins,
// cycle and dispatch. It decides nothing that a room below decides.
package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/secret"
	"github.com/provhub/provhub/core/store"
)

// Options are what a hub needs besides its config.
type Options struct {
	Log *slog.Logger
	// Node names this process in leases, and to other nodes; "": the machine, the process
	// and some letters that no other process has.
	Node string
	// Version is this program's, for traces.
	Version string
	// Actor is who is named in the audit trail; "" is refused.
	Actor string
	// Now tells the time; nil means [time.Now].
	Now func() time.Time
	// Progress is told how long work goes on; nil: nobody watches.
	Progress func(Progress)
	// StartAgain is how long a plugin is left alone that could not be started; 0: it is
	// tried again whenever it is needed.
	StartAgain time.Duration
	// Observer is told what the hub does; nil: nobody asks.
	Observer Observer
	// Store options: who watches transactions, and faults for tests.
	Store []store.Option
	// ReadLag is how long a target may take to show what was written; 0: the
	// dispatcher's default.
	ReadLag time.Duration
}

// Progress is one report about long work.
type Progress struct {
	What  string // "reading hr", "sending to crm"
	Done  int
	Total int    // 0: not known
	Note  string // what is being done now; "" when What says it all
}

// Hub is one open hub. Its methods may be called from several goroutines.
type Hub struct {
	cfg   *config.Config
	opt   Options
	log   *slog.Logger
	now   func() time.Time
	store *store.Store
	org   *store.Org

	traces *traces

	*plugins // shared with what [Hub.As] returns
}

// plugins are the processes that run, by connector.
type plugins struct {
	mu        sync.Mutex
	instances map[string]*running
	// leaving are former plugins, by connector, and current the config that counts; see
	// [Hub.Renew].
	leaving map[string]*leaving
	current *config.Config
	sums    sums
	// life ends when no plugin is to be started any more.
	life context.Context
	die  context.CancelFunc
}

// Open opens the state. It starts no plugin; they start when they are needed.
func Open(ctx context.Context, cfg *config.Config, opt Options) (*Hub, error) {
	if opt.Actor == "" {
		return nil, errors.New("hub: no actor given for the audit trail")
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Node == "" {
		host, _ := os.Hostname() // a name for people; without one the process number does
		opt.Node = fmt.Sprintf("%s/%d-%s", host, os.Getpid(), strings.ToLower(rand.Text()[:4]))
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Progress == nil {
		opt.Progress = func(Progress) {}
	}
	if opt.Observer == nil {
		opt.Observer = unobserved{}
	}
	st, err := store.Open(ctx, cfg.State.URL, opt.Store...)
	if err != nil {
		return nil, err
	}
	p := &plugins{instances: map[string]*running{}, leaving: map[string]*leaving{}}
	p.life, p.die = context.WithCancel(context.WithoutCancel(ctx))
	h := &Hub{cfg: cfg, opt: opt, log: opt.Log, now: opt.Now, store: st, org: st.Org(cfg.Org), traces: &traces{}, plugins: p}
	h.traces.use(h)
	return h, nil
}

// As returns the same hub for what actor does: the audit trail names them. It shares
// state and plugins with h, which is the one to close. An empty actor stays who h
// acts for, so that nothing is done in nobody's name.
func (h *Hub) As(actor string) *Hub {
	if actor == "" {
		return h
	}
	as := *h
	as.opt.Actor = actor
	return &as
}

// Actor is in whose name the hub acts.
func (h *Hub) Actor() string { return h.opt.Actor }

// Node is the name of this process among all that work for the org.
func (h *Hub) Node() string { return h.opt.Node }

// Now returns the hub's time.
func (h *Hub) Now() time.Time { return h.now() }

// State gives access to what the hub keeps, for commands that only read or mark.
func (h *Hub) State() *store.Org { return h.org }

// Close stops all plugins and closes the state.
func (h *Hub) Close() error {
	h.die()
	h.mu.Lock()
	instances := h.instances
	h.instances = map[string]*running{}
	names := slices.Collect(maps.Keys(h.leaving))
	h.mu.Unlock()
	var wg sync.WaitGroup
	errs := make([]error, 0, len(instances))
	var mu sync.Mutex
	for name, r := range instances {
		wg.Go(func() {
			if err := r.stop(); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("stop %s: %w", name, err))
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		wg.Go(func() {
			if err := h.Release(name); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	h.traces.close()
	return errors.Join(append(errs, h.store.Close())...)
}

// Secret fetches one of the config's secrets.
func (h *Hub) Secret(name string) (connector.Secret, error) {
	var names []string
	for _, s := range h.cfg.Secrets {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, name) {
		return connector.Secret{}, unknown("secret", name, names)
	}
	return secret.Named(h.cfg, name)
}

// Log is where the hub logs.
func (h *Hub) Log() *slog.Logger { return h.log }
