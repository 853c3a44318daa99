package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// node is a hub that stands for a node.
type node struct{ h *hub.Hub }

func (n node) Hub() *hub.Hub { return n.h }
func (n node) Serving() bool { return true }

// open opens a hub with a source and a connector, whose plugin is never started.
func open(t testing.TB, m *Metrics) node {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "provhub.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`org: acme
sources:
  - {name: hr, type: csv, path: hr.csv, anchor: id, columns: [{name: id}]}
connectors:
  - {name: crm, plugin: memory, config: {}, attributes: [{to: userName, from: person.id}]}
`), 0o600))
	cfg, err := config.Load(file, config.Settings{})
	require.NoError(t, err)
	h, err := hub.Open(t.Context(), cfg, hub.Options{Actor: "test", Observer: m, Store: []store.Option{store.WithObserver(m.Committed)}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return node{h}
}

// queue puts n operations into crm's queue, the first a leaver's.
func queue(t testing.TB, n node, count int) {
	t.Helper()
	p := &plan.Plan{Hash: "p1", Inputs: plan.Inputs{Source: "hr"}}
	for i := range count {
		a := fmt.Sprint(i)
		p.Operations = append(p.Operations, plan.Operation{
			ID: a, AccountKey: identity.AccountKey{Connector: "crm", Kind: identity.Person, Anchor: a}, Kind: plan.Create, Lane: plan.LaneNormal, Reason: "test",
		})
	}
	p.Operations[0].Lane, p.Operations[0].Kind = plan.LaneLeaver, plan.Disable
	state, at := n.h.State(), time.Now().Add(-time.Hour)
	_, err := state.SavePlan(t.Context(), p, store.PlanProposed, "test", at)
	require.NoError(t, err)
	_, err = state.ApplyPlan(t.Context(), "p1", "test", at)
	require.NoError(t, err)
}

// happen lets something of everything happen.
func happen(m *Metrics) {
	op := &plan.Operation{AccountKey: identity.AccountKey{Connector: "crm", Kind: identity.Person, Anchor: "4711"}, Kind: plan.Create, Lane: plan.LaneNormal}
	m.Finished(&store.Finish{Operation: op, State: store.OpDone, Attempt: &store.Attempt{Took: 30 * time.Millisecond}})
	left := &plan.Operation{AccountKey: op.AccountKey, Kind: plan.Disable, Cause: plan.CauseLeave, Lane: plan.LaneLeaver}
	at := time.Now()
	m.Finished(&store.Finish{Operation: left, State: store.OpDone, ToldAt: at.Add(-3 * time.Second), Now: at})
	m.Finished(&store.Finish{Operation: left, State: store.OpRetry, ToldAt: at.Add(-time.Minute), Now: at}) // not yet
	m.Finished(&store.Finish{Operation: op, State: store.OpRetry, Attempt: &store.Attempt{Took: time.Second, Code: "UNAVAILABLE"}})
	m.Finished(&store.Finish{Operation: op, State: store.OpReady}) // given back: nothing happened
	m.Cycled(&hub.Cycled{Source: "hr", Status: store.PlanApplied, Report: &cycle.Report{New: 3, Changed: 2}, Took: time.Second,
		Phases: map[string]time.Duration{"read": time.Second}})
	m.Cycled(&hub.Cycled{Source: "hr", Push: true, Err: errors.New("no"), Report: &cycle.Report{}})
	m.Ended(store.Run{Kind: "cycle", Subject: "hr", Outcome: store.RunDone})
	m.Committed("finish", time.Millisecond, errors.New("disk full"))
}

func TestWhatHappensIsCounted(t *testing.T) {
	m := New("1.2.3")
	happen(m)
	require.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP provhub_attempts_total Attempts at operations by the code of the answer; OK: it took effect.
# TYPE provhub_attempts_total counter
provhub_attempts_total{code="OK",connector="crm"} 1
provhub_attempts_total{code="UNAVAILABLE",connector="crm"} 1
# HELP provhub_cycles_total Passes over a source by what became of the plan: proposed, held, applied, ..., or failed.
# TYPE provhub_cycles_total counter
provhub_cycles_total{outcome="applied",source="hr"} 1
# HELP provhub_operations_total Operations that ended, or came to wait for a person, by outcome: done, replanned, parked.
# TYPE provhub_operations_total counter
provhub_operations_total{connector="crm",kind="create",lane="normal",outcome="done"} 1
provhub_operations_total{connector="crm",kind="disable",lane="leaver",outcome="done"} 1
# HELP provhub_pushes_total Records that were pushed or read one by one, by what became of the plan, or failed.
# TYPE provhub_pushes_total counter
provhub_pushes_total{outcome="failed",source="hr"} 1
# HELP provhub_runs_total Runs of what is scheduled or asked for, by outcome: done, held, skipped, failed.
# TYPE provhub_runs_total counter
provhub_runs_total{kind="cycle",outcome="done",subject="hr"} 1
# HELP provhub_source_changes_total People and groups that readings found added, changed, vanished, or with a record that could not be used (bad).
# TYPE provhub_source_changes_total counter
provhub_source_changes_total{change="added",source="hr"} 3
provhub_source_changes_total{change="bad",source="hr"} 0
provhub_source_changes_total{change="changed",source="hr"} 2
provhub_source_changes_total{change="vanished",source="hr"} 0
# HELP provhub_store_transaction_failures_total Transactions that ended with an error, refusals included.
# TYPE provhub_store_transaction_failures_total counter
provhub_store_transaction_failures_total{transaction="finish"} 1
`), "provhub_attempts_total", "provhub_cycles_total", "provhub_operations_total", "provhub_pushes_total", "provhub_runs_total",
		"provhub_source_changes_total", "provhub_store_transaction_failures_total"))
}

