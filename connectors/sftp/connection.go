package sftp

import (
	"sync"
	"time"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
)

// The secrets of the connector.
const (
	secretPassword       = "password"
	secretKey            = "private_key"
	secretPassphrase     = "passphrase"
	secretJumpPassword   = "jump_password"
	secretJumpKey        = "jump_private_key"
	secretJumpPassphrase = "jump_passphrase"
	secretPGPKey         = "pgp_private_key"
	secretPGPPassphrase  = "pgp_passphrase"
)

var secrets = []connector.SecretSpec{
	{Name: secretPassword, Rotatable: true, Description: "Password of the user on the server"},
	{Name: secretKey, Rotatable: true, Description: "Private key to log in with, in PEM or OpenSSH form"},
	{Name: secretPassphrase, Rotatable: true, Description: "Passphrase of the private key"},
	{Name: secretJumpPassword, Rotatable: true, Description: "Password of the user on the jump host"},
	{Name: secretJumpKey, Rotatable: true, Description: "Private key for the jump host"},
	{Name: secretJumpPassphrase, Rotatable: true, Description: "Passphrase of the private key for the jump host"},
	{Name: secretPGPKey, Rotatable: true, Description: "Our OpenPGP private key, armored, with which files are signed"},
	{Name: secretPGPPassphrase, Rotatable: true, Description: "Passphrase of the OpenPGP private key"},
}

// connection is the client's config.
func (c *Config) connection(secret map[string]connector.Secret) client.Config {
	out := client.Config{
		Addr: c.Host, User: c.User, HostKeys: c.HostKeys, KnownHosts: c.KnownHostsFile,
		Auth: client.Auth{
			PrivateKey: secret[secretKey], PrivateKeyFile: c.KeyFile, Passphrase: secret[secretPassphrase],
			CertificateFile: c.CertificateFile, Agent: c.Agent, Password: secret[secretPassword],
		},
		ConnectTimeout: time.Duration(c.ConnectTimeout), KeepAlive: time.Duration(c.KeepAlive), Stall: time.Duration(c.StallTimeout),
	}
	if j := c.Jump; j != nil {
		out.Jump = &client.Config{
			Addr: j.Host, User: j.User, HostKeys: j.HostKeys, KnownHosts: j.KnownHostsFile,
			Auth: client.Auth{
				PrivateKey: secret[secretJumpKey], PrivateKeyFile: j.KeyFile, Passphrase: secret[secretJumpPassphrase],
				CertificateFile: j.CertificateFile, Password: secret[secretJumpPassword],
			},
			ConnectTimeout: out.ConnectTimeout, KeepAlive: out.KeepAlive, Stall: out.Stall,
		}
	}
	return out
}

// link is a client in use. One that is replaced is closed after the last use.
type link struct {
	*client.Client

	mu      sync.Mutex
	uses    int
	retired bool
}

// server returns the client; release gives it back.
func (t *Target) server() (srv *client.Client, release func()) {
	t.mu.Lock()
	l := t.link
	l.mu.Lock()
	l.uses++
	l.mu.Unlock()
	t.mu.Unlock()
	return l.Client, l.release
}

func (l *link) release() {
	l.mu.Lock()
	l.uses--
	last := l.retired && l.uses == 0
	l.mu.Unlock()
	if last {
		_ = l.Close()
	}
}

func (l *link) retire() {
	l.mu.Lock()
	l.retired = true
	idle := l.uses == 0
	l.mu.Unlock()
	if idle {
		_ = l.Close()
	}
}
