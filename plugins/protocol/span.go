package protocol

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/provhub/provhub/connectors/connector/span"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Names in the metadata of a call other than Apply.
const (
	// TraceparentKey is the header with the caller's traceparent (W3C Trace Context).
	TraceparentKey = "traceparent"
	// SpansKey is the trailer with the plugin's spans, see [EncodeSpans].
	SpansKey = "provhub-spans-bin"
)

// What is taken of a plugin's spans.
const (
	spansMax      = span.CollectorMax + 1
	attributesMax = 16
	spanTextMax   = 64
)

var spanKinds = newEnum(map[span.Kind]pb.SpanKind{
	span.Internal: pb.SpanKind_SPAN_KIND_UNSPECIFIED, span.Server: pb.SpanKind_SPAN_KIND_SERVER, span.Client: pb.SpanKind_SPAN_KIND_CLIENT,
})

// ToProtoSpans converts spans that have ended; nil for none.
func ToProtoSpans(ds []span.Data) []*pb.Span {
	var out []*pb.Span
	for i := range ds {
		d := &ds[i]
		p := &pb.Span{Id: d.ID[:], ParentId: d.Parent[:], Name: prose(d.Name), Kind: spanKinds.to[d.Kind],
			StartUnixNano: uint64(d.Begun.UnixNano()), EndUnixNano: uint64(d.End.UnixNano()), ErrorCode: prose(d.Code)}
		for _, at := range d.Attributes {
			a := &pb.SpanAttribute{Key: prose(at.Key), Value: &pb.SpanAttribute_Number{Number: at.Number}}
			if at.Text != "" {
				a.Value = &pb.SpanAttribute_Text{Text: prose(at.Text)}
			}
			p.Attributes = append(p.Attributes, a)
		}
		out = append(out, p)
	}
	return out
}

// FromProtoSpans is the inverse of [ToProtoSpans]. What has no id, or comes on top of what
// a call may have, is left out; texts are cut off, since they are to be codes.
func FromProtoSpans(ps []*pb.Span) []span.Data {
	var out []span.Data
	for _, p := range ps[:min(len(ps), spansMax)] {
		d := span.Data{Name: cut(p.GetName()), Kind: spanKinds.from[p.GetKind()], Code: cut(p.GetErrorCode()),
			Begun: time.Unix(0, int64(p.GetStartUnixNano())), End: time.Unix(0, int64(p.GetEndUnixNano()))}
		copy(d.Parent[:], p.GetParentId())
		if copy(d.ID[:], p.GetId()) != len(d.ID) || d.ID == (span.ID{}) {
			continue
		}
		for _, a := range p.GetAttributes()[:min(len(p.GetAttributes()), attributesMax)] {
			d.Attributes = append(d.Attributes, span.Attribute{Key: cut(a.GetKey()), Text: cut(a.GetText()), Number: a.GetNumber()})
		}
		out = append(out, d)
	}
	return out
}

// cut bounds a code.
func cut(s string) string { return prose(s[:min(len(s), spanTextMax)]) }

// EncodeSpans makes the value of the trailer [SpansKey].
func EncodeSpans(ds []span.Data) (string, error) {
	b, err := proto.Marshal(&pb.Spans{Spans: ToProtoSpans(ds)})
	return string(b), err
}

// DecodeSpans reads the value of the trailer [SpansKey].
func DecodeSpans(value string) ([]span.Data, error) {
	var m pb.Spans
	if err := proto.Unmarshal([]byte(value), &m); err != nil {
		return nil, err
	}
	return FromProtoSpans(m.GetSpans()), nil
}
