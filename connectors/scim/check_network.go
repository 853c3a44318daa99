package scim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/provhub/provhub/clients/tcp"
	"github.com/provhub/provhub/connectors/connector"
)

// direct reports whether the connector connects to the service itself; else a
// proxy does, and what its name resolves to here means nothing.
func (c *check) direct() bool {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: c.base})
	return err == nil && proxy == nil
}

const throughProxy = "not looked at: the way leads through a proxy"

func (c *check) resolve(ctx context.Context) (string, error) {
	if !c.direct() {
		return throughProxy, nil
	}
	return c.server().Resolve(ctx)
}

func (c *check) connect(ctx context.Context) (string, error) {
	if !c.direct() {
		return throughProxy, nil
	}
	return c.server().Connect(ctx)
}

func (c *check) server() tcp.Server {
	return tcp.Server{Address: hostPort(c.base), What: "service", Key: "base_url"}
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func (c *check) tls(ctx context.Context) (string, error) {
	switch {
	case c.base.Scheme == "http":
		return c.Warn("the connection to " + c.base.Hostname() + " is not encrypted (allow_insecure)"), nil
	case !c.direct():
		return throughProxy, nil
	}
	if host := c.base.Hostname(); slices.Contains(c.t.cfg.AllowInsecure, host) {
		return c.Warn("the certificate of " + host + " is not checked (allow_insecure)"), nil
	}
	pool, err := c.t.cfg.access().Authorities()
	if err != nil {
		return "", err
	}
	d := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}}
	conn, err := d.DialContext(ctx, "tcp", hostPort(c.base))
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		return "", &connector.Error{Code: connector.CodeConfiguration, NativeCode: "TLS",
			Message: "the certificate is not trusted: " + untrusted.Err.Error() + "; tls_ca_file names a private authority"}
	case err != nil:
		return "", &connector.Error{Code: connector.CodeUnavailable, NativeCode: "TLS", Message: "there is no secure connection; does TLS end here?", Cause: err}
	}
	state := conn.(*tls.Conn).ConnectionState()
	leaf := state.PeerCertificates[0]
	return fmt.Sprintf("%s, certificate until %s", tls.VersionName(state.Version), leaf.NotAfter.UTC().Format(time.DateOnly)), conn.Close()
}
