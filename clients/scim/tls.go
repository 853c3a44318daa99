package scim

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// maxRedirects bounds how often a read is sent elsewhere.
const maxRedirects = 3

// transports makes the ways to the network: TLS, checked, unless a host is listed.
type transports struct {
	insecure []string // hosts by name
	rt       http.RoundTripper
}

func newTransports(o Options, concurrency int) *transports {
	t := &transports{insecure: o.AllowInsecure, rt: o.Transport}
	if t.rt != nil {
		return t
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.CAs, Certificates: o.Certificates}
	t.rt = byHost{secure: newTransport(secure, concurrency), insecure: t.insecure, unchecked: newTransport(unchecked(secure), concurrency)}
	return t
}

func newTransport(c *tls.Config, concurrency int) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: c, ForceAttemptHTTP2: true,
		DialContext:         (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: 15 * time.Second, IdleConnTimeout: 90 * time.Second,
		MaxIdleConnsPerHost: concurrency,
	}
}

func unchecked(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.InsecureSkipVerify = true //nolint:gosec // for the hosts that the config lists
	return c
}

// byHost checks certificates, except those of the hosts that are listed.
type byHost struct {
	secure, unchecked *http.Transport
	insecure          []string
}

// RoundTrip implements [http.RoundTripper].
func (b byHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if slices.Contains(b.insecure, r.URL.Hostname()) {
		return b.unchecked.RoundTrip(r)
	}
	return b.secure.RoundTrip(r)
}

// allows refuses an address without TLS whose host is not listed.
func (t *transports) allows(u *url.URL) error {
	switch {
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil:
		return fmt.Errorf("%q is not an address such as https://api.acme.example/scim/v2", u.Redacted())
	case u.Scheme == "http" && !slices.Contains(t.insecure, u.Hostname()):
		return fmt.Errorf("http://%s would send tokens and names in the clear; use https, or list %q in allow_insecure", u.Host, u.Hostname())
	}
	return nil
}

// client returns an HTTP client. follow lets reads go where the same host sends
// them; nothing ever follows to another one, which would get the signature.
func (t *transports) client(follow bool) *http.Client {
	return &http.Client{Transport: t.rt, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		from := via[len(via)-1]
		if follow && len(via) <= maxRedirects && from.Method == http.MethodGet && r.URL.Host == from.URL.Host && r.URL.Scheme == from.URL.Scheme {
			return nil
		}
		return http.ErrUseLastResponse
	}}
}

// close gives up idle connections.
func (t *transports) close() {
	(&http.Client{Transport: t.rt}).CloseIdleConnections()
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] calls.
func (b byHost) CloseIdleConnections() {
	b.secure.CloseIdleConnections()
	b.unchecked.CloseIdleConnections()
}
