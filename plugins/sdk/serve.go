package sdk

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
)

// closeGrace bounds how long targets may take to hang up when the process ends;
// go-plugin kills it 2 s after asking.
const closeGrace = time.Second

// Serve serves d as a plugin and never returns. It exits 0 when the hub asked
// for it or is gone, 1 when the process was not started by a hub.
//
// Whatever the connector or its libraries print to stdout or stderr after this
// call goes to the hub's log as a warning; use [connector.Instance.Log] instead.
func Serve(d *connector.Definition) {
	// go-plugin replaces os.Stderr, and what goes there is lost by default.
	stderr := os.Stderr
	if os.Getenv(protocol.MagicCookieKey) != protocol.MagicCookieValue {
		startedByHand(stderr, d)
		os.Exit(1)
	}
	// Before the first child of the connector can inherit them.
	closeOnExec()
	watchLifeline()
	shield()

	s := newServer(d, stderr)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  protocol.Handshake,
		VersionedPlugins: protocol.PluginSets(s),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts,
				grpc.MaxRecvMsgSize(protocol.MaxMessageBytes), grpc.MaxSendMsgSize(protocol.MaxMessageBytes),
				grpc.ChainUnaryInterceptor(traceUnary), grpc.ChainStreamInterceptor(traceStream))...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Name: "go-plugin", Level: hclog.Warn, Output: stderr, JSONFormat: true}),
	})
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	s.closeAll(ctx)
	os.Exit(0)
}

func startedByHand(w io.Writer, d *connector.Definition) {
	self := os.Args[0]
	fmt.Fprintf(w, `%s %s is a plugin of provhub (connector type %q, protocol %d).
It does nothing when it is started by hand; provhub starts it. You can

  test it         provhub plugin test %s
  use it          provhub plugin pin %s
`, d.DisplayName, d.Version, d.Type, protocol.Major, self, self)
}
