package ldap

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Options say which directory a [Client] speaks to, and how.
type Options struct {
	// URLs are the servers, the best first: ldaps://host[:636] or
	// ldap://host[:389], which is raised to TLS by StartTLS. All connections lead
	// to one server at a time; the next is taken when it cannot be reached.
	URLs []string
	// AllowPlaintext lists hosts that are spoken to without TLS behind ldap://.
	AllowPlaintext []string
	// AllowInsecure lists hosts whose certificate is not checked.
	AllowInsecure []string
	// CAFile is a PEM file with the authorities of the servers' certificates; "":
	// the system's.
	CAFile string
	// CertFile is a PEM file with the client's certificate; its key is ClientKey.
	CertFile  string
	ClientKey connector.Secret

	// BindDN and Password are for a simple bind. With External the bind is SASL
	// EXTERNAL, by the client's certificate.
	BindDN   string
	Password connector.Secret
	External bool

	Timeout        time.Duration // of one request; 0: 30 s
	ConnectTimeout time.Duration // to connect, TLS and bind; 0: 10 s
	Connections    int           // most connections that share the work; 0: 4
	Pipeline       int           // most requests under way on each; 0: 64
	MaxAge         time.Duration // of a connection; 0: 1 h
	IdleTimeout    time.Duration // an unused connection is not trusted for longer; 0: 1 min
	SwitchBack     time.Duration // when the first server is tried again after a fail-over; 0: 5 min
	// DomainScope keeps Active Directory from answering with references to its
	// other partitions, which would make every listing incomplete.
	DomainScope bool
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v > 0 {
		return v
	}
	return fallback
}

func (o *Options) fill() {
	o.Timeout = orDefault(o.Timeout, 30*time.Second)
	o.ConnectTimeout = orDefault(o.ConnectTimeout, 10*time.Second)
	o.Connections = orDefault(o.Connections, 4)
	o.Pipeline = orDefault(o.Pipeline, 64)
	o.MaxAge = orDefault(o.MaxAge, time.Hour)
	o.IdleTimeout = orDefault(o.IdleTimeout, time.Minute)
	o.SwitchBack = orDefault(o.SwitchBack, 5*time.Minute)
}

// Server is one address of a directory.
type Server struct {
	Host, Port string
	// TLS from the first byte (ldaps); else StartTLS.
	TLS bool
}

// Address returns host and port for a dialler.
func (s Server) Address() string { return net.JoinHostPort(s.Host, s.Port) }

// ParseURL reads ldaps://host[:port] or ldap://host[:port]. A base, a filter or
// a login in it is refused: each has a place of its own.
func ParseURL(text string) (Server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Hostname() == "" {
		return Server{}, fmt.Errorf("%q is not the address of a directory, such as ldaps://ldap.example.org", text)
	}
	if u.User != nil || u.RawQuery != "" || u.Path != "" && u.Path != "/" {
		return Server{}, errors.New("the address of a directory is a scheme, a host and a port, and nothing else")
	}
	s := Server{Host: u.Hostname(), Port: u.Port(), TLS: u.Scheme == "ldaps"}
	if s.Port == "" {
		s.Port = map[bool]string{true: "636", false: "389"}[s.TLS]
	}
	return s, nil
}

// plaintext reports whether s is spoken to without TLS.
func (o *Options) plaintext(s Server) bool {
	return !s.TLS && slices.Contains(o.AllowPlaintext, s.Host)
}

// Encrypted reports whether every server is spoken to over TLS.
func (o *Options) Encrypted() bool {
	return !slices.ContainsFunc(o.URLs, func(u string) bool {
		s, err := ParseURL(u)
		return err != nil || o.plaintext(s)
	})
}

// check finds what can never work, before anything is dialled.
func (o *Options) check() error {
	switch {
	case len(o.URLs) == 0:
		return errors.New("no address of a directory is given")
	case o.External && (o.CertFile == "" || o.ClientKey.IsZero()):
		return errors.New("a bind by certificate (EXTERNAL) needs the client's certificate and its key")
	case !o.External && o.BindDN != "" && o.Password.IsZero():
		// RFC 4513 §5.1.2: many servers take a bind without a password for an
		// anonymous one, and call it a success.
		return errors.New("the bind password is empty; a bind without one would be taken as anonymous")
	case !o.External && o.BindDN == "":
		return errors.New("nothing says whom to bind as")
	}
	if _, err := ParseDN(o.BindDN); err != nil && !isPrincipalName(o.BindDN) {
		return err
	}
	return nil
}

// isPrincipalName reports whether s is one of the other names that Active
// Directory takes for a bind: user@domain or DOMAIN\user ([MS-ADTS] §5.1.1.1.1).
func isPrincipalName(s string) bool {
	return !slices.Contains([]byte(s), '=') && (slices.Contains([]byte(s), '@') || slices.Contains([]byte(s), '\\'))
}

// tlsConfig reads the files that o names.
func (o *Options) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("the file of the certificate authority cannot be read: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", o.CAFile)
		}
	}
	if o.CertFile != "" {
		pem, err := os.ReadFile(o.CertFile)
		if err != nil {
			return nil, fmt.Errorf("the file of the client's certificate cannot be read: %w", err)
		}
		pair, err := tls.X509KeyPair(pem, []byte(o.ClientKey.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("the client's certificate in %s and its key do not fit: %w", o.CertFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
