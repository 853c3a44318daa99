// Package tracingtest is a collector for tests: it takes OTLP over HTTP and gRPC, and
// keeps what it gets.
package tracingtest

import (
	"context"
	"encoding/hex"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// Span is a span as it came in; ids are in hexadecimal digits.
type Span struct {
	Service, Trace, ID, Parent, Name string
	Begun, End                       time.Time
	// Error is the message of its status, "" when that is not an error.
	Error string
	// Attributes are its attributes, numbers as int64.
	Attributes map[string]any
	Links      []string // ids of spans
}

// Collector keeps spans. Its address is of one protocol.
type Collector struct {
	coltracepb.UnimplementedTraceServiceServer
	URL string

	mu     sync.Mutex
	spans  []Span
	header map[string]string
}

// OverHTTP starts a collector; tls: with the certificate that [httptest.Server] has.
func OverHTTP(t testing.TB, tls bool) (*Collector, *httptest.Server) {
	c := &Collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", c.post)
	s := httptest.NewUnstartedServer(mux)
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	c.URL = s.URL
	return c, s
}

// OverGRPC starts a collector.
func OverGRPC(t testing.TB) *Collector {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &Collector{URL: "http://" + l.Addr().String()}
	s := grpc.NewServer()
	coltracepb.RegisterTraceServiceServer(s, c)
	go func() { _ = s.Serve(l) }() // ends with Stop
	t.Cleanup(s.Stop)
	return c
}

func (c *Collector) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var m coltracepb.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &m)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "this is not OTLP", http.StatusBadRequest)
		return
	}
	header := map[string]string{}
	for name := range r.Header {
		header[name] = r.Header.Get(name)
	}
	c.take(&m, header)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// Export implements the service of OTLP over gRPC.
func (c *Collector) Export(ctx context.Context, m *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	header := map[string]string{}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		for name, values := range md {
			header[http.CanonicalHeaderKey(name)] = values[0]
		}
	}
	c.take(m, header)
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

func (c *Collector) take(m *coltracepb.ExportTraceServiceRequest, header map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = header
	for _, r := range m.GetResourceSpans() {
		service, _ := attributes(r.GetResource().GetAttributes())["service.name"].(string)
		for _, scope := range r.GetScopeSpans() {
			for _, p := range scope.GetSpans() {
				s := Span{
					Service: service, Trace: hex.EncodeToString(p.GetTraceId()), ID: hex.EncodeToString(p.GetSpanId()), Parent: hex.EncodeToString(p.GetParentSpanId()),
					Name: p.GetName(), Begun: time.Unix(0, int64(p.GetStartTimeUnixNano())), End: time.Unix(0, int64(p.GetEndTimeUnixNano())),
					Error: p.GetStatus().GetMessage(), Attributes: attributes(p.GetAttributes()),
				}
				for _, l := range p.GetLinks() {
					s.Links = append(s.Links, hex.EncodeToString(l.GetSpanId()))
				}
				c.spans = append(c.spans, s)
			}
		}
	}
}

func attributes(kvs []*commonpb.KeyValue) map[string]any {
	out := map[string]any{}
	for _, kv := range kvs {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[kv.GetKey()] = v.IntValue
		}
	}
	return out
}

// Spans are all that came in so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Header are the headers of the last request.
func (c *Collector) Header() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.header)
}
