package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/pluginhost"
)

const (
	// sampleEvery is how often the database is looked at, and sampleWithin how long that
	// may take.
	sampleEvery  = 10 * time.Second
	sampleWithin = 30 * time.Second
	// sampleShare bounds what looking costs: a fiftieth of the time.
	sampleShare = 50
)

// sample is what the database last said.
type sample struct {
	mu     sync.Mutex
	vitals *hub.Vitals // nil: it did not answer, or was not asked yet
	took   time.Duration
	asked  bool
	node   Node // nil: none yet
}

// Watch samples n's database until ctx ends.
func (m *Metrics) Watch(ctx context.Context, n Node) error {
	for {
		took := m.Sample(ctx, n)
		t := time.NewTimer(max(sampleEvery, sampleShare*took))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// Sample looks at n's database once, and returns how long it took.
func (m *Metrics) Sample(ctx context.Context, n Node) time.Duration {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, sampleWithin)
	defer cancel()
	v, err := n.Hub().Vitals(ctx)
	s := &m.sample
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node, s.asked, s.took, s.vitals = n, true, time.Since(began), nil
	if err == nil {
		s.vitals = &v
		for i := range v.Connectors {
			m.lockout.WithLabelValues(v.Connectors[i].Name) // none yet is a count, too: the first one is seen to come
		}
	}
	return s.took
}

// Describe implements [prometheus.Collector].
func (s *sample) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range gauges {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (s *sample) Collect(ch chan<- prometheus.Metric) {
	s.mu.Lock()
	v, n, asked, took := s.vitals, s.node, s.asked, s.took
	s.mu.Unlock()
	if !asked {
		return
	}
	e := emitter{ch}
	e.gauge(stateUp, truth(v != nil))
	e.gauge(serving, truth(n.Serving()))
	e.gauge(stateSampleTime, seconds(took))
	if v != nil {
		e.vitals(v, time.Now())
	}
	for name, h := range n.Hub().Plugins() {
		e.plugin(name, h)
	}
}

func (e emitter) plugin(name string, h pluginhost.Health) {
	e.gauge(pluginUp, truth(h.State == pluginhost.StateReady || h.State == pluginhost.StateIdle), name)
	e.counter(pluginRestarts, float64(h.Restarts), name)
	e.counter(pluginCrashes, float64(h.Crashes), name)
	e.counter(pluginDefects, float64(h.Defects), name)
	e.gauge(pluginAlarm, truth(h.Alarm != ""), name)
	e.gauge(pluginHeap, float64(h.HeapBytes), name)
	e.gauge(inFlight, float64(h.Outstanding), name)
}
