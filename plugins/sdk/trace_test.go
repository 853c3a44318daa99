package sdk

import (
	"context"
	"fmt"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// asks is a target whose calls make a request each.
func asks(ctx context.Context, op connector.Operation) error {
	_, s := span.Request(ctx, "PATCH")
	s.End(nil)
	if op.Meta().ID == "bad" {
		return connector.Errorf(connector.CodeInvalidValue, "jane is too long")
	}
	return nil
}

// traces applies operations and returns the spans of each result, as "parent/name code".
func traces(t *testing.T, target connector.Target, ops ...connector.Operation) map[string][]string {
	t.Helper()
	s := openApply(t, serve(t, target))
	sendOps(t, s, ops...)
	got := map[string][]string{}
	for len(got) < len(ops) {
		m, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range m.GetBatch().GetResults() {
			got[r.GetOperationId()] = spanNames(r)
		}
	}
	return got
}

func spanNames(r *pb.Result) []string {
	out := []string{}
	names := map[span.ID]string{{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}: "hub"}
	ds := protocol.FromProtoSpans(r.GetSpans())
	for _, d := range ds {
		names[d.ID] = d.Name
	}
	for _, d := range ds {
		out = append(out, fmt.Sprintf("%s/%s %s", names[d.Parent], d.Name, d.Code))
	}
	return out
}

const recorded, notRecorded = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

func tracedUpdate(id, traceparent string) connector.Operation {
	return connector.Update{Call: connector.Call{ID: id, Key: id, Trace: traceparent}}
}

func TestResultsHaveTheSpansThatTheHubAskedFor(t *testing.T) {
	got := traces(t, lab{asks}, tracedUpdate("good", recorded), tracedUpdate("bad", recorded), tracedUpdate("sampled out", notRecorded), tracedUpdate("none", ""))
	want := map[string][]string{
		"good": {"update/PATCH ", "hub/update "}, "bad": {"update/PATCH ", "hub/update INVALID_VALUE"}, "sampled out": {}, "none": {},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
