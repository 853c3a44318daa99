package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

var gauges []*prometheus.Desc

func describe(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc("provhub_"+name, help, labels, nil)
	gauges = append(gauges, d)
	return d
}

var (
	stateUp         = describe("state_up", "1 when the database answered the last time that it was looked at.")
	stateSampleTime = describe("state_sample_duration_seconds", "How long the last look at the database took.")
	stateSampled    = describe("state_sample_timestamp_seconds", "When the database was looked at.")
	stateBytes      = describe("state_size_bytes", "Size of the database.")

	openOperations = describe("open_operations", "Operations that are not finished, by state.", "connector", "state")
	oldestReady    = describe("queue_oldest_ready_seconds", "Age of the oldest operation that waits for its turn; 0: none does.", "connector", "lane")
	oldestFailing  = describe("queue_oldest_failing_seconds", "Age of the oldest operation that is tried again after a failure; 0: none is.", "connector")
	parkedLeavers  = describe("parked_leavers", "Operations that take access from somebody who left and wait for a person.", "connector")
	oldestLeaver   = describe("oldest_leaver_seconds", "Age of the oldest operation that takes access from somebody who left and is not done; 0: none is open.", "connector")
	lastDone       = describe("last_success_timestamp_seconds", "When an operation was last done; absent: not among the last thousand.", "connector")

	paused      = describe("connector_paused", "1 when a person has paused the connector, or stopped everything.", "connector")
	stopped     = describe("connector_stopped", "1 when nothing is sent before a person has mended something, such as a refused sign-in.", "connector")
	down        = describe("connector_breaker_open", "1 when the target is left alone because it is down.", "connector")
	quarantined = describe("connector_quarantined", "1 when too many operations failed and only single ones are tried.", "connector")
	throttled   = describe("connector_throttled", "1 when the target asked to be left alone.", "connector")
	maintenance = describe("connector_maintenance", "1 during a maintenance window of the target.", "connector")
	failures    = describe("connector_consecutive_failures", "How often in a row the target as a whole failed.", "connector")

	sourceRead     = describe("source_last_success_timestamp_seconds", "When the source was last read with success; absent: never.", "source")
	sourceEntries  = describe("source_entries", "People and groups in the source, as of the last reading.", "source", "kind")
	sourceFindings = describe("source_findings", "Suspicious things about the last reading.", "source")
	sourceBad      = describe("source_bad_records", "Records of the last reading that could not be used.", "source")
	sourceRefused  = describe("source_refused", "1 when a reading waits for a person, and nothing of it was taken over.", "source")
	heldPlans      = describe("held_plans", "Plans that a guard holds and nobody has decided about.", "source")

	serving = describe("node_serving", "1 when this process has the serving role and does not stop.")
	nodes   = describe("nodes", "Nodes that serve the org (there), and those that stopped without a word within a day (gone).", "state")
	served  = describe("connector_served", "1 when some node sends to the connector.", "connector")

	alerts        = describe("alerts", "What people were told of and is so still.", "condition", "severity")
	untoldNotices = describe("alert_notices_waiting", "Messages that did not reach people yet.")

	pluginUp       = describe("plugin_up", "1 when the plugin takes calls, or is started for the next one.", "connector")
	pluginRestarts = describe("plugin_restarts_total", "How often the plugin was started again.", "connector")
	pluginCrashes  = describe("plugin_crashes_total", "How often the plugin ended when it should not.", "connector")
	pluginDefects  = describe("plugin_protocol_breaches_total", "Answers of the plugin that were given twice, or to nobody.", "connector")
	pluginAlarm    = describe("plugin_alarm", "1 when a person should look at the plugin: it dies again and again, or its file is not the pinned one.", "connector")
	pluginHeap     = describe("plugin_heap_bytes", "Memory that the plugin says it uses.", "connector")
	inFlight       = describe("operations_in_flight", "Operations that were sent to the plugin and are not answered.", "connector")
)

// emitter sends metrics to a scrape.
type emitter struct{ ch chan<- prometheus.Metric }

func (e emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (e emitter) counter(d *prometheus.Desc, v float64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

// at tells a time; a zero one is left out.
func (e emitter) at(d *prometheus.Desc, t time.Time, labels ...string) {
	if !t.IsZero() {
		e.gauge(d, float64(t.UnixMilli())/1000, labels...)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// age is how long ago t was; 0 for the zero time.
func age(t, now time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return max(0, seconds(now.Sub(t)))
}

// vitals tells what the database said; ages grow until it says something else.
func (e emitter) vitals(v *hub.Vitals, now time.Time) {
	e.at(stateSampled, v.At)
	e.gauge(stateBytes, float64(v.DatabaseBytes))
	e.gauge(untoldNotices, float64(v.Untold))
	open := map[[2]string]int{}
	for _, a := range v.Alerts {
		open[[2]string{a.Condition, a.Severity}]++
	}
	for of, n := range open {
		e.gauge(alerts, float64(n), of[0], of[1])
	}
	e.nodes(v)
	held := map[string]int{}
	for _, p := range v.Held {
		held[p.Source]++
	}
	for _, s := range v.Sources {
		e.at(sourceRead, s.ReadAt, s.Name)
		e.gauge(sourceEntries, float64(s.People), s.Name, "person")
		e.gauge(sourceEntries, float64(s.Groups), s.Name, "group")
		e.gauge(sourceFindings, float64(s.Findings), s.Name)
		e.gauge(sourceBad, float64(s.Bad), s.Name)
		e.gauge(sourceRefused, truth(!s.Refused.IsZero()), s.Name)
		e.gauge(heldPlans, float64(held[s.Name]), s.Name)
	}
	for i := range v.Connectors {
		e.connector(&v.Connectors[i], now)
	}
}

func (e emitter) nodes(v *hub.Vitals) {
	by, there := map[string]bool{}, 0
	for _, n := range v.Nodes {
		if n.Gone() {
			continue
		}
		there++
		for _, c := range n.Connectors {
			by[c] = true
		}
	}
	e.gauge(nodes, float64(there), "there")
	e.gauge(nodes, float64(len(v.Nodes)-there), "gone")
	for i := range v.Connectors {
		e.gauge(served, truth(by[v.Connectors[i].Name]), v.Connectors[i].Name)
	}
}

func (e emitter) connector(c *hub.ConnectorVitals, now time.Time) {
	for _, state := range store.OpenStates {
		e.gauge(openOperations, float64(c.Queue.Open[state].N), c.Name, string(state))
	}
	for lane, name := range lanes {
		e.gauge(oldestReady, age(c.Queue.Oldest[lane], now), c.Name, name)
	}
	e.gauge(oldestFailing, age(c.Queue.Failing, now), c.Name)
	e.gauge(parkedLeavers, float64(c.Queue.ParkedLeavers.N), c.Name)
	e.gauge(oldestLeaver, max(age(c.Queue.ParkedSince, now), age(c.Queue.LeaverSince, now)), c.Name)
	e.at(lastDone, c.DoneAt, c.Name)
	e.gauge(paused, truth(c.State.Pause() != ""), c.Name)
	e.gauge(stopped, truth(c.State.Stopped != "" || c.State.Held() != ""), c.Name)
	e.gauge(down, truth(c.Down), c.Name)
	e.gauge(quarantined, truth(c.State.Quarantined != ""), c.Name)
	e.gauge(throttled, truth(c.Throttled), c.Name)
	e.gauge(maintenance, truth(c.Maintained), c.Name)
	e.gauge(failures, float64(c.State.Failures), c.Name)
}
