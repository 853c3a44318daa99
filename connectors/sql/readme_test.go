package sql

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// The examples of the README are run as they stand there.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	headings := map[string]string{"sqlite": "## SQLite", "postgres": "## PostgreSQL", "mysql": "## MySQL and MariaDB"}
	everywhere(t, func(t *testing.T, s *server) {
		_, section, ok := strings.Cut(string(readme), headings[s.name]+"\n")
		require.True(t, ok)
		section, _, _ = strings.Cut(section, "\n## ")
		ddl := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(section)
		config := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(section)
		require.NotNil(t, ddl)
		require.NotNil(t, config)
		for _, st := range strings.Split(strings.TrimSpace(ddl[1]), ";\n") {
			s.exec(strings.TrimSuffix(st, ";"))
		}
		target := s.target(config[1])
		require.NoError(t, target.Check(context.Background()))

		ref := mustApply(t, target, create("1", "jdoe", "mail", "j@example.org")).Object.Ref
		mustApply(t, target, connector.Update{Call: id("2"), Target: ref, Changes: []connector.Change{replace("mail", "jane@example.org")}})
		mustApply(t, target, connector.Grant{Call: id("3"), Principal: ref, Entitlement: role("reader")})
		mustApply(t, target, connector.SetEnabled{Call: id("4"), Target: ref})
		all := listAll(t, target, connector.ListQuery{Type: "user"})
		require.Len(t, all, 1)
		require.Equal(t, connector.IsDisabled, all[0].Enabled)
		require.Equal(t, "jane@example.org", all[0].Attributes.Text("mail"))
		require.Len(t, all[0].Grants, 1)
		mustApply(t, target, connector.Revoke{Call: id("5"), Principal: ref, Entitlement: role("reader")})
		mustApply(t, target, connector.Delete{Call: id("6"), Target: ref})
		require.Empty(t, listAll(t, target, connector.ListQuery{Type: "user"}))
	})
}

// QUIRKS SQL-17: without prepared statements everything works the same.
func TestBehindPgBouncer(t *testing.T) {
	s := newPostgres(t)
	s.exec(wideTable)
	target := s.target(`{"pgbouncer": true, "users": {"table": "wide", "key": "login"}}`)
	db, release := target.use()
	require.Nil(t, db.h.Pool, "no pipelining")
	release()
	mustApply(t, target, connector.Create{Call: id("1"), Type: "user", Attributes: attrs("login", "jdoe", "num", int64(7), "amount", "1.25", "ratio", 0.5,
		"flag", true, "day", connector.Date("2026-03-31"), "kind", "staff", "note", "x")})
	ref := connector.Ref{Type: "user", ID: "jdoe"}
	mustApply(t, target, connector.Update{Call: id("2"), Target: ref, Changes: []connector.Change{replace("day", nil), replace("num", int64(8))}})
	o, err := target.Get(context.Background(), ref, nil)
	require.NoError(t, err)
	require.Equal(t, int64(8), o.Attributes.Get("num")[0])
	var prepared int
	require.NoError(t, db.h.DB.QueryRow("SELECT COUNT(*) FROM pg_prepared_statements").Scan(&prepared))
	require.Zero(t, prepared)
	mustApply(t, target, connector.Delete{Call: id("3"), Target: ref})
}
