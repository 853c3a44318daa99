package scim

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/provhub/provhub/clients/rest"
	"github.com/provhub/provhub/connectors/connector"
)

// Options say how a target is reached.
type Options struct {
	// BaseURL is the address that /Users is below, with a path and a query if the
	// target wants them: "https://api.acme.example/scim/v2".
	BaseURL string
	Profile *Profile // nil: rfc7644
	Auth    Auth     // nil: none, as for mutual TLS
	// CAs are the authorities that the target's certificate is held against; nil:
	// those of the system.
	CAs *x509.CertPool
	// Certificates are those that the client shows (mutual TLS).
	Certificates []tls.Certificate
	// AllowInsecure lists hosts, by name, that may be reached without TLS or whose
	// certificate is not checked.
	AllowInsecure []string
	// Transport replaces the one made from the above. Tests use it.
	Transport http.RoundTripper
	Log       *slog.Logger // nil: none
}

// Client speaks SCIM to one target. It is safe for concurrent use. Every call
// makes one attempt; errors are those of the connector contract, a write whose
// outcome is open is a [connector.Unknown].
type Client struct {
	rest, following *rest.Client // following: reads that may be redirected
	query           string       // of the base address
	auth            Auth
	net             *transports
	log             *slog.Logger
	now             atomic.Pointer[state]
}

// state is what changes when the target told about itself.
type state struct {
	profile *Profile
	limits  *limiter
	schema  *AttributeIndex
}

// New returns a client. CONFIGURATION when the address is none, or is not https and
// its host not in AllowInsecure. Nothing is sent.
func New(o Options) (*Client, error) {
	p := o.Profile
	if p == nil {
		var err error
		if p, err = LoadProfile(RootProfile); err != nil {
			return nil, connector.Errorf(connector.CodeConfiguration, "%w", err)
		}
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, connector.Errorf(connector.CodeConfiguration, "the address is not one such as https://api.acme.example/scim/v2")
	}
	c := &Client{auth: o.Auth, net: newTransports(o, p.Concurrency), log: o.Log, query: u.RawQuery}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if err := c.net.allows(u); err != nil {
		return nil, connector.Errorf(connector.CodeConfiguration, "%w", err)
	}
	u.RawQuery, u.Fragment = "", ""
	if c.rest, err = rest.New(u.String(), nil, c.net.client(false)); err != nil {
		return nil, err
	}
	if c.following, err = rest.New(u.String(), nil, c.net.client(true)); err != nil {
		return nil, err
	}
	if c.auth != nil {
		c.auth.reach(c.net)
	}
	c.now.Store(&state{profile: p, limits: newLimiter(p)})
	return c, nil
}

// Profile returns the effective profile, with what [Client.Discover] found.
func (c *Client) Profile() *Profile { return c.state().profile }

// Attributes returns what the target told of its attributes; nil when it told nothing.
func (c *Client) Attributes() *AttributeIndex { return c.state().schema }

func (c *Client) state() *state { return c.now.Load() }

// Close gives up idle connections. The client can be used again.
func (c *Client) Close() { c.net.close() }
