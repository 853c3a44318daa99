package ldap

import (
	"context"
	"crypto/tls"
	"slices"

	"github.com/provhub/provhub/clients/tcp"
)

// Reached is what an attempt to connect found out.
type Reached struct {
	Server Server
	TLS    string // version of TLS, "" for plain text
	Fault  error  // why the connection is of no use, nil when it is
}

// Servers lists the servers of the options, the best first.
func (c *Client) Servers() []Server { return slices.Clone(c.pool.servers) }

// Resolve says how many addresses the server's name has.
func (s Server) Resolve(ctx context.Context) (found string, err error) {
	return s.tcp().Resolve(ctx)
}

func (s Server) tcp() tcp.Server {
	return tcp.Server{Address: s.Address(), What: "directory", Key: "urls"}
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
	if t, ok := cn.tap.Conn.(*tls.Conn); ok {
		r.TLS = tls.VersionName(t.ConnectionState().Version)
	}
	return r, nil
}
