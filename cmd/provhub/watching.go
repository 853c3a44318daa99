package main

import (
	"errors"
	"net/http"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/alert"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/metrics"
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
