package ldap

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
)

// Reached is what an attempt to connect found out.
type Reached struct {
	Server Server
	TLS    string // version of TLS, "" for plain text
	Fault  error  // why the connection is of no use, nil when it is
}

// Servers lists the servers of the options, the best first.
func (c *Client) Servers() []Server { return slices.Clone(c.pool.servers) }

// Resolve returns how many addresses the server's name has.
func (s Server) Resolve(ctx context.Context) (int, error) {
	addresses, err := net.DefaultResolver.LookupHost(ctx, s.Host)
	if err != nil {
		return 0, unreachable(s, err)
	}
	return len(addresses), nil
}

// Reach connects to one server and sets up TLS, without a bind, and hangs up.
func (c *Client) Reach(ctx context.Context, s Server) (Reached, error) {
	ctx, cancel := context.WithTimeout(ctx, c.pool.o.ConnectTimeout)
	defer cancel()
	cn, err := c.pool.connect(ctx, s)
	if err != nil {
		return Reached{Server: s}, err
	}
	defer cn.close()
	r := Reached{Server: s}
	if state, ok := cn.ldap.TLSConnectionState(); ok {
		r.TLS = tls.VersionName(state.Version)
	}
	return r, nil
}
