package connectortest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/sdk"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// host runs the plugin under test, in one of two ways.
type host interface {
	// name is "in-process" or "process".
	name() string
	start(ctx context.Context) (running, error)
}

// running is a plugin that answers.
type running interface {
	rpc() pluginv1.ConnectorServiceClient
	log() string
	// pid is 0 in-process.
	pid() int
	stop()
}

// inProcess serves the plugin's side of the protocol in this process.
type inProcess struct {
	serve func(log io.Writer) pluginv1.ConnectorServiceServer
}

func (h inProcess) name() string { return "in-process" }

func (h inProcess) start(context.Context) (running, error) {
	r := &served{logs: &logBuffer{}}
	l := bufconn.Listen(1 << 20)
	r.server = grpc.NewServer(grpc.MaxRecvMsgSize(protocol.MaxMessageBytes), grpc.MaxSendMsgSize(protocol.MaxMessageBytes))
	pluginv1.RegisterConnectorServiceServer(r.server, h.serve(r.logs))
	go func() { _ = r.server.Serve(l) }() // ends with Stop
	conn, err := grpc.NewClient("passthrough:plugin",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(protocol.MaxMessageBytes), grpc.MaxCallSendMsgSize(protocol.MaxMessageBytes)))
	if err != nil {
		r.server.Stop()
		return nil, err
	}
	r.conn = conn
	return r, nil
}

type served struct {
	server *grpc.Server
	conn   *grpc.ClientConn
	logs   *logBuffer
}

func (r *served) rpc() pluginv1.ConnectorServiceClient {
	return pluginv1.NewConnectorServiceClient(r.conn)
}
func (r *served) log() string { return r.logs.String() }
func (r *served) pid() int    { return 0 }

func (r *served) stop() {
	_ = r.conn.Close()
	r.server.Stop()
}

// outOfProcess starts the plugin's binary with the hub's own launcher.
type outOfProcess struct{ path string }

func (h outOfProcess) name() string { return "process" }

func (h outOfProcess) start(ctx context.Context) (running, error) {
	r := &launched{logs: &logBuffer{}, printed: &logBuffer{}}
	var err error
	r.p, err = pluginhost.Launch(ctx, pluginhost.Config{Path: h.path, Dev: true, Log: slog.New(slog.NewTextHandler(r.printed, nil))}, r.logs)
	if err != nil {
		return nil, err
	}
	return r, nil
}

type launched struct {
	p       *pluginhost.Process
	logs    *logBuffer // what it logs, as it is
	printed *logBuffer // that and what it prints, as the hub writes it
}

func (r *launched) rpc() pluginv1.ConnectorServiceClient { return r.p.RPC() }
func (r *launched) log() string                          { return r.logs.String() }
func (r *launched) pid() int                             { return r.p.PID() }
func (r *launched) stop()                                { r.p.Stop(2 * time.Second) }

// hostsOf returns the ways in which the target can be run.
func hostsOf(t *Target) []host {
	var hs []host
	if t.Definition != nil {
		hs = append(hs, inProcess{func(log io.Writer) pluginv1.ConnectorServiceServer { return sdk.NewServerLogging(t.Definition, log) }})
	}
	if t.Binary != "" {
		hs = append(hs, outOfProcess{t.Binary})
	}
	return hs
}

// logBuffer keeps what a plugin logs, the last of it when that is much.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

const maxLog = 4 << 20

// Write implements [io.Writer].
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() > maxLog {
		l.b.Next(maxLog / 2)
	}
	return l.b.Write(p)
}

// String returns what was written.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// exists reports whether a process with this id runs.
func exists(pid int) bool {
	_, err := os.Stat(procPath(pid, ""))
	return err == nil
}
