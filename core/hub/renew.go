package hub

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/core/config"
)

// Renew returns a hub on another config that shares state and plugins with h. Nothing
// changes before [Hub.Succeed]. [UsageError] when only a new start can take the config
// over.
func (h *Hub) Renew(cfg *config.Config) (*Hub, error) {
	switch {
	case cfg.State.URL != h.cfg.State.URL:
		return nil, &UsageError{"state.url is another one: stop provhub and start it again"}
	case cfg.Org != h.cfg.Org:
		return nil, &UsageError{"org is another one: stop provhub and start it again"}
	}
	return &Hub{cfg: cfg, opt: h.opt, log: h.log, now: h.now, store: h.store, org: h.org, traces: h.traces, plugins: h.plugins}, nil
}

// Succeed puts h in the place of was, which made it and starts no plugin any more. It
// returns the connectors that are not as they were, or are gone: each one's plugin is
// started anew once [Hub.Release] was called for it, when nothing is sent to it any more.
func (h *Hub) Succeed(was *Hub) (changed []string) {
	h.traces.use(h)
	for i := range was.cfg.Connectors {
		c := &was.cfg.Connectors[i]
		if is, err := h.Connector(c.Name); err != nil || h.settings(is) != was.settings(c) {
			changed = append(changed, c.Name)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.current = h.cfg
	for name, r := range h.instances {
		// By what it was started with: a secret may be another since.
		c, err := h.Connector(name)
		if (err != nil || r.isReady() && h.settings(c) != r.settings) && !slices.Contains(changed, name) {
			changed = append(changed, name)
		}
	}
	for _, name := range changed {
		h.retire(name)
	}
	slices.Sort(changed)
	return changed
}

// retire takes a connector's plugin out, and keeps another one from being started. The
// caller holds the lock.
func (p *plugins) retire(name string) {
	l := p.leaving[name]
	if l == nil {
		l = &leaving{gone: make(chan struct{})}
		p.leaving[name] = l
	}
	if r := p.instances[name]; r != nil {
		l.left = append(l.left, r)
		delete(p.instances, name)
	}
}

// leaving are the former plugins of a connector. gone is closed when the next one may
// start.
type leaving struct {
	left []*running
	gone chan struct{}
}

// Release stops the former plugin of a connector that changed.
func (h *Hub) Release(name string) error {
	h.mu.Lock()
	l := h.leaving[name]
	h.mu.Unlock()
	if l == nil {
		return nil
	}
	var err error
	for _, r := range l.left {
		if serr := r.stop(); serr != nil {
			err = fmt.Errorf("stop the former plugin of %s: %w", name, serr)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.leaving[name] == l {
		delete(h.leaving, name)
		close(l.gone)
	}
	return err
}

// free waits until the former plugin of a connector is gone, and refuses for a hub
// whose config is not the current one.
func (h *Hub) free(ctx context.Context, name string) error {
	for {
		h.mu.Lock()
		l, current := h.leaving[name], h.current
		h.mu.Unlock()
		switch {
		case current != nil && current != h.cfg:
			return errRenewed
		case l == nil:
			return nil
		}
		select {
		case <-l.gone:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// maintenance returns until when the target of the connector called name is worked on,
// the zero time when it is not. The config that counts decides, also for what was begun
// under the one before: a window that is given now holds from the next call on.
func (h *Hub) maintenance(name string) func(time.Time) time.Time {
	return func(now time.Time) time.Time {
		h.mu.Lock()
		cfg := cmp.Or(h.current, h.cfg)
		h.mu.Unlock()
		for i := range cfg.Connectors {
			if c := &cfg.Connectors[i]; c.Name == name {
				return c.Maintenance.Until(now)
			}
		}
		return time.Time{}
	}
}

// settings names what decides how operations are sent to a connector: its plugin, the
// plugin's config and secrets, how often and how much is sent, and when it is too much
// that fails.
func (h *Hub) settings(c *config.Connector) string {
	pc, err := h.pluginConfig(c)
	if err != nil {
		return err.Error()
	}
	secrets := map[string]string{}
	for name, s := range pc.Secrets {
		sum := sha256.Sum256([]byte(s.Reveal()))
		secrets[name] = hex.EncodeToString(sum[:])
	}
	return hashOf(struct {
		Path, SHA256 string
		Config       json.RawMessage
		Secrets      map[string]string
		Retry        config.Retry
		Quarantine   config.Quarantine
		InFlight     int
	}{pc.Path, pc.SHA256, pc.ConfigJSON, secrets, c.Retry, c.Quarantine, c.InFlight})
}
