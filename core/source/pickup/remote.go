package pickup

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"strings"

	"github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
)

// SFTP is the server on which the folder is, and how we log in: with the secret
// private_key (and its passphrase), KeyFile, Agent or the secret password. The
// server is known by its host keys alone (QUIRKS FILE-5).
type SFTP struct {
	Addr            string // host, or host:port
	User            string
	HostKeys        []string
	KnownHosts      string
	KeyFile         string
	CertificateFile string
	Agent           string
	// Dial takes the place of [net.Dialer.DialContext]; nil: that.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) `json:"-"`
}

func (s *SFTP) check(fault func(string, ...any)) {
	if s == nil {
		return
	}
	if s.Addr == "" || s.User == "" {
		fault("sftp: host and user are required")
	}
	if len(s.HostKeys) == 0 && s.KnownHosts == "" {
		fault("sftp.host_keys: no host key is pinned: give host_keys or known_hosts_file. ssh-keyscan shows what the server has; compare it with what its owner says")
	}
	for _, k := range s.HostKeys {
		if err := sftp.ParseHostKey(k); err != nil {
			fault("sftp.host_keys: %w", err)
		}
	}
}

// remote is a folder of an SFTP server.
type remote struct{ c *sftp.Client }

func dial(s SFTP, secrets map[string]connector.Secret) (folder, error) {
	c, err := sftp.New(sftp.Config{
		Addr: s.Addr, User: s.User, HostKeys: s.HostKeys, KnownHosts: s.KnownHosts, Dial: s.Dial,
		Auth: sftp.Auth{PrivateKey: secrets["private_key"], Passphrase: secrets["passphrase"], PrivateKeyFile: s.KeyFile,
			CertificateFile: s.CertificateFile, Agent: s.Agent, Password: secrets["password"]},
	})
	if err != nil {
		return nil, fmt.Errorf("pickup: sftp: %w", err)
	}
	return remote{c}, nil
}

func (r remote) join(dir, name string) string { return path.Join(dir, name) }
func (r remote) close()                       { _ = r.c.Close() } // nothing is under way

func (r remote) list(ctx context.Context, dir string) ([]entry, error) {
	infos, err := r.c.List(ctx, dir)
	if err != nil {
		return nil, gone(err)
	}
	var out []entry
	for _, i := range infos {
		if !i.Dir {
			out = append(out, entry{name: i.Name, size: i.Size, modified: i.ModTime})
		}
	}
	return out, nil
}

func (r remote) stat(ctx context.Context, name string) (entry, error) {
	i, err := r.c.Stat(ctx, name)
	return entry{name: path.Base(name), size: i.Size, modified: i.ModTime}, gone(err)
}

func (r remote) fetch(ctx context.Context, name string, limit int64, w io.Writer) error {
	_, err := r.c.Download(ctx, name, limit, w)
	return gone(err)
}

func (r remote) move(ctx context.Context, from, to string) error {
	taken, err := r.c.Exists(ctx, to)
	if err != nil {
		return err
	}
	if taken {
		return fmt.Errorf("%s is there already: %w", to, fs.ErrExist)
	}
	return r.c.Rename(ctx, from, to)
}

func (r remote) remove(ctx context.Context, name string) error { return r.c.Remove(ctx, name) }
func (r remote) mkdir(ctx context.Context, dir string) error {
	return r.c.MkdirAll(ctx, strings.TrimSuffix(dir, "/"))
}

// gone says in the standard library's way that there is no such file.
func gone(err error) error {
	if connector.IsCode(err, connector.CodeNotFound) {
		return fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	return err
}
