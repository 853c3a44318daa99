package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/api"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/web"
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

func (a *app) serve(ctx context.Context) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	log := a.serveLogger(cfg.Log)
	h, err := hub.Open(ctx, cfg, hub.Options{Log: log, Actor: a.actor})
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
		Reload: func(ctx context.Context) (*config.Config, error) { return a.reload(ctx, log) },
	})
	if err := a.mount(n); err != nil {
		return err
	}
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

// mount adds the rooms that the config asks for.
func (a *app) mount(n *daemon.Node) error {
	if name := n.Hub().Config().Serve.PushToken; name != "" {
		token, err := n.Hub().Secret(name)
		if err != nil {
			return err
		}
		handler, err := api.New(n, api.Options{Token: token, Log: n.Hub().Log()})
		if err != nil {
			return err
		}
		n.Handle("/v1/", handler)
	}
	if n.Hub().Config().Web != nil {
		pages, err := web.New(n)
		if err != nil {
			return err
		}
		n.Handle("/", pages)
	}
	return nil
}

// reload reads and checks the config as a start would.
func (a *app) reload(ctx context.Context, log *slog.Logger) (*config.Config, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	_, err = hub.Validate(ctx, cfg, hub.ValidateOptions{Offline: true, Log: log})
	return cfg, err
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
		plural(len(cfg.Sources), "source", "sources"), plural(len(cfg.Connectors), "connector", "connectors"), n.State().Where())
}
