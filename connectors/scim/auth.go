package scim

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// The secrets that the connector takes.
const (
	secretToken        = "token"
	secretClientSecret = "client_secret"
	secretPassword     = "password"
	secretHeader       = "header_value"
	secretClientKey    = "client_key"
)

var secretSpecs = []connector.SecretSpec{
	{Name: secretToken, Rotatable: true, Description: "Bearer token, with auth.kind bearer"},
	{Name: secretClientSecret, Rotatable: true, Description: "Secret of the OAuth 2.0 client, with auth.kind oauth2"},
	{Name: secretPassword, Rotatable: true, Description: "Password, with auth.kind basic"},
	{Name: secretHeader, Rotatable: true, Description: "Value of the header, with auth.kind header"},
	{Name: secretClientKey, Rotatable: true, Description: "Private key in PEM of certificate_file"},
}

// options turns config and secrets into what the client takes.
func (c *Config) options(p *client.Profile, secrets map[string]connector.Secret) (o client.Options, err error) {
	o = client.Options{BaseURL: c.BaseURL, Profile: p, AllowInsecure: c.AllowInsecure}
	if o.Auth, err = c.signer(secrets); err != nil {
		return o, err
	}
	if o.CAs, err = c.authorities(); err != nil {
		return o, err
	}
	if c.CertificateFile != "" {
		cert, err := c.certificate(secrets[secretClientKey])
		if err != nil {
			return o, err
		}
		o.Certificates = []tls.Certificate{cert}
	}
	return o, nil
}

// authorities returns those of tls_ca_file; nil: the system's.
func (c *Config) authorities() (*x509.CertPool, error) {
	if c.TLSCAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.TLSCAFile)
	if err != nil {
		return nil, configuration("tls_ca_file: " + err.Error())
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, configuration("tls_ca_file: " + c.TLSCAFile + " holds no certificate in PEM")
	}
	return pool, nil
}

func (c *Config) signer(secrets map[string]connector.Secret) (client.Auth, error) {
	a := c.Auth
	kind := orElse(a.Kind, "bearer")
	name := map[string]string{"bearer": secretToken, "oauth2": secretClientSecret, "basic": secretPassword, "header": secretHeader}[kind]
	s := secrets[name]
	if name != "" && s.IsZero() {
		return nil, configuration("secrets/" + name + " is missing; auth.kind " + kind + " signs in with it")
	}
	switch kind {
	case "oauth2":
		return client.ClientCredentials(client.Credentials{TokenURL: a.TokenURL, ClientID: a.ClientID, ClientSecret: s,
			Scopes: a.Scopes, Parameters: a.Parameters, InBody: a.SecretInBody}), nil
	case "basic":
		return client.Basic(a.User, s), nil
	case "header":
		return client.HeaderAuth(a.Header, s), nil
	case "mtls":
		return nil, nil
	}
	return client.Bearer(s), nil
}

func (c *Config) certificate(key connector.Secret) (tls.Certificate, error) {
	if key.IsZero() {
		return tls.Certificate{}, configuration("secrets/" + secretClientKey + " is missing; it is the private key of certificate_file")
	}
	pem, err := os.ReadFile(c.CertificateFile)
	if err != nil {
		return tls.Certificate{}, configuration("certificate_file: " + err.Error())
	}
	cert, err := tls.X509KeyPair(pem, []byte(key.Reveal()))
	if err != nil {
		return tls.Certificate{}, configuration("certificate_file: " + c.CertificateFile + " and the secret client_key do not make a pair in PEM")
	}
	return cert, nil
}
