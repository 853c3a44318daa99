package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/api"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/metrics"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/web"
	"github.com/provhub/provhub/wording"
)

func (a *app) serveCommand() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use: "serve", Short: "Run for good: schedules, queues, health, the push API and the pages", Args: none(),
		Long: `Run for good: read the sources on their schedules and when they tell that something
changed, apply what no guard holds and what was approved, and send it at once. One
process serves a SQLite file; with PostgreSQL several share the work, and when one
dies the others go on.

Commands that read or mark (ops retry, plan approve, connector pause) work beside it.

SIGTERM and SIGINT stop it in an orderly way within serve.stop_within, a second one
at once. SIGHUP reloads the config, if it has no fault.`,
		Example: `  provhub serve
  provhub serve --listen 127.0.0.1:9000 --log-format json
  curl http://127.0.0.1:8484/readyz`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if listen != "" {
				a.settings.Listen = listen
			}
			return a.serve(cmd.Context())
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "HOST:PORT to listen at (default: serve.listen of the config)")
	return c
}

// startAgain is how long a plugin is left alone that could not be started: its
// connector tries by itself, and readings need not wait for it each time.
const startAgain = 5 * time.Second

func (a *app) serve(ctx context.Context) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	log := a.serveLogger(cfg.Log)
	counts := metrics.New(version)
	h, err := hub.Open(ctx, cfg, hub.Options{Version: version, Log: log, Actor: a.actor, StartAgain: startAgain, Observer: counts, Store: []store.Option{store.WithObserver(counts.Committed)}})
	if err != nil {
		return err
	}
	var n *daemon.Node
	defer func() {
		if cerr := n.Close(); err == nil {
			err = cerr
		}
	}()
	n = daemon.New(h, daemon.Options{
		Version: version, Ready: func(addr net.Addr) { a.printServing(n, addr) },
		Ended:  counts.Ended,
		Reload: func(ctx context.Context) (*config.Config, error) { return a.reload(ctx, log) },
	})
	n.Mount("/v1/", pushAPI(n))
	n.Mount("/", pages(n))
	n.Mount("/metrics", metricsOf(counts))
	n.Background("metrics", func(ctx context.Context) error { return counts.Watch(ctx, n) })
	if err := watchable(cfg); err != nil {
		return err
	}
	tellPeople(n)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	n.Background("reload", func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-hup:
				n.Reload(ctx)
			}
		}
	})
	return n.Run(ctx)
}

// pushAPI is served where the config has a token for it.
func pushAPI(n *daemon.Node) func(*hub.Hub) (http.Handler, error) {
	return func(h *hub.Hub) (http.Handler, error) {
		name := h.Config().Serve.PushToken
		if name == "" {
			return nil, nil
		}
		token, err := h.Secret(name)
		if err != nil {
			return nil, fmt.Errorf("serve.push_token: %w", err)
		}
		return api.New(n, api.Options{Token: token, Log: h.Log(), Traces: h.Traces()})
	}
}

// pages are served where the config has a section for them.
func pages(n *daemon.Node) func(*hub.Hub) (http.Handler, error) {
	return func(h *hub.Hub) (http.Handler, error) {
		if h.Config().Web == nil {
			return nil, nil
		}
		return web.New(h, n.Ask)
	}
}

// reload reads and checks the config as a start would.
func (a *app) reload(ctx context.Context, log *slog.Logger) (*config.Config, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	_, err = hub.Validate(ctx, cfg, hub.ValidateOptions{Offline: true, Log: log})
	return cfg, errors.Join(err, watchable(cfg))
}

// serveLogger logs all that the config asks for: nobody reads what a daemon prints.
func (a *app) serveLogger(l config.Log) *slog.Logger {
	a.settings.LogLevel = l.Level
	return a.logger(l)
}

func (a *app) printServing(n *daemon.Node, addr net.Addr) {
	cfg := n.Hub().Config()
	scheme := "http"
	if cfg.Serve.CertFile != "" {
		scheme = "https"
	}
	a.printf("Serving %s at %s://%s: %s, %s, state in %s\n", cfg.Org, scheme, addr,
		wording.Count(len(cfg.Sources), "source", "sources"), wording.Count(len(cfg.Connectors), "connector", "connectors"), n.State().Where())
}
