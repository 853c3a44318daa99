package protocol

import (
	"context"

	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Major is the version of the protocol that this package speaks. A hub and a
// plugin pick the highest one both know (go-plugin VersionedPlugins); within a
// major version fields are only added.
const Major = 1

// MaxMessageBytes bounds one message in each direction; both sides set it. A
// size error is easier to find than a process that ran out of memory.
const MaxMessageBytes = 16 << 20

// The cookie tells a plugin that a hub started it. It protects nothing.
const (
	MagicCookieKey   = "PROVHUB_PLUGIN_COOKIE"
	MagicCookieValue = "d5b9a5f1-connector"
)

// LifelineEnv names the environment variable that holds the number of an open
// descriptor: the read end of a pipe whose write end only the hub has. When it
// ends, the hub is gone and the plugin exits at once.
const LifelineEnv = "PROVHUB_PLUGIN_LIFELINE"

// PluginName is the one name that is dispensed.
const PluginName = "connector"

// Handshake is what both sides give to go-plugin.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  Major,
	MagicCookieKey:   MagicCookieKey,
	MagicCookieValue: MagicCookieValue,
}

// PluginSets is what go-plugin offers on either side. server is nil at the hub.
func PluginSets(server pluginv1.ConnectorServiceServer) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{Major: {PluginName: &grpcPlugin{server: server}}}
}

// grpcPlugin joins the generated service to go-plugin. It uses no broker: the
// plugin never dials the hub.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server pluginv1.ConnectorServiceServer
}

// GRPCServer implements [plugin.GRPCPlugin].
func (p *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pluginv1.RegisterConnectorServiceServer(s, p.server)
	return nil
}

// GRPCClient implements [plugin.GRPCPlugin]; what is dispensed is a
// [pluginv1.ConnectorServiceClient].
func (p *grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return pluginv1.NewConnectorServiceClient(c), nil
}
