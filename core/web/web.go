// Package web serves the pages for people: how the hub stands, what failed and how
// to mend it, one person, plans and their approval, runs and the audit trail. Pages
// are made on the server and work without JavaScript; htmx refreshes what changes.
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/secret"
	"github.com/provhub/provhub/core/signin"
)

// site is what all requests share.
type site struct {
	hub  *hub.Hub
	log  *slog.Logger
	now  func() time.Time
	desk *signin.Desk
	// provider vouches for people; nil: they sign in with passwords only.
	provider     *signin.Provider
	providerName string

	ask     Asker // nil: nothing runs by itself here
	jar     jar
	proxies []netip.Prefix
	pages   pages
}

// New returns the handler of all pages of h, as the section web of its config says,
// which must be there. ask has something run now; nil: nobody can ask for that. It starts nothing and asks nobody: an identity provider is found
// when the first person comes. Errors are about files and secrets that the config names.
func New(h *hub.Hub, ask Asker) (http.Handler, error) {
	cfg := h.Config().Web
	s := &site{
		hub: h, log: h.Log(), now: h.Now, ask: ask, proxies: cfg.TrustedProxies,
		desk: signin.New(h.State(), signin.Options{Idle: cfg.Idle, Absolute: cfg.Absolute, Now: h.Now}),
		jar:  jar{secure: strings.HasPrefix(cfg.URL, "https:")},
	}
	var err error
	if s.pages, err = parsePages(); err != nil {
		return nil, err
	}
	if cfg.OIDC != nil {
		if s.provider, err = newProvider(h.Config()); err != nil {
			return nil, err
		}
		s.providerName = cfg.OIDC.Name
	}
	return s.handler(cfg.URL)
}

// Check says why nobody could sign in as the config says: a secret or file that it names
// cannot be had. The identity provider is asked, and unready is what is wrong with that.
func Check(ctx context.Context, cfg *config.Config) (unready, err error) {
	if cfg.Web == nil || cfg.Web.OIDC == nil {
		return nil, nil
	}
	p, err := newProvider(cfg)
	if err != nil {
		return nil, err
	}
	return p.Ready(ctx), nil
}

func newProvider(cfg *config.Config) (*signin.Provider, error) {
	c := cfg.Web.OIDC
	o := signin.ProviderOptions{
		Issuer: c.Issuer, ClientID: c.ClientID, RedirectURL: cfg.Web.URL + callbackPath, Scopes: c.Scopes,
		Client: &http.Client{Timeout: 10 * time.Second},
	}
	for _, r := range c.Roles {
		o.Grants = append(o.Grants, signin.Grant{Claim: r.Claim, Value: r.Value, Role: signin.Role(r.Role)})
	}
	var errs []error
	if c.ClientSecret != "" {
		s, err := secret.Named(cfg, c.ClientSecret)
		if err != nil {
			errs = append(errs, fmt.Errorf("web.oidc.client_secret: %w", err))
		}
		o.ClientSecret = s
	}
	if c.CAFile != "" {
		t, err := trusting(c.CAFile)
		if err != nil {
			errs = append(errs, fmt.Errorf("web.oidc.%w", err))
		}
		o.Client.Transport = t
	}
	return signin.NewProvider(o), errors.Join(errs...)
}

// trusting returns a transport that trusts the authorities in a PEM file alone.
func trusting(file string) (*http.Transport, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls_ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("tls_ca_file: " + file + " holds no certificate")
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}
