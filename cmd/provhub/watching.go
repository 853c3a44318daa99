package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/alert"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/metrics"
	"github.com/provhub/provhub/core/secret"
	"github.com/provhub/provhub/core/web"
)

// metricsOf serves what is counted, to whom the config says.
func metricsOf(counts *metrics.Metrics) func(*hub.Hub) (http.Handler, error) {
	return func(h *hub.Hub) (http.Handler, error) {
		name := h.Config().Serve.MetricsToken
		if name == "" {
			return counts.Handler(connector.Secret{}), nil
		}
		token, err := h.Secret(name)
		if err != nil {
			return nil, err
		}
		return counts.Handler(token), nil
	}
}

// tellPeople has the node tell people what is wrong.
func tellPeople(n *daemon.Node) {
	desk := alert.NewDesk(n)
	n.Background("alerts", desk.WatchPlugins)
	n.Lead(desk.Lead)
}

// watchable says why people could not be told that something is wrong, or traces not be
// exported, such as a secret that is not there.
func watchable(cfg *config.Config) error {
	routes, err := alert.NewRoutes(cfg)
	routes.Close()
	return errors.Join(err, hub.CheckTraces(cfg))
}

// servable says what would keep a node from listening and letting people in, such as a
// secret or a certificate that cannot be had. unready is what is wrong with the identity
// provider, which is asked.
func servable(ctx context.Context, cfg *config.Config) (unready, err error) {
	var errs []error
	s := cfg.Serve
	for _, of := range []struct{ key, secret string }{{"serve.push_token", s.PushToken}, {"serve.metrics_token", s.MetricsToken}} {
		if of.secret == "" {
			continue
		}
		if _, err := secret.Named(cfg, of.secret); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", of.key, err))
		}
	}
	if s.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile); err != nil {
			errs = append(errs, fmt.Errorf("serve.tls_cert, serve.tls_key: %w", err))
		}
	}
	unready, err = web.Check(ctx, cfg)
	return unready, errors.Join(append(errs, err)...)
}
