package sftp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// fake starts a server of our own.
func fake(t testing.TB, o fakesftp.Options) *fakesftp.Server {
	t.Helper()
	s, err := fakesftp.New(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// to is the config of a fake server at one of its addresses.
func to(s *fakesftp.Server, addr string) Config {
	return Config{Addr: addr, User: s.User(), HostKeys: []string{s.HostKey()},
		Auth: Auth{Password: connector.NewSecret(s.Password())}, ConnectTimeout: 5 * time.Second}
}

func client(t testing.TB, c Config) *Client {
	t.Helper()
	out, err := New(c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = out.Close() })
	return out
}

// openSSH is the config of the real server, and a folder of the test's own there.
func openSSH(t testing.TB) (c Config, dir, local string) {
	t.Helper()
	env := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			t.Skip("needs " + name + ": run make test")
		}
		return v
	}
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	name := "client-" + hex.EncodeToString(b)
	dir, local = path.Join(env("PROVHUB_TEST_SFTP_REMOTE_DIR"), name), path.Join(env("PROVHUB_TEST_SFTP_LOCAL_DIR"), name)
	c = Config{Addr: env("PROVHUB_TEST_SFTP_ADDR"), User: env("PROVHUB_TEST_SFTP_USER"), KnownHosts: env("PROVHUB_TEST_SFTP_KNOWN_HOSTS"),
		Auth: Auth{PrivateKeyFile: env("PROVHUB_TEST_SFTP_KEY_FILE")}}
	require.NoError(t, client(t, c).MkdirAll(context.Background(), dir))
	t.Cleanup(func() { _ = os.RemoveAll(local) })
	return c, dir, local
}

// content is n bytes that differ from each other at any cut.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

func put(name string, data []byte) Upload {
	return Upload{Name: name, Run: "r1", Size: int64(len(data)), From: bytes.NewReader(data)}
}

// failed checks that err is a plain failure with a code: nothing took effect.
func failed(t testing.TB, err error, code connector.Code) *connector.Error {
	t.Helper()
	require.Error(t, err)
	r := connector.ResultOf("1", connector.Ref{}, err)
	require.Equal(t, connector.OutcomeFailed, r.Outcome, err)
	require.Equal(t, code, r.Err.Code, err)
	return r.Err
}

// unknown checks that err leaves open what took effect.
func unknown(t testing.TB, err error) *connector.Error {
	t.Helper()
	require.Error(t, err)
	r := connector.ResultOf("1", connector.Ref{}, err)
	require.Equal(t, connector.OutcomeUnknown, r.Outcome, err)
	return r.Err
}
