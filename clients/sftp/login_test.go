package sftp

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

func keyPair(t testing.TB) (ed25519.PrivateKey, ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return key, signer
}

func file(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func line(key ssh.PublicKey) string { return keyText(key) }

// QUIRKS FILE-5: every way to know a server, and none to trust any.
func TestHostKeyPinning(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	_, other := keyPair(t)
	known := knownhosts.Normalize(s.Addr())
	fingerprint := func(key string) string {
		k, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key))
		require.NoError(t, err)
		return ssh.FingerprintSHA256(k)
	}
	for _, tt := range []struct {
		name  string
		keys  []string
		hosts string
		ok    bool
	}{
		{name: "the key", keys: []string{s.HostKey()}, ok: true},
		{name: "one of several", keys: []string{line(other.PublicKey()), s.HostKey()}, ok: true},
		{name: "its fingerprint", keys: []string{fingerprint(s.HostKey())}, ok: true},
		{name: "another key", keys: []string{line(other.PublicKey())}},
		{name: "another fingerprint", keys: []string{fingerprint(line(other.PublicKey()))}},
		{name: "known_hosts", hosts: known + " " + s.HostKey(), ok: true},
		{name: "known_hosts, hashed", hosts: knownhosts.HashHostname(known) + " " + s.HostKey(), ok: true},
		{name: "known_hosts, another key", hosts: known + " " + line(other.PublicKey())},
		{name: "known_hosts, two keys", hosts: known + " " + line(other.PublicKey()) + "\n" + known + " " + s.HostKey(), ok: true},
		{name: "known_hosts, revoked", hosts: known + " " + s.HostKey() + "\n@revoked " + known + " " + s.HostKey()},
		{name: "known_hosts and a pin", hosts: known + " " + line(other.PublicKey()), keys: []string{s.HostKey()}, ok: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := to(s, s.Addr())
			cfg.HostKeys = tt.keys
			if tt.hosts != "" {
				cfg.KnownHosts = file(t, tt.hosts+"\n")
			}
			before := s.Count("login")
			err := client(t, cfg).Connect(context.Background())
			if tt.ok {
				require.NoError(t, err)
				return
			}
			e := failed(t, err, connector.CodeConfiguration)
			require.Equal(t, connector.ScopeInstance, e.Scope)
			require.Contains(t, e.Message, fingerprint(s.HostKey()), "the error says which key it was")
			require.Equal(t, before, s.Count("login"), "no credentials were sent")
		})
	}
}

// A certificate authority for hosts stands for keys nobody has seen.
func TestHostCertificate(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	_, authority := keyPair(t)
	_, host := keyPair(t)
	cert := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity}
	require.NoError(t, cert.SignCert(rand.Reader, authority))
	signer, err := ssh.NewCertSigner(cert, host)
	require.NoError(t, err)
	s.SetHostKey(signer)

	cfg := to(s, s.Addr())
	cfg.HostKeys = []string{"@cert-authority " + line(authority.PublicKey())}
	require.NoError(t, client(t, cfg).Connect(context.Background()))
	cfg.HostKeys, cfg.KnownHosts = nil, file(t, "@cert-authority "+knownhosts.Normalize(s.Addr())+" "+line(authority.PublicKey())+"\n")
	require.NoError(t, client(t, cfg).Connect(context.Background()))
	cfg.HostKeys, cfg.KnownHosts = []string{"@cert-authority " + line(host.PublicKey())}, ""
	failed(t, client(t, cfg).Connect(context.Background()), connector.CodeConfiguration)
}

// A key that changes is a CONFIGURATION error every time, until it is pinned.
func TestHostKeyChange(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	old := to(s, s.Addr())
	c := client(t, old)
	require.NoError(t, c.Connect(context.Background()))
	require.NoError(t, s.RotateHostKey())
	s.Disconnect()
	for range 2 {
		require.Eventually(t, func() bool {
			return connector.IsCode(c.Connect(context.Background()), connector.CodeConfiguration)
		}, 30*time.Second, time.Millisecond)
	}
	both := to(s, s.Addr())
	both.HostKeys = append(both.HostKeys, old.HostKeys...)
	require.NoError(t, client(t, both).Connect(context.Background()))
}

