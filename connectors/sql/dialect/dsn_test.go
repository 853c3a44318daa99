package dialect

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// QUIRKS SQL-5, SQL-6, SQL-13: what weakens a connection is refused with the way
// out, and the text never holds the connection string.
func TestConnectionStrings(t *testing.T) {
	cases := []struct {
		name    string
		dsn     string
		o       Options
		refused string // "" : taken
		tls     bool
	}{
		{"clear text on this machine", "postgres://u:canary@127.0.0.1/db?sslmode=disable", Options{}, "", false},
		{"clear text on localhost", "postgres://u:canary@localhost/db?sslmode=disable", Options{}, "", false},
		{"a socket", "host=/run/postgresql user=u dbname=db", Options{}, "", false},
		{"clear text elsewhere", "postgres://u:canary@db.example.org/db?sslmode=disable", Options{}, "sslmode=verify-full", false},
		{"encrypted, certificate not checked", "postgres://u:canary@db.example.org/db?sslmode=require", Options{}, "sslmode=verify-full", false},
		{"prefer falls back to clear text", "postgres://u:canary@db.example.org/db?sslmode=prefer", Options{}, "allow_insecure", false},
		{"verify-ca takes any host of the authority", "postgres://u:canary@db.example.org/db?sslmode=verify-ca", Options{}, "sslmode=verify-full", false},
		{"checked", "postgres://u:canary@db.example.org/db?sslmode=verify-full", Options{}, "", true},
		{"nothing said is checked", "postgres://u:canary@db.example.org/db", Options{}, "", true},
		{"nothing said in keywords is checked", "host=db.example.org user=u password=canary dbname=db", Options{}, "", true},
		{"one of several hosts", "postgres://u:canary@127.0.0.1,db.example.org/db?sslmode=require", Options{}, "db.example.org", false},
		{"allowed by name", "postgres://u:canary@db.example.org/db?sslmode=disable", Options{AllowInsecure: []string{"db.example.org"}}, "", false},
		{"another host allowed", "postgres://u:canary@db.example.org/db?sslmode=disable", Options{AllowInsecure: []string{"example.org"}}, "sslmode=verify-full", false},
		{"not a string at all", "postgres://u:canary@db.example.org:port/db", Options{}, "is not a connection string", false},

		{"MySQL on this machine", "mysql://u:canary@127.0.0.1/db", Options{}, "", false},
		{"MySQL elsewhere is checked", "mysql://u:canary@db.example.org/db", Options{}, "", true},
		{"MySQL skip-verify", "mysql://u:canary@db.example.org/db?tls=skip-verify", Options{}, "tls=true", false},
		{"MySQL preferred", "u:canary@tcp(db.example.org:3306)/db?tls=preferred", Options{}, "tls=true", false},
		{"MySQL false", "u:canary@tcp(db.example.org:3306)/db?tls=false", Options{}, "tls=true", false},
		{"MySQL allowed by name", "mariadb://u:canary@db.example.org/db?tls=false", Options{AllowInsecure: []string{"db.example.org"}}, "", false},
		{"MySQL multiStatements", "mysql://u:canary@127.0.0.1/db?multiStatements=true", Options{}, "multiStatements", false},
		{"MySQL interpolateParams", "mysql://u:canary@127.0.0.1/db?interpolateParams=true", Options{}, "interpolateParams", false},
		{"MySQL files", "mysql://u:canary@127.0.0.1/db?allowAllFiles=true", Options{}, "allowAllFiles", false},
		{"MySQL plain fall-back", "mysql://u:canary@127.0.0.1/db?allowFallbackToPlaintext=true", Options{}, "allowFallbackToPlaintext", false},

		{"SQLite", "sqlite:/tmp/app.db", Options{}, "", false},
		{"SQLite without a path", "sqlite:", Options{}, "is not a connection string", false},
		{"SQL Server has no driver", "sqlserver://u:canary@db.example.org", Options{}, "has no driver", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			name := ""
			switch {
			case c.dsn[0] == 'h':
				name = "postgres"
			case c.dsn[0] == 'u':
				name = "mysql"
			}
			d, err := Of(name, c.dsn)
			require.NoError(t, err)
			c.o.PoolSize = 1
			h, err := d.Open(c.dsn, c.o)
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				require.NotContains(t, err.Error(), "canary")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.tls, h.Endpoint.TLS)
			require.NoError(t, h.Close())
		})
	}
}

func TestDialectOfAConnectionString(t *testing.T) {
	for dsn, want := range map[string]string{"postgresql://x": "postgres", "mariadb://x": "mysql", "file:x": "sqlite", "oracle://x": "oracle"} {
		d, err := Of("", dsn)
		require.NoError(t, err)
		require.Equal(t, want, d.Name)
	}
	_, err := Of("", "user:canary@somewhere")
	require.ErrorContains(t, err, "does not begin with")
	require.NotContains(t, err.Error(), "canary")
	_, err = Of("db2", "x")
	require.ErrorContains(t, err, `dialect "db2" is not known`)
}

func TestAuthorityFile(t *testing.T) {
	dir := t.TempDir()
	_, err := Postgres.Open("postgres://u@db.example.org/db", Options{PoolSize: 1, CAFile: filepath.Join(dir, "none.pem")})
	require.ErrorContains(t, err, "tls_ca_file")
	file := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = MySQL.Open("mysql://u@db.example.org/db", Options{PoolSize: 1, CAFile: file})
	require.ErrorContains(t, err, "holds no PEM certificate")
}