// QUIRKS Q-33: only what is done was locked out, and nothing else is a lock-out.
func TestLockoutsAreTimed(t *testing.T) {
	m := New("1.2.3")
	happen(m)
	text := scrape(t, m, nil)
	require.Contains(t, text, `provhub_lockout_duration_seconds_bucket{connector="crm",le="2"} 0`+"\n")
	require.Contains(t, text, `provhub_lockout_duration_seconds_bucket{connector="crm",le="5"} 1`+"\n")
	require.Contains(t, text, `provhub_lockout_duration_seconds_count{connector="crm"} 1`+"\n")
}

func TestTheQueueIsSampled(t *testing.T) {
	m := New("1.2.3")
	n := open(t, m)
	queue(t, n, 5)
	require.NotContains(t, scrape(t, m, nil), "provhub_lockout_duration_seconds_count")
	before := scrape(t, m, nil)
	require.NotContains(t, before, "provhub_open_operations", "nobody has looked yet")
	require.NoError(t, n.h.State().Seen(t.Context(), store.Node{Name: "a", Connectors: []string{"crm"}}))
	m.Sample(t.Context(), n)
	text := scrape(t, m, nil)
	for _, line := range []string{
		`provhub_open_operations{connector="crm",state="ready"} 5`, `provhub_open_operations{connector="crm",state="parked"} 0`,
		`provhub_connector_paused{connector="crm"} 0`, `provhub_state_up 1`, `provhub_held_plans{source="hr"} 0`,
		`provhub_lockout_duration_seconds_count{connector="crm"} 0`, `provhub_node_serving 1`, `provhub_nodes{state="there"} 1`, `provhub_nodes{state="gone"} 0`, `provhub_connector_served{connector="crm"} 1`,
	} {
		require.Contains(t, text, line+"\n")
	}
	require.Regexp(t, `provhub_queue_oldest_ready_seconds\{connector="crm",lane="leaver"\} 360\d\.`, text)
	require.Contains(t, text, `provhub_store_transaction_duration_seconds_count{transaction="plan.apply"} 1`)

	require.NoError(t, n.h.Pause(t.Context(), "crm", "test"))
	m.Sample(t.Context(), n)
	require.Contains(t, scrape(t, m, nil), `provhub_connector_paused{connector="crm"} 1`)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	m.Sample(gone, n)
	text = scrape(t, m, nil)
	require.Contains(t, text, "provhub_state_up 0\n")
	require.NotContains(t, text, "provhub_open_operations", "what is not known any more is not told")
}

func TestNamesFollowTheConventions(t *testing.T) {
	m := New("1.2.3")
	n := open(t, m)
	happen(m)
	m.Sample(t.Context(), n)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestNoPersonIsNamed(t *testing.T) {
	m := New("1.2.3")
	n := open(t, m)
	queue(t, n, 3)
	happen(m)
	m.Sample(t.Context(), n)
	require.NotContains(t, scrape(t, m, nil), "4711")
}

func TestWhoMayReadTheMetrics(t *testing.T) {
	get := func(token, from string, header http.Header) int {
		var secret connector.Secret
		if token != "" {
			secret = connector.NewSecret(token)
		}
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr, r.Header = from, header
		w := httptest.NewRecorder()
		New("1").Handler(secret).ServeHTTP(w, r)
		return w.Code
	}
	bearer := func(s string) http.Header { return http.Header{"Authorization": {"Bearer " + s}} }
	for _, c := range []struct {
		name, token, from string
		header            http.Header
		want              int
	}{
		{"this machine", "", "127.0.0.1:4000", nil, 200},
		{"this machine, IPv6", "", "[::1]:4000", nil, 200},
		{"another machine", "", "10.0.0.9:4000", nil, 403},
		{"a proxy on this machine", "", "127.0.0.1:4000", http.Header{"X-Forwarded-For": {"10.0.0.9"}}, 403},
		{"the token", "s3cret", "10.0.0.9:4000", bearer("s3cret"), 200},
		{"another token", "s3cret", "10.0.0.9:4000", bearer("s3cre"), 401},
		{"no token, where one is wanted", "s3cret", "127.0.0.1:4000", nil, 401},
	} {
		require.Equal(t, c.want, get(c.token, c.from, c.header), c.name)
	}
}

func scrape(t testing.TB, m *Metrics, header http.Header) string {
	t.Helper()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr, r.Header = "127.0.0.1:4000", header
	w := httptest.NewRecorder()
	m.Handler(connector.Secret{}).ServeHTTP(w, r)
	require.Equal(t, 200, w.Code, w.Body.String())
	return w.Body.String()
}