func TestLearnHostKeys(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	keys, err := LearnHostKeys(context.Background(), Config{Addr: s.Addr()})
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, s.HostKey(), keys[0].Key)
	require.True(t, strings.HasPrefix(keys[0].Fingerprint, "SHA256:"))
	require.Zero(t, s.Count("login"))

	_, err = LearnHostKeys(context.Background(), Config{Addr: "127.0.0.1:1"})
	failed(t, err, connector.CodeUnavailable)

	cfg, _, _ := openSSH(t)
	keys, err = LearnHostKeys(context.Background(), Config{Addr: cfg.Addr})
	require.NoError(t, err)
	require.Len(t, keys, 2, "an Ed25519 and an RSA key")
	for _, k := range keys { // either of them alone will do
		pinned := cfg
		pinned.KnownHosts, pinned.HostKeys = "", []string{k.Key}
		require.NoError(t, client(t, pinned).Connect(context.Background()))
	}
}

func TestWithoutPinsOrLogin(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	for name, change := range map[string]func(*Config){
		"an empty known_hosts":        func(c *Config) { c.HostKeys, c.KnownHosts = nil, file(t, "") },
		"no such known_hosts":         func(c *Config) { c.HostKeys, c.KnownHosts = nil, "/no/such/file" },
		"a word for a host key":       func(c *Config) { c.HostKeys = []string{"any"} },
		"half a fingerprint":          func(c *Config) { c.HostKeys = []string{"SHA256:abc"} },
		"no login":                    func(c *Config) { c.Auth = Auth{} },
		"a key that is none":          func(c *Config) { c.Auth.PrivateKey = connector.NewSecret("nonsense") },
		"no such key file":            func(c *Config) { c.Auth.PrivateKeyFile = "/no/such/key" },
		"no address":                  func(c *Config) { c.Addr = "" },
		"a jump host without a login": func(c *Config) { c.Jump = &Config{Addr: "h", User: "u"} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := to(s, s.Addr())
			change(&cfg)
			_, err := New(cfg)
			failed(t, err, connector.CodeConfiguration)
		})
	}
}

// QUIRKS FILE-5: without a pin there is no connection, to the server or a host on
// the way.
func TestNoPinNoConnection(t *testing.T) {
	s, jump := fake(t, fakesftp.Options{}), fake(t, fakesftp.Options{Forward: true, User: "jump"})
	bare := to(s, s.Addr())
	bare.HostKeys = nil
	failed(t, client(t, bare).Connect(context.Background()), connector.CodeConfiguration)
	via, behind := to(jump, jump.Addr()), to(s, s.Addr())
	via.HostKeys, behind.Jump = nil, &via
	failed(t, client(t, behind).Connect(context.Background()), connector.CodeConfiguration)
	require.Zero(t, s.Count("connection")+jump.Count("connection"))
}

