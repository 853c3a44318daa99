package dialect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say how a connection string is opened.
type Options struct {
	PoolSize         int
	StatementTimeout time.Duration
	// CAFile holds PEM certificates of the authorities to trust; "": the system's.
	CAFile string
	// AllowInsecure lists hosts whose certificate is not checked, by name.
	AllowInsecure []string
	// PgBouncer keeps to what transaction pooling allows.
	PgBouncer bool
}

// Endpoint is where a connection string leads, without its credentials.
type Endpoint struct {
	// Network is "tcp", "unix" or "" for a file.
	Network, Host, Port string
	// TLS: the connection is encrypted and the certificate checked.
	TLS bool
}

// Address returns host:port for dialling.
func (e Endpoint) Address() string {
	if e.Network == "tcp" {
		return net.JoinHostPort(e.Host, e.Port)
	}
	return e.Host
}

// Handle is an open database. Opening does not connect.
type Handle struct {
	DB *sql.DB
	// Pool is PostgreSQL's own, for pipelining; nil elsewhere and behind PgBouncer.
	Pool     *pgxpool.Pool
	Endpoint Endpoint
	// KeepPrepared: the driver does not cache prepared statements by itself.
	KeepPrepared bool
}

// Renew drops the idle connections of a pool, after one of them turned out dead:
// the others died with it.
func (h *Handle) Renew() {
	if h.Pool != nil {
		h.Pool.Reset()
	}
}

// Close closes all connections.
func (h *Handle) Close() error {
	err := h.DB.Close()
	if h.Pool != nil {
		h.Pool.Close()
	}
	return err
}

// Open reads dsn and prepares the connections. Its errors never hold dsn nor a
// part of it other than the host.
func (d *Dialect) Open(dsn string, o Options) (*Handle, error) {
	if d.open == nil {
		return nil, fmt.Errorf("%s has no driver in this connector; run it as an external plugin", d.Title)
	}
	return d.open(dsn, o)
}

// local reports whether host needs no TLS: a socket, a file or loopback.
func local(network, host string) bool {
	if network != "tcp" || host == "localhost" || host == "" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// demandTLS refuses a connection that does not check the server's certificate,
// unless it stays on this machine or the config allows that host by name.
func (o Options) demandTLS(e Endpoint, how string) error {
	if e.TLS || local(e.Network, e.Host) || slices.Contains(o.AllowInsecure, e.Host) {
		return nil
	}
	return fmt.Errorf("the connection to %s would not check the server's certificate; set %s, with tls_ca_file for a private authority, or list the host in allow_insecure", e.Host, how)
}

// tlsConfig checks certificates for host, against CAFile when there is one.
func (o Options) tlsConfig(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if o.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tls_ca_file: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls_ca_file %s holds no PEM certificate", o.CAFile)
	}
	return c, nil
}

// limit bounds the connections of db: those that write, and one that reads.
func (o Options) limit(db *sql.DB) *sql.DB {
	db.SetMaxOpenConns(o.PoolSize + 1)
	db.SetMaxIdleConns(o.PoolSize + 1)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// ServerVersion asks the server for its name and version.
func (d *Dialect) ServerVersion(ctx context.Context, q Queryer) (string, error) {
	return text(ctx, q, d.Version)
}

// ServerFingerprint returns which database it is, "" when the product cannot tell.
func (d *Dialect) ServerFingerprint(ctx context.Context, q Queryer) (string, error) {
	if d.Fingerprint == "" {
		return "", nil
	}
	return text(ctx, q, d.Fingerprint)
}

// text returns the one text that a query gives, "" when it gives no row.
func text(ctx context.Context, q Queryer, query string) (string, error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var v string
	if rows.Next() {
		if err := rows.Scan(&v); err != nil {
			return "", err
		}
	}
	return v, rows.Err()
}
