// Package storetest gives tests a fresh store: SQLite always, PostgreSQL where
// PROVHUB_TEST_PG_URL names a server.
package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/provhub/provhub/core/store"
)

// postgresEnv names the URL of a database in which tests may make schemas.
const postgresEnv = "PROVHUB_TEST_PG_URL"

// OrgID is the org of the stores made here.
const OrgID = "acme"

// New returns an org of a fresh SQLite store in a folder of the test.
func New(t testing.TB, opts ...store.Option) *store.Org {
	t.Helper()
	return Open(t, SQLiteURL(t), opts...)
}

// Open opens the store at url until the end of the test, and returns an org of it.
func Open(t testing.TB, url string, opts ...store.Option) *store.Org {
	t.Helper()
	s, err := store.Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.Org(OrgID)
}

// Each runs test on a fresh store of each database.
func Each(t *testing.T, test func(t *testing.T, o *store.Org)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// EachURL runs test with the URL of a fresh, empty database of each kind, for
// tests that open it more than once.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// SQLiteURL names a SQLite file, not made yet, in a folder of the test.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "state.db")
}

// PostgresURL makes a schema of the test's own and returns the URL that leads
// there. It skips the test when there is no server.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base := os.Getenv(postgresEnv)
	if base == "" {
		t.Skip("needs " + postgresEnv + ": run make test")
	}
	db, err := sqlx.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	schema := "store_" + rand.Text()
	if _, err := db.Exec(`CREATE SCHEMA "` + schema + `"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer db.Close()
		var all []string // with those of the job queues
		if err := db.SelectContext(context.Background(), &all, `SELECT nspname FROM pg_namespace WHERE nspname LIKE $1`, schema+"%"); err != nil {
			t.Error(err)
		}
		for _, s := range all {
			if _, err := db.ExecContext(context.Background(), `DROP SCHEMA "`+s+`" CASCADE`); err != nil {
				t.Error(err)
			}
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(postgresEnv + " is not a URL")
	}
	q := u.Query()
	q.Set("search_path", `"`+schema+`"`)
	u.RawQuery = q.Encode()
	return u.String()
}
