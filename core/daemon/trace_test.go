package daemon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/api"
	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/tracing/tracingtest"
)

// traced starts a node whose traces go to a collector, with the push API.
func traced(t *testing.T, l *lab, more string) (*node, *tracingtest.Collector) {
	c, _ := tracingtest.OverHTTP(t, false)
	l.top += fmt.Sprintf("tracing: {endpoint: %q%s}\n", c.URL, more)
	n := l.open("a")
	n.before = func(n *daemon.Node) {
		n.Mount("/v1/", func(h *hub.Hub) (http.Handler, error) {
			return api.New(n, api.Options{Token: connector.NewSecret("let-me-in"), Wait: time.Minute, Log: h.Log(), Traces: h.Traces()})
		})
	}
	n.run("a")
	return n, c
}

// path is how a span hangs together with those above it: "cycle > plan > read".
func path(all []tracingtest.Span, s tracingtest.Span) string {
	for _, p := range all {
		if p.ID == s.Parent && p.Trace == s.Trace {
			return path(all, p) + " > " + s.Name
		}
	}
	return s.Name
}

// await waits until spans of one trace hang together as each of want says, and returns
// all of that trace.
func await(l *lab, c *tracingtest.Collector, trace string, want ...string) (spans []tracingtest.Span) {
	l.t.Helper()
	var has map[string]bool
	l.within(time.Minute, "the spans", func() bool {
		has, spans = map[string]bool{}, nil
		all := c.Spans()
		for _, s := range all {
			if s.Trace == trace {
				has[path(all, s)] = true
				spans = append(spans, s)
			}
		}
		for _, w := range want {
			if !has[w] {
				return false
			}
		}
		return true
	})
	return spans
}

func find(t *testing.T, spans []tracingtest.Span, name string) tracingtest.Span {
	t.Helper()
	for _, s := range spans {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no span %s", name)
	return tracingtest.Span{}
}

// One trace goes from the run over the operation into the plugin, and to its requests.
func TestATraceGoesFromTheRunIntoThePlugin(t *testing.T) {
	each(t, []string{"crm"}, func(t *testing.T, l *lab) {
		l.people("1,ann,here", "2,bo,here")
		n, c := traced(t, l, "")
		l.eventually("crm", map[string]bool{"ann": true, "bo": true})
		n.drained()
		n.close()

		cycle := find(t, c.Spans(), "cycle")
		spans := await(l, c, cycle.Trace, "cycle > plan > plugins", "cycle > plan > read", "cycle > plan > evaluate", "cycle > plan > guard",
			"cycle > apply > operation > Apply > create > INSERT", "cycle > apply > operation > Apply > create > COMMIT")
		require.Equal(t, "hr", cycle.Attributes["provhub.source"])
		plan, op, create := find(t, spans, "plan"), find(t, spans, "operation"), find(t, spans, "create")
		require.EqualValues(t, 2, plan.Attributes["provhub.operations"])
		require.Equal(t, map[string]any{"provhub.connector": "crm", "provhub.operation": op.Attributes["provhub.operation"], "provhub.plan": plan.Attributes["provhub.plan"],
			"provhub.kind": "create", "provhub.attempt": int64(1), "provhub.state": "done"}, op.Attributes)
		require.Equal(t, []string{"provhub", "provhub-connector-sql"}, []string{op.Service, create.Service})
		require.Len(t, op.Links, 1, "it names the batch it was taken with")
		require.Equal(t, op.Links[0], find(t, c.Spans(), "take").ID)
		require.Contains(t, n.logs.String(), "trace="+cycle.Trace, "the end of the run names its trace")
		require.NotContains(t, fmt.Sprint(c.Spans()), "ann", "spans tell of nobody")
	})
}

// A push goes on with its caller's trace, says so, and keeps to what that wants recorded.
func TestAPushGoesOnWithItsCallersTrace(t *testing.T) {
	const request = "POST /v1/sources/{source}/push"
	l := newLab(t, "sqlite:state.db", "crm")
	l.people("1,ann,here")
	n, c := traced(t, l, ", sample: 0")
	l.eventually("crm", map[string]bool{"ann": true})
	n.drained()
	for flags, login := range map[string]string{"01": "bo", "00": "cy"} {
		trace := "4bf92f3577b34da6a3ce929d0e0e47" + flags
		require.Equal(t, trace, push(t, n, map[string]any{"id": "9" + flags, "login": login, "status": "here"}, "00-"+trace+"-00f067aa0ba902b7-"+flags))
		require.Contains(t, n.logs.String(), "trace="+trace)
	}
	l.eventually("crm", map[string]bool{"ann": true, "bo": true, "cy": true})
	n.drained()
	n.close()
	spans := await(l, c, "4bf92f3577b34da6a3ce929d0e0e4701", request+" > push > plan > read", request+" > push > apply > operation > Apply > create > INSERT")
	require.Equal(t, "00f067aa0ba902b7", find(t, spans, request).Parent)
	require.Len(t, c.Spans(), len(spans), "nothing else is recorded")
}

// push pushes a record over HTTP and returns the trace that the answer names.
func push(t *testing.T, n *node, record map[string]any, traceparent string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"record": record})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.Address()+"/v1/sources/hr/push", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer let-me-in")
	r.Header.Set("Traceparent", traceparent)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	var out api.Result
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	require.Equal(t, []any{http.StatusOK, "done"}, []any{resp.StatusCode, out.Status}, "%+v", out)
	return out.Trace
}

// Reading a target shows what its plugin asked it. A collector that is gone is said once
// and holds nothing up, and a reload leads to another.
func TestReconciliationIsTracedAndTracesMayFail(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm")
	l.people("1,ann,here")
	l.top = "tracing: {endpoint: \"http://127.0.0.1:1\"}\n" // nobody listens
	n := l.start("a")
	l.eventually("crm", map[string]bool{"ann": true})
	n.drained()
	l.within(time.Minute, "the word that traces are dropped", func() bool { return strings.Contains(n.logs.String(), "traces are not taken") })

	c, _ := tracingtest.OverHTTP(t, false)
	l.top = fmt.Sprintf("tracing: {endpoint: %q}\n", c.URL)
	l.write()
	n.Reload(t.Context())
	require.Equal(t, 1, strings.Count(n.logs.String(), "traces are not taken"))
	r, err := n.Hub().ReconcileOne(t.Context(), "crm", hub.ReconcileOptions{})
	require.NoError(t, err)
	n.close()
	await(l, c, r.Trace, "reconcile > List > List > SELECT")
}
