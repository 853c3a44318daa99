package tracing

import (
	"context"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/tracing/tracingtest"
	"github.com/provhub/provhub/logtest"
)

// logger logs to l.
func logger(l *logtest.Log) *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// record makes a trace: a run, and in it what a plugin did.
func record(e *Exporter) {
	var tr span.Tracer
	tr.Use(e, 1)
	ctx, run := tr.Start(context.Background(), "run")
	run.Text("provhub.source", "hr").Number("provhub.operations", 0)
	ctx, call := span.Request(ctx, "Apply")
	_, own, kept := span.Collect(ctx, span.Traceparent(ctx), "create")
	own.End(connector.Errorf(connector.CodeBusy, "jane's account is locked"))
	call.Adopt("provhub-connector-sql", kept.Take())
	call.LinkTo(run)
	call.End(nil)
	run.End(nil)
}

func checkRecorded(t *testing.T, spans []tracingtest.Span) {
	t.Helper()
	require.Len(t, spans, 3)
	by := map[string]tracingtest.Span{}
	for _, s := range spans {
		by[s.Name] = s
	}
	want := map[string]tracingtest.Span{
		"run":    {Service: "provhub", Name: "run", Attributes: map[string]any{"provhub.source": "hr", "provhub.operations": int64(0)}},
		"Apply":  {Service: "provhub", Name: "Apply", Parent: by["run"].ID, Attributes: map[string]any{}, Links: []string{by["run"].ID}},
		"create": {Service: "provhub-connector-sql", Name: "create", Parent: by["Apply"].ID, Error: "BUSY", Attributes: map[string]any{"error.type": "BUSY"}},
	}
	if diff := cmp.Diff(want, by, cmpopts.IgnoreFields(tracingtest.Span{}, "Trace", "ID", "Begun", "End")); diff != "" {
		t.Error(diff)
	}
	for _, s := range spans {
		if s.Trace != spans[0].Trace || len(s.Trace) != 32 || s.Begun.IsZero() || s.End.Before(s.Begun) {
			t.Errorf("%s: trace %s, from %s to %s", s.Name, s.Trace, s.Begun, s.End)
		}
	}
}

// withoutVariables keeps the tester's own settings away.
func withoutVariables(t *testing.T) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
}

func TestSpansReachACollector(t *testing.T) {
	withoutVariables(t)
	plain, _ := tracingtest.OverHTTP(t, false)
	secure, server := tracingtest.OverHTTP(t, true)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	rpc := tracingtest.OverGRPC(t)
	token := map[string]connector.Secret{"X-Token": connector.NewSecret("canary")}
	for name, tc := range map[string]struct {
		to *tracingtest.Collector
		c  config.Tracing
	}{
		"over HTTP":            {plain, config.Tracing{Endpoint: plain.URL}},
		"over HTTPS":           {secure, config.Tracing{Endpoint: secure.URL + "/", CAFile: ca}},
		"over gRPC":            {rpc, config.Tracing{Endpoint: rpc.URL, GRPC: true}},
		"by a path of its own": {plain, config.Tracing{Endpoint: plain.URL + "/v1/traces"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(tc.to.Spans())
			var l logtest.Log
			e, err := Open(tc.c, token, About{Version: "1", Node: "n1"}, logger(&l))
			require.NoError(t, err)
			record(e)
			e.Close()
			require.Empty(t, l.String())
			checkRecorded(t, tc.to.Spans()[before:])
			require.Equal(t, "canary", tc.to.Header()["X-Token"])
		})
	}
}

