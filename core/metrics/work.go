package metrics

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// work counts what this process does.
type work struct {
	operations  *prometheus.CounterVec
	attempts    *prometheus.CounterVec
	attemptTime *prometheus.HistogramVec
	lockout     *prometheus.HistogramVec

	cycles    *prometheus.CounterVec
	cycleTime *prometheus.HistogramVec
	records   *prometheus.CounterVec
	pushes    *prometheus.CounterVec

	runs        *prometheus.CounterVec
	transaction *prometheus.HistogramVec
	refused     *prometheus.CounterVec
}

// Buckets from quick answers to time-outs, and from commits to long readings.
var (
	callBuckets   = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	commitBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 15}
	// What a push, a schedule and a person who approves make of it.
	lockoutBuckets = []float64{.5, 1, 2, 5, 15, 30, 60, 300, 900, 1800, 3600, 4 * 3600, 24 * 3600}
	cycleBuckets   = []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300, 900, 3600}
)

func newWork() work {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provhub_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "provhub_" + name, Help: help, Buckets: buckets}, labels)
	}
	return work{
		operations: counter("operations_total", "Operations that ended, or came to wait for a person, by outcome: done, replanned, parked.",
			"connector", "kind", "lane", "outcome"),
		attempts:    counter("attempts_total", "Attempts at operations by the code of the answer; OK: it took effect.", "connector", "code"),
		attemptTime: histogram("attempt_duration_seconds", "How long an attempt at an operation took, with all its steps.", callBuckets, "connector"),
		lockout: histogram("lockout_duration_seconds", "How long it took to disable or delete an account of who left or went on leave: from the reading, or the date, that told of it to the target's answer.",
			lockoutBuckets, "connector"),

		cycles:    counter("cycles_total", "Passes over a source by what became of the plan: proposed, held, applied, ..., or failed.", "source", "outcome"),
		cycleTime: histogram("cycle_duration_seconds", "How long a pass over a source took, by phase; all: the whole pass.", cycleBuckets, "source", "phase"),
		records:   counter("source_changes_total", "People and groups that readings found added, changed, vanished, or with a record that could not be used (bad).", "source", "change"),
		pushes:    counter("pushes_total", "Records that were pushed or read one by one, by what became of the plan, or failed.", "source", "outcome"),

		runs:        counter("runs_total", "Runs of what is scheduled or asked for, by outcome: done, held, skipped, failed.", "kind", "subject", "outcome"),
		transaction: histogram("store_transaction_duration_seconds", "How long a transaction took that writes, with the wait for others.", commitBuckets, "transaction"),
		refused:     counter("store_transaction_failures_total", "Transactions that ended with an error, refusals included.", "transaction"),
	}
}

func (w *work) all() []prometheus.Collector {
	return []prometheus.Collector{w.operations, w.attempts, w.attemptTime, w.lockout, w.cycles, w.cycleTime, w.records, w.pushes, w.runs, w.transaction, w.refused}
}

// lanes names the lanes of the queue.
var lanes = map[plan.Lane]string{
	plan.LaneUrgent: "urgent", plan.LaneLeaver: "leaver", plan.LanePushed: "pushed", plan.LaneRevoke: "revoke", plan.LaneNormal: "normal",
}

// outcomes names the states that an operation stays in.
var outcomes = map[store.OpState]string{store.OpDone: "done", store.OpSuperseded: "replanned", store.OpParked: "parked"}

// Finished implements [hub.Observer].
func (w *work) Finished(f *store.Finish) {
	op := f.Operation
	if op == nil {
		return // a dispatcher always knows what it took
	}
	if outcome := outcomes[f.State]; outcome != "" {
		w.operations.WithLabelValues(op.Connector, string(op.Kind), lanes[op.Lane], outcome).Inc()
	}
	if f.State == store.OpDone && !f.ToldAt.IsZero() {
		w.lockout.WithLabelValues(op.Connector).Observe(seconds(f.Now.Sub(f.ToldAt)))
	}
	if a := f.Attempt; a != nil {
		w.attempts.WithLabelValues(op.Connector, cmp.Or(a.Code, "OK")).Inc()
		w.attemptTime.WithLabelValues(op.Connector).Observe(seconds(a.Took))
	}
}

// Cycled implements [hub.Observer].
func (w *work) Cycled(c *hub.Cycled) {
	outcome := string(c.Status)
	if c.Err != nil {
		outcome = "failed"
	}
	if c.Push {
		w.pushes.WithLabelValues(c.Source, outcome).Inc()
		return
	}
	w.cycles.WithLabelValues(c.Source, outcome).Inc()
	w.cycleTime.WithLabelValues(c.Source, "all").Observe(seconds(c.Took))
	for phase, took := range c.Phases {
		w.cycleTime.WithLabelValues(c.Source, phase).Observe(seconds(took))
	}
	if c.Err != nil {
		return
	}
	for change, n := range map[string]int{
		"added": c.Report.New, "changed": c.Report.Changed, "vanished": c.Report.Vanished, "bad": c.Report.FaultCount + c.Report.Source.FaultCount,
	} {
		w.records.WithLabelValues(c.Source, change).Add(float64(n))
	}
}

// Ended counts a run.
func (w *work) Ended(r store.Run) {
	w.runs.WithLabelValues(r.Kind, r.Subject, string(r.Outcome)).Inc()
}

// Committed takes the time of a transaction; see [store.WithObserver].
func (w *work) Committed(name string, took time.Duration, err error) {
	w.transaction.WithLabelValues(name).Observe(seconds(took))
	if err != nil {
		w.refused.WithLabelValues(name).Inc()
	}
}
