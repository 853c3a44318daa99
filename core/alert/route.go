package alert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/secret"
)

// sender carries messages to people.
type sender interface {
	// send returns nil when the message was taken.
	send(ctx context.Context, m *Message, body []byte) error
}

// route is one way to tell people.
type route struct {
	config.Route
	sender
}

// Routes are the ways of a config.
type Routes struct{ all []route }

// NewRoutes opens the ways of a config: it fetches their secrets and certificates, and
// connects to nobody. All that is wrong is in the error.
func NewRoutes(cfg *config.Config) (*Routes, error) {
	rs := &Routes{}
	var errs []error
	for _, c := range cfg.Alerts.Webhooks {
		roots, err := trust(c.CAFile)
		address := connector.NewSecret(c.URL)
		if c.URLSecret != "" {
			address = fetch(cfg, c.URLSecret, &err)
		}
		w := newWebhook(address, fetch(cfg, c.Secret, &err), roots)
		rs.all = append(rs.all, route{c.Route, w})
		errs = append(errs, named(c.Route, err))
	}
	for _, c := range cfg.Alerts.Mail {
		roots, err := trust(c.CAFile)
		m := newMailer(c, fetch(cfg, c.Password, &err), roots)
		rs.all = append(rs.all, route{c.Route, m})
		errs = append(errs, named(c.Route, err))
	}
	return rs, errors.Join(errs...)
}

func named(r config.Route, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("alerts: %s: %w", r.Name, err)
}

// fetch returns the secret called name, the zero Secret for "". What fails is added to
// err.
func fetch(cfg *config.Config, name string, err *error) connector.Secret {
	for _, s := range cfg.Secrets {
		if s.Name == name {
			v, failed := secret.Resolve(s)
			*err = errors.Join(*err, failed)
			return v
		}
	}
	return connector.Secret{}
}

// trust makes the TLS settings of a client that believes the authorities in a PEM file;
// "": those of the system.
func trust(file string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return c, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("tls_ca_file: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return c, fmt.Errorf("tls_ca_file: there is no certificate in %s", file)
	}
	return c, nil
}

// Close gives back what the ways hold.
func (rs *Routes) Close() {
	for _, r := range rs.all {
		if w, ok := r.sender.(*webhook); ok {
			w.close()
		}
	}
}

// ways say what each takes.
func (rs *Routes) ways() []config.Route {
	out := make([]config.Route, len(rs.all))
	for i, r := range rs.all {
		out[i] = r.Route
	}
	return out
}

func (rs *Routes) byName(name string) *route {
	for i := range rs.all {
		if rs.all[i].Name == name {
			return &rs.all[i]
		}
	}
	return nil
}