func TestTheEnvironmentMaySayWhere(t *testing.T) {
	withoutVariables(t)
	e, err := Open(config.Tracing{Sample: 1}, nil, About{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Nil(t, e, "nobody asked for traces")

	web, _ := tracingtest.OverHTTP(t, false)
	rpc := tracingtest.OverGRPC(t)
	for protocol, to := range map[string]*tracingtest.Collector{"http/protobuf": web, "grpc": rpc} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", to.URL)
		t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
		t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=from%20the%20environment")
		t.Setenv("OTEL_SERVICE_NAME", "ours")
		e, err := Open(config.Tracing{Sample: 1}, nil, About{}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		_, s := started(e)
		s.End(nil)
		e.Close()
		require.Len(t, to.Spans(), 1)
		require.Equal(t, "ours", to.Spans()[0].Service)
		require.Equal(t, "from the environment", to.Header()["X-Token"])
	}
	t.Setenv("OTEL_SDK_DISABLED", "true")
	e, err = Open(config.Tracing{}, nil, About{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Nil(t, e)
}

func started(e *Exporter) (context.Context, *span.Span) {
	var tr span.Tracer
	tr.Use(e, 1)
	return tr.Start(context.Background(), "run")
}

func TestSettingsAtFaultAreNamed(t *testing.T) {
	for name, content := range map[string]string{"empty.pem": "", "none.pem": "-"} {
		path := filepath.Join(t.TempDir(), name)
		if content == "" {
			require.NoError(t, os.WriteFile(path, nil, 0o600))
		}
		_, err := Open(config.Tracing{Endpoint: "https://otel.example.org", CAFile: path}, nil, About{}, nil)
		require.ErrorContains(t, err, "tracing.tls_ca_file")
		require.ErrorContains(t, err, name)
	}
}

// collector stands in for the client: it takes what take says.
type collector struct {
	take func(ctx context.Context, spans int) error
}

func (collector) Start(context.Context) error { return nil }
func (collector) Stop(context.Context) error  { return nil }
func (c collector) UploadTraces(ctx context.Context, rs []*tracepb.ResourceSpans) error {
	n := 0
	for _, r := range rs {
		for _, s := range r.GetScopeSpans() {
			n += len(s.GetSpans())
		}
	}
	return c.take(ctx, n)
}

var _ otlptrace.Client = collector{}

func TestThatSpansAreDroppedIsSaidOnce(t *testing.T) {
	var mu sync.Mutex
	down, taken := true, 0
	var l logtest.Log
	e := newExporter(collector{func(_ context.Context, n int) error {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return errors.New("nobody listens")
		}
		taken += n
		return nil
	}}, About{}, logger(&l))
	defer e.Close()
	batch := func() {
		for range batchMax {
			_, s := started(e)
			s.End(nil)
		}
	}
	batch()
	batch()
	require.Eventually(t, func() bool { return e.dropped.Load() == 2*batchMax }, 30*time.Second, time.Millisecond)
	mu.Lock()
	down = false
	mu.Unlock()
	batch()
	batch()
	require.Eventually(t, func() bool { return strings.Contains(l.String(), "again") }, 30*time.Second, time.Millisecond)
	require.Equal(t, 2, strings.Count(l.String(), "\n"), l.String())
	require.Contains(t, l.String(), `error="nobody listens"`)
	require.Contains(t, l.String(), "dropped=1024")
}

func TestACollectorThatHangsHoldsNobodyUp(t *testing.T) {
	var l logtest.Log
	e := newExporter(collector{func(ctx context.Context, _ int) error {
		<-ctx.Done()
		return ctx.Err()
	}}, About{}, logger(&l))
	began := time.Now()
	const all = queueMax + 4*batchMax
	for range all {
		_, s := started(e)
		s.End(nil)
	}
	if took := time.Since(began); took > uploadWithin/2 {
		t.Errorf("recording waited: %s", took)
	}
	began = time.Now()
	e.Close()
	if took := time.Since(began); took > closeWithin+20*time.Second { // much to spare for a busy machine
		t.Errorf("the end waited: %s", took)
	}
	require.Contains(t, l.String(), "traces were dropped")
	require.EqualValues(t, all, e.dropped.Load())
}

// Nobody is called, nor waited for, where nothing was recorded.
func TestAnExporterThatIsNotNeededCallsNobody(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	var said logtest.Log
	e, err := Open(config.Tracing{Endpoint: "http://" + address}, nil, About{}, logger(&said))
	require.NoError(t, err)
	e.Close()
	require.Empty(t, said.String())
}
