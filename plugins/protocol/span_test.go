package protocol

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector/span"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

func TestSpansComeBackAsSent(t *testing.T) {
	sent := []span.Data{
		{ID: span.ID{1}, Parent: span.ID{2}, Name: "create", Kind: span.Server, Begun: time.Unix(1, 2), End: time.Unix(3, 4), Code: "BUSY",
			Attributes: []span.Attribute{{Key: "a", Text: "b"}, {Key: "n", Number: 7}}},
		{ID: span.ID{3}, Parent: span.ID{1}, Name: "PATCH", Kind: span.Client, Begun: time.Unix(1, 2), End: time.Unix(1, 2)},
	}
	value, err := EncodeSpans(sent)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeSpans(value)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sent, got); d != "" {
		t.Error(d)
	}
	if _, err := DecodeSpans("not a message"); err == nil {
		t.Error("what is no message was read")
	}
}

// A plugin cannot make the hub keep more than a call may have, nor texts that are no codes.
func TestOfAPluginsSpansOnlySoMuchIsTaken(t *testing.T) {
	var sent []*pb.Span
	for range 1000 {
		s := &pb.Span{Id: []byte("12345678"), Name: strings.Repeat("n", 1000), ErrorCode: "\xff"}
		for range 100 {
			s.Attributes = append(s.Attributes, &pb.SpanAttribute{Key: "k", Value: &pb.SpanAttribute_Text{Text: strings.Repeat("v", 1000)}})
		}
		sent = append(sent, s)
	}
	sent[1].Id, sent[2].Id = nil, []byte("123")
	got := FromProtoSpans(sent)
	if len(got) != spansMax-2 || len(got[0].Attributes) != attributesMax || len(got[0].Name) != spanTextMax || len(got[0].Attributes[0].Text) != spanTextMax || got[0].Code != "\uFFFD" {
		t.Errorf("%d spans; the first: %+v", len(got), got[0])
	}
}
