package daemon

import (
	"context"
	"errors"

	"github.com/provhub/provhub/core/config"
)

// Reload reads the config anew. One with faults is told of, and the config as it was
// stays. Connectors that changed are begun anew, once what is under way has ended;
// the others go on.
func (n *Node) Reload(ctx context.Context) {
	cfg, err := n.o.Reload(ctx)
	if err != nil {
		n.logFaults(err)
		return
	}
	old := n.Hub()
	next, err := old.Renew(cfg)
	if err != nil {
		n.logFaults(err)
		return
	}
	mux, err := n.routes(next)
	if err != nil {
		n.logFaults(err)
		return
	}
	if was, is := old.Config().Serve, cfg.Serve; was.Listen != is.Listen || was.CertFile != is.CertFile || was.KeyFile != is.KeyFile {
		n.log.Warn("where provhub listens stays as it was until the next start")
	}
	changed := next.Succeed(old)
	n.mux.Store(mux)
	n.hub.Store(next)
	n.mu.Lock()
	close(n.reload)
	n.reload = make(chan struct{})
	n.mu.Unlock()
	n.log.Info("the config was reloaded", "sources", len(cfg.Sources), "connectors", len(cfg.Connectors), "changed", changed)
	for _, name := range changed {
		n.restarts.Go(func() { n.restart(name) })
	}
}

// restart has a connector sent for anew, once what is under way has ended.
func (n *Node) restart(name string) {
	if t := n.term.Load(); t != nil {
		t.senders.end(name)
	}
	if err := n.Hub().Release(name); err != nil {
		n.log.Warn("a plugin was not stopped in an orderly way", "connector", name, "error", err)
	}
}

// logFaults says why a config is not taken over: every fault in a line of its own.
func (n *Node) logFaults(err error) {
	n.log.Error("the config was not reloaded; the one before stays", "error", err)
	var faults config.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			n.log.Error("a fault of the config", "file", f.File, "line", f.Line, "path", f.Path, "error", f.Text)
		}
	}
}

// reloaded is closed when the config is another one.
func (n *Node) reloaded() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reload
}

// Close closes the hub. The node has ended.
func (n *Node) Close() error { return n.Hub().Close() }
