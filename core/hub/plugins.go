package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/secret"
)

const (
	// startAtOnce bounds how many plugins start side by side.
	startAtOnce = 8
	// stopGrace is how long a plugin may finish what it does.
	stopGrace = 10 * time.Second
)

// running is one plugin process, started at most once at a time.
type running struct {
	// ready is closed when it was started, or has failed to; the rest is not read before.
	ready    chan struct{}
	settings string // it was started with
	instance *pluginhost.Instance
	err      error
	failedAt time.Time
}

// isReady reports whether r was started, or has failed to.
func (r *running) isReady() bool {
	select {
	case <-r.ready:
		return true
	default:
		return false
	}
}

func (r *running) stop() error {
	<-r.ready
	if r.instance == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*stopGrace)
	defer cancel()
	return r.instance.Stop(ctx, stopGrace)
}

// Instance returns the running plugin of a connector and starts it when needed.
// A plugin that could not be started is tried again at the next call, or after
// Options.StartAgain, except after a failed sign-in: that is tried once, and again
// when a check passes or a person resumes the connector, because every try brings the
// account that we work with closer to being locked (QUIRKS Q-11, LDAP-51). When ctx
// ends, the start goes on for whoever asks next. The error does not name the connector.
func (h *Hub) Instance(ctx context.Context, c *config.Connector) (*pluginhost.Instance, error) {
	if in := h.started(c); in != nil {
		return in, nil
	}
	s, err := h.org.ConnectorState(ctx, c.Name)
	if err != nil {
		return nil, err
	}
	if refused := signInRefused(s); refused != nil {
		return nil, refused
	}
	if err := h.failedLately(c); err != nil {
		return nil, err
	}
	return h.instance(ctx, c)
}

// failedLately is why the plugin of a connector is not to be started again yet.
func (h *Hub) failedLately(c *config.Connector) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.instances[c.Name]; r != nil && r.isReady() && h.now().Sub(r.failedAt) < h.opt.StartAgain {
		return r.err
	}
	return nil
}

// instance is [Hub.Instance] whatever happened before.
func (h *Hub) instance(ctx context.Context, c *config.Connector) (*pluginhost.Instance, error) {
	if err := h.free(ctx, c.Name); err != nil {
		return nil, fmt.Errorf("connector %s: %w", c.Name, err)
	}
	h.mu.Lock()
	r := h.instances[c.Name]
	if r == nil || r.isReady() && r.err != nil {
		r = &running{ready: make(chan struct{})}
		h.instances[c.Name] = r
		// By itself: one slow plugin must not hold up the others, nor whoever waits for it.
		go h.bringUp(c, r)
	}
	h.mu.Unlock()
	select {
	case <-r.ready:
		return r.instance, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("its plugin is still starting: %w", context.Cause(ctx))
	}
}

// bringUp starts the plugin of a connector, and writes down how that went.
func (h *Hub) bringUp(c *config.Connector, r *running) {
	defer close(r.ready)
	r.settings = h.settings(c)
	r.instance, r.err = h.start(h.life, c)
	if err := h.noteStart(h.life, c, r); err != nil {
		r.err = errors.Join(r.err, err)
		if r.instance != nil {
			ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
			defer cancel()
			r.err = errors.Join(r.err, r.instance.Stop(ctx, 0))
		}
		r.instance = nil
	}
	if r.err != nil {
		r.failedAt = h.now()
	}
}

func (h *Hub) start(ctx context.Context, c *config.Connector) (*pluginhost.Instance, error) {
	pc, err := h.pluginConfig(c)
	if err != nil {
		return nil, err
	}
	return pluginhost.Start(ctx, pc)
}

// pluginConfig says how the plugin of a connector is run.
func (h *Hub) pluginConfig(c *config.Connector) (pluginhost.Config, error) {
	pc, err := instanceConfig(h.cfg, c, h.log)
	if err != nil {
		return pc, err
	}
	pc.Secrets, err = secret.ForConnector(h.cfg, c)
	return pc, err
}

// instanceConfig says how the plugin of a connector is run, its secrets excepted.
func instanceConfig(cfg *config.Config, c *config.Connector, log *slog.Logger) (pluginhost.Config, error) {
	cat, err := Catalog(cfg)
	if err != nil {
		return pluginhost.Config{}, err
	}
	pc, err := resolve(cat, c.Plugin)
	if err != nil {
		return pc, err
	}
	pc.InstanceID, pc.ConfigJSON, pc.Log = c.Name, c.Config, log
	pc.Timeout, pc.InFlight = c.Retry.Timeout, c.InFlight
	// Of the org alone: two orgs may share the folder, and the names in it.
	pc.DataDir = filepath.Join(cfg.Plugins.Data, url.PathEscape(cfg.Org), c.Name)
	if err := os.MkdirAll(pc.DataDir, 0o700); err != nil {
		return pc, fmt.Errorf("make the plugin's data folder: %w", err)
	}
	return pc, nil
}

// instanceOf returns the configured connector called name, and its running plugin.
func (h *Hub) instanceOf(ctx context.Context, name string) (*config.Connector, *pluginhost.Instance, error) {
	c, err := h.Connector(name)
	if err != nil {
		return nil, nil, err
	}
	in, err := h.Instance(ctx, c)
	return c, in, ofConnector(name, err)
}

// ofConnector says which connector err, which may be nil, is about.
func ofConnector(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("connector %s: %w", name, err)
}

// startWithin is startAll for who waits no longer than patience; 0: as long as it takes.
func (h *Hub) startWithin(ctx context.Context, cs []*config.Connector, patience time.Duration) map[string]error {
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	return h.startAll(ctx, cs)
}

// startAll starts the plugins of several connectors side by side. It returns the
// error of each that did not start, by name.
func (h *Hub) startAll(ctx context.Context, cs []*config.Connector) map[string]error {
	failed := map[string]error{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(startAtOnce)
	for _, c := range cs {
		g.Go(func() error {
			if _, err := h.Instance(ctx, c); err != nil {
				mu.Lock()
				failed[c.Name] = err
				mu.Unlock()
			}
			return nil
		})
	}
	_ = g.Wait() // nothing returns an error
	return failed
}

// Connector returns the configured connector called name.
func (h *Hub) Connector(name string) (*config.Connector, error) {
	for i := range h.cfg.Connectors {
		if h.cfg.Connectors[i].Name == name {
			return &h.cfg.Connectors[i], nil
		}
	}
	names := make([]string, len(h.cfg.Connectors))
	for i, c := range h.cfg.Connectors {
		names[i] = c.Name
	}
	return nil, unknown("connector", name, names)
}
