package main

import (
	"net/http"

	"github.com/provhub/provhub/connectors/connector"
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
