package sftp

import (
	"context"
	"net"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Config says which server, whom it is known by, and who we are. Addr, User and one
// way to log in are required. Without a way to know the host key nothing connects,
// and [LearnHostKeys] shows which keys there are.
type Config struct {
	Addr string // host or host:port; the port is 22 when left out
	User string

	// HostKeys are keys the server may show: "ssh-ed25519 AAAA…", a fingerprint
	// "SHA256:…", or "@cert-authority ssh-ed25519 AAAA…" for an authority that
	// signs host keys. Several serve for rotation and for hosts behind one name.
	HostKeys []string
	// KnownHosts is the path of an OpenSSH known_hosts file, hashed names, revoked
	// keys and authorities included. It may be given together with HostKeys.
	KnownHosts string

	Auth Auth
	// Jump is a server through which the connection goes (OpenSSH ProxyJump). It
	// has host keys and credentials of its own.
	Jump *Config

	ConnectTimeout time.Duration // TCP, handshake and login; 15 s
	// KeepAlive is how often an idle connection is checked; 15 s. Two checks
	// without an answer end it. Negative: not at all.
	KeepAlive time.Duration
	// Stall ends a call during which the server answers nothing for so long; 60 s.
	Stall time.Duration

	// Dial takes the place of [net.Dialer.DialContext]; nil: that.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Auth is how we log in. What is given is offered in the order certificate or
// key, agent, password.
type Auth struct {
	// PrivateKey is a key in PEM or OpenSSH form; PrivateKeyFile the path of one.
	PrivateKey     connector.Secret
	PrivateKeyFile string
	// Passphrase opens an encrypted key.
	Passphrase connector.Secret
	// CertificateFile is the path of an OpenSSH certificate for the key
	// (id_ed25519-cert.pub).
	CertificateFile string
	// Agent is the path of an ssh-agent's socket.
	Agent    string
	Password connector.Secret
}

// isZero reports whether there is no way to log in.
func (a Auth) isZero() bool {
	return a.PrivateKey.IsZero() && a.PrivateKeyFile == "" && a.Agent == "" && a.Password.IsZero()
}

const (
	defaultPort           = "22"
	defaultConnectTimeout = 15 * time.Second
	defaultKeepAlive      = 15 * time.Second
	defaultStall          = time.Minute
)

func (c Config) withDefaults() Config {
	if _, _, err := net.SplitHostPort(c.Addr); err != nil && c.Addr != "" {
		c.Addr = net.JoinHostPort(c.Addr, defaultPort)
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = defaultKeepAlive
	}
	if c.Stall <= 0 {
		c.Stall = defaultStall
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Jump != nil {
		jump := c.Jump.withDefaults()
		c.Jump = &jump
	}
	return c
}

// check returns CONFIGURATION when something required is missing.
func (c Config) check() error {
	switch {
	case c.Addr == "" || c.User == "":
		return connector.Errorf(connector.CodeConfiguration, "the address of the server and the user are required")
	case c.Auth.isZero():
		return connector.Errorf(connector.CodeConfiguration, "no way to log in to %s is given: a key, an agent or a password", c.Addr)
	case c.Jump != nil:
		return c.Jump.check()
	}
	return nil
}
