package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/logtest"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

func TestEveryOperationIsAnsweredExactlyOnceAndTheStreamEnds(t *testing.T) {
	s := openApply(t, serve(t, lab{func(_ context.Context, op connector.Operation) error {
		if strings.HasSuffix(op.Meta().ID, "3") {
			return connector.Errorf(connector.CodeInvalidValue, "no threes")
		}
		return nil
	}}))
	const n = 1000
	for i := range n {
		sendOps(t, s, update(fmt.Sprint(i), key(fmt.Sprint(i%17))))
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	seen, failed := map[string]int{}, 0
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range m.GetBatch().GetResults() {
			seen[r.OperationId]++
			if r.Outcome == pb.Outcome_OUTCOME_FAILED {
				failed++
			}
		}
	}
	if len(seen) != n || failed != n/10 {
		t.Errorf("%d ids, %d failed; want %d and %d", len(seen), failed, n, n/10)
	}
	for id, k := range seen {
		if k != 1 {
			t.Errorf("%s: answered %d times", id, k)
		}
	}
}

func TestAnOperationThatCannotBeReadIsRefusedAndTheStreamGoesOn(t *testing.T) {
	s := openApply(t, serve(t, lab{done}))
	if err := s.Send(&pb.ApplyRequest{Message: &pb.ApplyRequest_Batch{Batch: &pb.OperationBatch{Operations: []*pb.Operation{{OperationId: "1"}}}}}); err != nil {
		t.Fatal(err)
	}
	m, err := s.Recv()
	if err != nil || m.GetBatch().GetResults()[0].GetError().GetCode() != pb.ErrorCode_ERROR_CODE_UNSUPPORTED {
		t.Fatalf("got %v, %v", m, err)
	}
	sendOps(t, s, update("2"))
	if m, err = s.Recv(); err != nil || m.GetBatch().GetResults()[0].GetOutcome() != pb.Outcome_OUTCOME_APPLIED {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestApplyNeedsAnOpenInstance(t *testing.T) {
	c := serve(t, lab{done})
	for name, tt := range map[string]struct {
		first *pb.ApplyRequest
		want  codes.Code
	}{
		"an instance that is not there": {&pb.ApplyRequest{Message: &pb.ApplyRequest_Open{Open: &pb.ApplyOpen{InstanceId: "other"}}}, codes.FailedPrecondition},
		"no open at all":                {&pb.ApplyRequest{Message: &pb.ApplyRequest_Cancel{Cancel: &pb.Cancel{OperationId: "1"}}}, codes.InvalidArgument},
	} {
		s, err := c.Apply(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(tt.first); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(); status.Code(err) != tt.want {
			t.Errorf("%s: got %v; want %s", name, err, tt.want)
		}
	}
}

func TestDescribeNeedsNoConfig(t *testing.T) {
	c := dial(t, labDefinition(nil), io.Discard)
	r, err := c.Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	d := protocol.FromProtoDescription(r)
	if d.Type != "lab" || d.Version != "1.2.3" || d.SDKVersion != Version || !json.Valid(d.ConfigSchema) || len(d.Secrets) != 1 || d.Capabilities.MaxInFlight != 4 {
		t.Errorf("got %+v", d)
	}
}

// QUIRKS Q-42
func TestLogLinesNameTheOperationAndHideSecrets(t *testing.T) {
	log := &logtest.Log{}
	c := dial(t, labDefinition(func(_ labConfig, in connector.Instance) (connector.Target, error) {
		return lab{func(ctx context.Context, op connector.Operation) error {
			in.Log.WarnContext(ctx, "sent canary-password", "token", in.Secret("token").Reveal(), "secret", in.Secret("token"))
			return nil
		}}, nil
	}), log)
	configure(t, c, `{"url":"x"}`)
	s := openApply(t, c)
	sendOps(t, s, connector.SetCredential{Call: connector.Call{ID: "op-1", Attempt: 2, Trace: "00-abc"}, Credential: connector.NewSecret("canary-password")})
	if _, err := s.Recv(); err != nil {
		t.Fatal(err)
	}
	lines := logLines(t, log.String())
	if len(lines) != 1 {
		t.Fatalf("got %d lines", len(lines))
	}
	delete(lines[0], "@timestamp")
	want := map[string]any{"@level": "warn", "@message": "sent ***", "instance": "lab", "operation_id": "op-1", "attempt": 2.0, "traceparent": "00-abc", "token": "***", "secret": "***"}
	if d := cmp.Diff(want, lines[0]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
