package tracing

import (
	"net/url"
	"os"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/provhub/provhub/connectors/connector/span"
)

// About says which process exports.
type About struct {
	Version, Node string
}

const service = "provhub"

// resource describes a process: the hub, or one of its plugins. What the environment says
// in OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME goes before what we say of the hub.
func resource(a About, process string) *resourcepb.Resource {
	facts := map[string]string{"service.name": service, "service.version": a.Version, "service.instance.id": a.Node}
	for pair := range strings.SplitSeq(os.Getenv("OTEL_RESOURCE_ATTRIBUTES"), ",") {
		name, value, _ := strings.Cut(pair, "=")
		if plain, err := url.PathUnescape(strings.TrimSpace(value)); err == nil && strings.TrimSpace(name) != "" {
			facts[strings.TrimSpace(name)] = plain
		}
	}
	if name := os.Getenv("OTEL_SERVICE_NAME"); name != "" {
		facts["service.name"] = name
	}
	if process != "" {
		facts["service.name"] = process
		delete(facts, "service.version") // is the hub's
	}
	r := &resourcepb.Resource{}
	for name, value := range facts {
		if value != "" {
			r.Attributes = append(r.Attributes, text(name, value))
		}
	}
	return r
}

// toProto sorts spans by the process in which they took place.
func toProto(a About, batch []*span.Data) []*tracepb.ResourceSpans {
	of := map[string]*tracepb.ScopeSpans{}
	var out []*tracepb.ResourceSpans
	for _, d := range batch {
		scope := of[d.Process]
		if scope == nil {
			scope = &tracepb.ScopeSpans{Scope: &commonpb.InstrumentationScope{Name: service}}
			of[d.Process] = scope
			out = append(out, &tracepb.ResourceSpans{Resource: resource(a, d.Process), ScopeSpans: []*tracepb.ScopeSpans{scope}})
		}
		scope.Spans = append(scope.Spans, spanToProto(d))
	}
	return out
}

var kinds = map[span.Kind]tracepb.Span_SpanKind{
	span.Internal: tracepb.Span_SPAN_KIND_INTERNAL, span.Server: tracepb.Span_SPAN_KIND_SERVER, span.Client: tracepb.Span_SPAN_KIND_CLIENT,
}

func spanToProto(d *span.Data) *tracepb.Span {
	p := &tracepb.Span{
		TraceId: d.Trace[:], SpanId: d.ID[:], Name: d.Name, Kind: kinds[d.Kind], Flags: 1,
		StartTimeUnixNano: nanos(d.Begun), EndTimeUnixNano: nanos(d.End),
	}
	if d.Parent != (span.ID{}) {
		p.ParentSpanId = d.Parent[:]
	}
	for _, at := range d.Attributes {
		if at.Text != "" {
			p.Attributes = append(p.Attributes, text(at.Key, at.Text))
			continue
		}
		p.Attributes = append(p.Attributes, &commonpb.KeyValue{Key: at.Key,
			Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: at.Number}}})
	}
	for _, l := range d.Links {
		p.Links = append(p.Links, &tracepb.Span_Link{TraceId: l.Trace[:], SpanId: l.ID[:]})
	}
	if d.Code != "" {
		p.Attributes = append(p.Attributes, text("error.type", d.Code))
		p.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: d.Code}
	}
	return p
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func nanos(t time.Time) uint64 { return uint64(max(0, t.UnixNano())) }
