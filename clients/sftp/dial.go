package sftp

import (
	"context"
	"net"

	"golang.org/x/crypto/ssh"

	"github.com/provhub/provhub/connectors/connector"
)

// dial connects, knows the server and logs in.
func dial(ctx context.Context, c Config) (*ssh.Client, func(), error) {
	p, err := newPins(c)
	if err != nil {
		return nil, nil, err
	}
	if p.none() {
		return nil, nil, &connector.Error{Code: connector.CodeConfiguration, NativeCode: "SSH host key", Scope: connector.ScopeInstance,
			Message: "no host key is pinned for " + c.Addr + ", so nothing connects; compare the fingerprint that `host_key` shows with what the server's owner says, and pin the key"}
	}
	methods, closeAgent, err := c.Auth.methods(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer closeAgent()
	ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
	defer cancel()
	conn, closeJump, err := dialTCP(ctx, c)
	if err != nil {
		return nil, nil, connectError(ctx, c.Addr, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	sc, channels, requests, err := ssh.NewClientConn(conn, c.Addr, &ssh.ClientConfig{
		Config: modern(), User: c.User, Auth: methods,
		HostKeyCallback: p.check, HostKeyAlgorithms: p.algorithms,
	})
	if err == nil && !stop() {
		err = ctx.Err() // the connection is being closed
	}
	if err != nil {
		_ = conn.Close()
		closeJump()
		return nil, nil, connectError(ctx, c.Addr, err)
	}
	return ssh.NewClient(sc, channels, requests), closeJump, nil
}

// dialTCP opens the connection that the handshake runs over: straight, or from
// the server that c jumps through. closeJump ends the latter.
func dialTCP(ctx context.Context, c Config) (conn net.Conn, closeJump func(), err error) {
	if c.Jump == nil {
		conn, err = c.Dial(ctx, "tcp", c.Addr)
		return conn, func() {}, err
	}
	jump := *c.Jump
	jump.Dial = c.Dial
	client, closeNext, err := dial(ctx, jump)
	if err != nil {
		e := *connector.AsError(err)
		e.Message = "the jump host: " + e.Message
		return nil, nil, &e
	}
	closeJump = func() { _ = client.Close(); closeNext() }
	if conn, err = client.DialContext(ctx, "tcp", c.Addr); err != nil {
		closeJump()
		return nil, nil, connector.Errorf(connector.CodeUnavailable, "the jump host %s does not reach %s: %w", jump.Addr, c.Addr, err)
	}
	return conn, closeJump, nil
}
