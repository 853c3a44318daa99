package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// TestMain is also the plugin that the process tests start.
func TestMain(m *testing.M) {
	if os.Getenv(protocol.MagicCookieKey) != "" || len(os.Args) == 2 && os.Args[1] == "by-hand" {
		Serve(processDefinition)
	}
	goleak.VerifyTestMain(m)
}

// syncBuffer is a log that tests read while the server writes.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

// dial serves d over a connection in memory.
func dial(t testing.TB, d *connector.Definition, log io.Writer) pb.ConnectorServiceClient {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	srv := grpc.NewServer(grpc.MaxRecvMsgSize(protocol.MaxMessageBytes))
	pb.RegisterConnectorServiceServer(srv, NewServerLogging(d, log))
	go func() { _ = srv.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:///lab", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); srv.Stop(); _ = lis.Close() })
	return pb.NewConnectorServiceClient(conn)
}

func serve(t testing.TB, target connector.Target) pb.ConnectorServiceClient {
	t.Helper()
	c := dial(t, labDefinition(func(labConfig, connector.Instance) (connector.Target, error) { return target, nil }), io.Discard)
	configure(t, c, `{"url":"https://lab.example"}`)
	return c
}

func configure(t testing.TB, c pb.ConnectorServiceClient, config string) *pb.ConfigureResponse {
	t.Helper()
	r, err := c.Configure(t.Context(), &pb.ConfigureRequest{InstanceId: "lab", ConfigJson: []byte(config),
		Secrets: protocol.ToProtoSecrets(map[string]connector.Secret{"token": connector.NewSecret("canary-token")})})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func openApply(t testing.TB, c pb.ConnectorServiceClient) grpc.BidiStreamingClient[pb.ApplyRequest, pb.ApplyResponse] {
	t.Helper()
	s, err := c.Apply(t.Context())
	if err == nil {
		err = s.Send(&pb.ApplyRequest{Message: &pb.ApplyRequest_Open{Open: &pb.ApplyOpen{InstanceId: "lab"}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sendOps(t testing.TB, s grpc.BidiStreamingClient[pb.ApplyRequest, pb.ApplyResponse], ops ...connector.Operation) {
	t.Helper()
	b := &pb.OperationBatch{}
	for _, op := range ops {
		p, err := protocol.ToProtoOperation(op)
		if err != nil {
			t.Fatal(err)
		}
		b.Operations = append(b.Operations, p)
	}
	if err := s.Send(&pb.ApplyRequest{Message: &pb.ApplyRequest_Batch{Batch: b}}); err != nil {
		t.Fatal(err)
	}
}

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

func TestConfigFaultsAreAllToldAtOnceAndByPath(t *testing.T) {
	c := dial(t, labDefinition(func(labConfig, connector.Instance) (connector.Target, error) { return bare{}, nil }), io.Discard)
	for _, tt := range []struct {
		name, config string
		secrets      []string
		want         []string
	}{
		{"good", `{"url":"https://x","mode":"fast","wait":"30s","inner":{"depth":2},"names":["a"]}`, []string{"token"}, nil},
		{"three mistakes", `{"mode":"faster","inner":{"dept":1},"url":7}`, []string{"token"}, []string{
			"/inner/dept: is not an option of this connector (options here: depth)",
			"/inner/depth: is required and not set (how deep)",
			"/mode: value must be one of 'fast', 'slow' (how hard to try)",
			"/url: got number, want string (where the target is)"}},
		{"not JSON", `{"url":`, []string{"token"}, []string{": the config is not JSON: unexpected EOF ()"}},
		{"nothing", ``, nil, []string{"/url: is required and not set (where the target is)", "secrets/token: this secret is required and was not given (the API token)"}},
		{"a duration", `{"url":"x","wait":"soon"}`, []string{"token"}, []string{`/wait: is not of the form ^[0-9]+(\.[0-9]+)?(ms|s|m|h)([0-9]+(ms|s|m))*$ ()`}},
		{"in a list", `{"url":"x","names":["a",1]}`, []string{"token"}, []string{"/names/1: got number, want string ()"}},
		{"a secret too many", `{"url":"x"}`, []string{"token", "tokn"}, []string{"secrets/tokn: this connector takes no secret of that name ()"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := c.ValidateConfig(t.Context(), &pb.ValidateConfigRequest{ConfigJson: []byte(tt.config), SecretNames: tt.secrets})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range protocol.FromProtoFindings(r.Diagnostics) {
				got = append(got, fmt.Sprintf("%s: %s (%s)", f.Path, f.Summary, f.Detail))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// closing counts how often a target was closed.
type closing struct {
	lab
	url    string
	closed *journal
}

func (c closing) Close(context.Context) error { c.closed.add("%s", c.url); return nil }

func TestConfigureAgainReplacesTheTargetAndAFaultLeavesItAlone(t *testing.T) {
	var used, closed journal
	c := dial(t, labDefinition(func(cfg labConfig, _ connector.Instance) (connector.Target, error) {
		if cfg.URL == "down" {
			return nil, connector.Errorf(connector.CodeUnavailable, "connection refused, canary-token")
		}
		if cfg.URL == "panic" {
			panic("no")
		}
		return closing{url: cfg.URL, closed: &closed, lab: lab{func(context.Context, connector.Operation) error { used.add("%s", cfg.URL); return nil }}}, nil
	}), io.Discard)

	if r := configure(t, c, `{"url":"one"}`); len(r.Diagnostics) != 0 || r.Error != nil || len(r.Capabilities.Operations) != 8 {
		t.Fatalf("got %v", r)
	}
	s := openApply(t, c)
	apply := func(id string) {
		sendOps(t, s, update(id))
		if _, err := s.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	apply("1")
	if r := configure(t, c, `{}`); len(r.Diagnostics) != 1 {
		t.Errorf("a bad config: got %v", r)
	}
	if r := configure(t, c, `{"url":"down"}`); r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_UNAVAILABLE || strings.Contains(r.Error.Message, "canary") {
		t.Errorf("a target that is down: got %v", r)
	}
	if r := configure(t, c, `{"url":"panic"}`); r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_INTERNAL {
		t.Errorf("a connector that panics: got %v", r)
	}
	apply("2")
	configure(t, c, `{"url":"two"}`)
	apply("3")
	if _, err := c.Release(t.Context(), &pb.ReleaseRequest{InstanceId: "lab"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Release(t.Context(), &pb.ReleaseRequest{InstanceId: "lab"}); err != nil {
		t.Errorf("releasing twice: %v", err)
	}
	if d := cmp.Diff([]string{"one", "one", "two"}, used.all()); d != "" {
		t.Errorf("used (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"one", "two"}, closed.all()); d != "" {
		t.Errorf("closed (-want +got):\n%s", d)
	}
	sendOps(t, s, update("4"))
	if _, err := s.Recv(); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("an operation for a released instance: %v", err)
	}
	if _, err := c.Get(t.Context(), &pb.GetRequest{InstanceId: "lab"}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a read from a released instance: %v", err)
	}
}

// rotating takes new secrets while it runs.
type rotating struct {
	lab
	got *journal
}

func (r rotating) RotateSecrets(_ context.Context, s map[string]connector.Secret) error {
	if v := s["token"].Reveal(); v == "refused-secret" {
		return connector.Errorf(connector.CodeAuthentication, "%s is no good", v)
	}
	r.got.add("%s", s["token"].Reveal())
	return nil
}

func TestRotatedSecretsAreUsedFromThenOn(t *testing.T) {
	for name, wrap := range map[string]func(j *journal, in connector.Instance) connector.Target{
		"by a target that takes them": func(j *journal, in connector.Instance) connector.Target { return rotating{lab{done}, j} },
		"by opening it anew": func(j *journal, in connector.Instance) connector.Target {
			if v := in.Secret("token").Reveal(); v != "canary-token" {
				j.add("%s", v)
			}
			return lab{done}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var j journal
			c := dial(t, labDefinition(func(_ labConfig, in connector.Instance) (connector.Target, error) {
				if in.Secret("token").Reveal() == "refused-secret" {
					return nil, connector.Errorf(connector.CodeAuthentication, "refused-secret is no good")
				}
				return wrap(&j, in), nil
			}), io.Discard)
			configure(t, c, `{"url":"x"}`)
			rotate := func(v string) *pb.Error {
				r, err := c.RotateSecrets(t.Context(), &pb.RotateSecretsRequest{InstanceId: "lab", Secrets: protocol.ToProtoSecrets(map[string]connector.Secret{"token": connector.NewSecret(v)})})
				if err != nil {
					t.Fatal(err)
				}
				return r.Error
			}
			if e := rotate("second-secret"); e != nil {
				t.Errorf("got %v", e)
			}
			if e := rotate("refused-secret"); e.GetCode() != pb.ErrorCode_ERROR_CODE_AUTHENTICATION || strings.Contains(e.GetMessage(), "refused-secret") {
				t.Errorf("got %v", e)
			}
			if d := cmp.Diff([]string{"second-secret"}, j.all()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// waitInFlight returns once n operations are under way.
func waitInFlight(t *testing.T, c pb.ConnectorServiceClient, n int64) {
	t.Helper()
	for {
		h, err := c.Health(t.Context(), &pb.HealthRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if h.InFlight == n && h.HeapBytes > 0 && h.Goroutines > 0 && h.Instances[0].InstanceId == "lab" {
			return
		}
		time.Sleep(time.Millisecond)
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

func TestAReplacedSecretReachesTheHubEvenIfItListensLater(t *testing.T) {
	var replaced func(string, connector.Secret)
	log := &syncBuffer{}
	c := dial(t, labDefinition(func(_ labConfig, in connector.Instance) (connector.Target, error) {
		replaced = in.SecretReplaced
		in.Log.Warn("refreshed", "token", "fresh-secret")
		return lab{done}, nil
	}), log)
	configure(t, c, `{"url":"x"}`)
	replaced("token", connector.NewSecret("fresh-secret"))
	s, err := c.Events(t.Context(), &pb.EventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := s.Recv()
	if err != nil || ev.InstanceId != "lab" || string(ev.GetSecretReplaced().GetValue()) != "fresh-secret" {
		t.Errorf("got an event of %q, %v", ev.GetInstanceId(), err)
	}
}

func TestLogLinesNameTheOperationAndHideSecrets(t *testing.T) {
	log := &syncBuffer{}
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
	lines := logLines(t, log.bytes())
	if len(lines) != 1 {
		t.Fatalf("got %d lines", len(lines))
	}
	delete(lines[0], "@timestamp")
	want := map[string]any{"@level": "warn", "@message": "sent ***", "instance": "lab", "operation_id": "op-1", "attempt": 2.0, "traceparent": "00-abc", "token": "***", "secret": "***"}
	if d := cmp.Diff(want, lines[0]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