// QUIRKS FILE-20: every way to log in.
func TestLogins(t *testing.T) {
	key, signer := keyPair(t)
	_, authority := keyPair(t)
	plain := pemOf(t, key, "")
	locked := pemOf(t, key, "opensesame")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaSigner, err := ssh.NewSignerFromKey(rsaKey)
	require.NoError(t, err)
	cert := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"feed"}, ValidBefore: ssh.CertTimeInfinity}
	require.NoError(t, cert.SignCert(rand.Reader, authority))
	withKey := fake(t, fakesftp.Options{AuthorizedKeys: []string{line(signer.PublicKey()), line(rsaSigner.PublicKey())}})
	withCert := fake(t, fakesftp.Options{UserAuthority: line(authority.PublicKey())})
	secret := connector.NewSecret
	for _, tt := range []struct {
		name string
		srv  *fakesftp.Server
		auth Auth
		code connector.Code
	}{
		{name: "password", srv: withKey, auth: Auth{Password: secret(withKey.Password())}},
		{name: "wrong password", srv: withKey, auth: Auth{Password: secret("wrong")}, code: connector.CodeAuthentication},
		{name: "key", srv: withKey, auth: Auth{PrivateKey: secret(plain)}},
		{name: "key from a file", srv: withKey, auth: Auth{PrivateKeyFile: file(t, plain)}},
		{name: "RSA key", srv: withKey, auth: Auth{PrivateKey: secret(pemOf(t, rsaKey, ""))}},
		{name: "encrypted key", srv: withKey, auth: Auth{PrivateKey: secret(locked), Passphrase: secret("opensesame")}},
		{name: "a key that is not accepted", srv: withCert, auth: Auth{PrivateKey: secret(plain)}, code: connector.CodeAuthentication},
		{name: "a key that is not accepted, then a password", srv: withCert, auth: Auth{PrivateKey: secret(plain), Password: secret(withCert.Password())}},
		{name: "certificate", srv: withCert, auth: Auth{PrivateKey: secret(plain), CertificateFile: file(t, line(cert))}},
		{name: "agent", srv: withKey, auth: Auth{Agent: agentWith(t, key)}},
		{name: "no agent", srv: withKey, auth: Auth{Agent: "/no/such/socket"}, code: connector.CodeConfiguration},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := to(tt.srv, tt.srv.Addr())
			cfg.Auth = tt.auth
			err := client(t, cfg).Connect(context.Background())
			if tt.code == 0 {
				require.NoError(t, err)
				return
			}
			failed(t, err, tt.code)
		})
	}
	for name, auth := range map[string]Auth{
		"encrypted, no passphrase":    {PrivateKey: secret(locked)},
		"encrypted, wrong passphrase": {PrivateKey: secret(locked), Passphrase: secret("wrong")},
		"certificate of another key":  {PrivateKey: secret(pemOf(t, rsaKey, "")), CertificateFile: file(t, line(cert))},
		"a key as certificate":        {PrivateKey: secret(plain), CertificateFile: file(t, line(signer.PublicKey()))},
	} {
		t.Run(name, func(t *testing.T) {
			e := failed(t, auth.Check(), connector.CodeConfiguration)
			require.NotContains(t, e.Error(), "opensesame")
		})
	}
}

func pemOf(t testing.TB, key any, passphrase string) string {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	require.NoError(t, err)
	return string(pem.EncodeToMemory(block))
}

// agentWith serves an ssh-agent with one key and returns its socket.
func agentWith(t testing.TB, key any) string {
	t.Helper()
	ring := agent.NewKeyring()
	require.NoError(t, ring.Add(agent.AddedKey{PrivateKey: key}))
	dir, err := os.MkdirTemp("", "agent") // the path of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
	return l.Addr().String()
}

func TestJumpHost(t *testing.T) {
	target := fake(t, fakesftp.Options{})
	jump := fake(t, fakesftp.Options{Forward: true, User: "jump"})
	cfg, via := to(target, target.Addr()), to(jump, jump.Addr())
	cfg.Jump = &via
	c := client(t, cfg)
	_, err := c.Upload(context.Background(), put("/outgoing/a", content(100_000)))
	require.NoError(t, err)
	require.Equal(t, 1, jump.Count("forward"))

	via.Auth.Password = connector.NewSecret("wrong")
	e := failed(t, client(t, cfg).Connect(context.Background()), connector.CodeAuthentication)
	require.Contains(t, e.Message, "jump host")
	via = to(jump, jump.Addr())
	cfg.Addr = "127.0.0.1:1"
	failed(t, client(t, cfg).Connect(context.Background()), connector.CodeUnavailable)
	closed := fake(t, fakesftp.Options{})
	via = to(closed, closed.Addr())
	failed(t, client(t, cfg).Connect(context.Background()), connector.CodeUnavailable)
}

func TestUnreachable(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	nosftp, err := s.Listen(fakesftp.Fault{On: "subsystem", Do: fakesftp.Refuse})
	require.NoError(t, err)
	reset, err := s.Listen(fakesftp.Fault{On: "connection", Do: fakesftp.Cut})
	require.NoError(t, err)
	for addr, code := range map[string]connector.Code{
		"127.0.0.1:1":            connector.CodeUnavailable,
		"no-such-host.invalid:1": connector.CodeUnavailable,
		nosftp:                   connector.CodeConfiguration,
		reset:                    connector.CodeUnavailable,
	} {
		err := client(t, to(s, addr)).Connect(context.Background())
		failed(t, err, code)
		_, err = client(t, to(s, addr)).Upload(context.Background(), put("/outgoing/a", nil))
		failed(t, err, code)
	}
}
