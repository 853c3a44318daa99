package scim

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/provhub/provhub/connectors/connector"
)

// Access says how a service is reached and signed in to, in the form in which a
// config has it. Secrets come apart.
type Access struct {
	BaseURL   string
	Dialect   string // a profile's name, or a file; "": RootProfile
	Overrides map[string]any
	SignIn    SignIn
	// CertificateFile and CAFile are PEM files; "": none, the system's.
	CertificateFile string
	CAFile          string
	AllowInsecure   []string // hosts; see [Options]
}

// SignIn says how requests are signed.
type SignIn struct {
	// Kind is bearer (secret token), oauth2 (client_secret), basic (password), header
	// (header_value) or mtls (none besides client_key); "": bearer.
	Kind         string
	TokenURL     string
	ClientID     string
	Scopes       []string
	Parameters   map[string]string
	SecretInBody bool
	User         string
	Header       string
}

// signInSecrets names the secret that each kind signs in with.
var signInSecrets = map[string]string{"": "token", "bearer": "token", "oauth2": "client_secret", "basic": "password", "header": "header_value", "mtls": ""}

// SecretName returns the name of the secret that s signs in with, "" when it needs
// none; ok is false when there is no such kind.
func (s SignIn) SecretName() (name string, ok bool) {
	name, ok = signInSecrets[s.Kind]
	return name, ok
}

// Effective returns the profile that the dialect and the overrides make.
func (a *Access) Effective() (*Profile, error) {
	p, err := LoadProfile(a.Dialect)
	if err != nil {
		return nil, err
	}
	return p.With(a.Overrides)
}

// Options turns a and its secrets, by name, into what [New] takes. CONFIGURATION
// names the key that is wrong.
func (a *Access) Options(secrets map[string]connector.Secret) (o Options, err error) {
	o = Options{BaseURL: a.BaseURL, AllowInsecure: a.AllowInsecure}
	if o.Profile, err = a.Effective(); err != nil {
		return o, configuration("dialect: " + err.Error())
	}
	if o.Auth, err = a.SignIn.auth(secrets); err != nil {
		return o, err
	}
	if o.CAs, err = a.Authorities(); err != nil {
		return o, err
	}
	if a.CertificateFile != "" {
		cert, err := a.certificate(secrets["client_key"])
		if err != nil {
			return o, err
		}
		o.Certificates = []tls.Certificate{cert}
	}
	return o, nil
}

func (s SignIn) auth(secrets map[string]connector.Secret) (Auth, error) {
	name, ok := s.SecretName()
	if !ok {
		return nil, configuration("there is no way to sign in called " + s.Kind)
	}
	secret := secrets[name]
	if name != "" && secret.IsZero() {
		return nil, configuration("the secret " + name + " is missing; auth.kind " + cmp.Or(s.Kind, "bearer") + " signs in with it")
	}
	switch s.Kind {
	case "oauth2":
		return ClientCredentials(Credentials{TokenURL: s.TokenURL, ClientID: s.ClientID, ClientSecret: secret,
			Scopes: s.Scopes, Parameters: s.Parameters, InBody: s.SecretInBody}), nil
	case "basic":
		return Basic(s.User, secret), nil
	case "header":
		return HeaderAuth(s.Header, secret), nil
	case "mtls":
		return nil, nil
	}
	return Bearer(secret), nil
}

// Authorities returns those of CAFile; nil: the system's.
func (a *Access) Authorities() (*x509.CertPool, error) {
	if a.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, configuration("tls_ca_file: " + err.Error())
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, configuration("tls_ca_file: " + a.CAFile + " holds no certificate in PEM")
	}
	return pool, nil
}

func (a *Access) certificate(key connector.Secret) (tls.Certificate, error) {
	if key.IsZero() {
		return tls.Certificate{}, configuration("the secret client_key is missing; it is the private key of certificate_file")
	}
	pem, err := os.ReadFile(a.CertificateFile)
	if err != nil {
		return tls.Certificate{}, configuration("certificate_file: " + err.Error())
	}
	cert, err := tls.X509KeyPair(pem, []byte(key.Reveal()))
	if err != nil {
		return tls.Certificate{}, configuration("certificate_file: " + a.CertificateFile + " and the secret client_key do not make a pair in PEM")
	}
	return cert, nil
}

func configuration(message string) error {
	return &connector.Error{Code: connector.CodeConfiguration, Message: message}
}
