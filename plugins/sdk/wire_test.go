package sdk

import (
	"context"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
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
