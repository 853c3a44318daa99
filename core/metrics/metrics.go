// Package metrics tells Prometheus how a node does.
//
//	hub, store, jobs ──► counters and times       what this process did: sum them over the nodes
//	database ──► sample ──► gauges                the same on every node: take the maximum
//	plugins ──► gauges and counters               those that this process runs
//
// Labels are names of the config and fixed words, never people or values. What is read
// from the database is sampled beside the scrapes, so that a scrape reads nothing and
// costs the same whatever is in the queue.
package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/provhub/provhub/core/hub"
)

// Metrics are all metrics of one process.
type Metrics struct {
	registry *prometheus.Registry
	work
	sample sample
}

// New returns metrics that nothing was counted in yet. version is that of the program.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), work: newWork()}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "provhub_build_info", Help: "Always 1; the labels say what runs.",
			ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
		}, func() float64 { return 1 }),
		&m.sample,
	)
	for _, c := range m.all() {
		m.registry.MustRegister(c)
	}
	return m
}

// Register adds what another room counts.
func (m *Metrics) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// Node is what metrics are of.
type Node interface {
	// Hub is the hub as the config is now.
	Hub() *hub.Hub
	// Serving reports whether it has the serving role and does not stop.
	Serving() bool
}

func seconds(d time.Duration) float64 { return d.Seconds() }
