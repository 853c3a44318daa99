package sql

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func names(steps []connector.CheckStep) (out []string) {
	for _, s := range steps {
		out = append(out, s.Name+" "+string(s.Status))
	}
	return out
}

func TestCheckPasses(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		steps, product := target.CheckSteps(context.Background())
		tls := "tls warn"
		if s.name == "sqlite" {
			tls = "tls pass"
		}
		require.Equal(t, []string{"resolve pass", "connect pass", tls, "login pass", "tables pass", "privileges pass"}, names(steps))
		require.Regexp(t, "^(SQLite|PostgreSQL|MariaDB) [0-9]", product)
		require.NoError(t, target.Check(context.Background()))
	})
}

// QUIRKS SQL-21: the rights that are needed and missing are named, and an attempt
// without them stops the connector, not the account.
func TestReadOnlyLogin(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		app(s)
		target := openTarget(t, appConfig, readOnly(t, s))
		steps, _ := target.CheckSteps(context.Background())
		last := steps[len(steps)-1]
		require.Equal(t, "privileges", last.Name)
		require.Equal(t, connector.CheckFail, last.Status)
		require.Equal(t, connector.CodePermission, last.Err.Code)
		require.Contains(t, last.Message, "INSERT, UPDATE, DELETE on app_user")
		require.Contains(t, last.Message, "INSERT on app_history")
		require.NotContains(t, last.Message, "on app_role;")
		r := one(t, target, create("1", "jdoe"))
		require.Equal(t, connector.OutcomeFailed, r.Outcome)
		require.Equal(t, connector.CodePermission, r.Err.Code)
		require.Equal(t, connector.ClassInstance, r.Err.Class())
	})
}

// readOnly makes a login that may only read, and gives its connection string.
func readOnly(t *testing.T, s *server) string {
	if s.name == "sqlite" {
		path := strings.TrimPrefix(s.dsn, "sqlite:")
		_, err := s.db.Exec("PRAGMA journal_mode = DELETE")
		require.NoError(t, err)
		require.NoError(t, s.db.Close())
		require.NoError(t, os.Chmod(path, 0o400))
		return s.dsn + "?mode=ro"
	}
	login := "ro_" + token()
	statements := []string{"CREATE USER '" + login + "'@'127.0.0.1' IDENTIFIED BY 'pw'", "GRANT SELECT ON `" + s.space + "`.* TO '" + login + "'@'127.0.0.1'"}
	drop := "DROP USER '" + login + "'@'127.0.0.1'"
	if s.name == "postgres" {
		s.exec("GRANT USAGE ON SCHEMA "+s.space+" TO PUBLIC", "GRANT SELECT ON ALL TABLES IN SCHEMA "+s.space+" TO PUBLIC")
		statements = []string{"CREATE ROLE " + login + " LOGIN PASSWORD 'pw'"}
		drop = "DROP ROLE " + login
	}
	for _, st := range statements {
		_, err := s.admin.Exec(st)
		require.NoError(t, err, st)
	}
	t.Cleanup(func() { _, _ = s.admin.Exec(drop) })
	u, err := url.Parse(s.dsn)
	require.NoError(t, err)
	u.User = url.UserPassword(login, "pw")
	return u.String()
}

func TestCheckWarnsOfAKeyThatIsNotUnique(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec("CREATE TABLE loose (login varchar(40) NOT NULL, name varchar(40), live {bool} NOT NULL DEFAULT true)")
		if s.name != "mysql" { // which has no partial indexes
			s.exec("CREATE UNIQUE INDEX partly ON loose (login) WHERE live")
		}
		steps, _ := s.target(`{"users": {"table": "loose", "key": "login"}}`).CheckSteps(context.Background())
		require.Equal(t, connector.CheckWarn, steps[4].Status)
		require.Contains(t, steps[4].Message, "no unique index covers loose.login alone")
	})
}

func TestMyISAMIsRefused(t *testing.T) {
	s := newMariaDB(t)
	s.t = t
	s.exec("CREATE TABLE old_user (login varchar(40) NOT NULL PRIMARY KEY) ENGINE = MyISAM")
	_, err := s.target(`{"users": {"table": "old_user", "key": "login"}}`).Schema(context.Background())
	require.True(t, connector.IsCode(err, connector.CodeConfiguration), err)
	require.ErrorContains(t, err, "has no transactions")
}

// A new secret takes effect without a restart.
func TestRotateSecrets(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *server{"postgres": newPostgres, "mariadb": newMariaDB} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.t = t
			app(s)
			good, bad := connector.NewSecret(s.dsn), connector.NewSecret(strings.Replace(s.dsn, "provhub-test", "expired", 1))
			target := openTarget(t, appConfig, bad.Reveal())
			require.Equal(t, connector.CodeAuthentication, one(t, target, create("1", "jdoe")).Err.Code)
			require.NoError(t, target.RotateSecrets(context.Background(), map[string]connector.Secret{"dsn": good}))
			mustApply(t, target, create("1", "jdoe"))
			err := target.RotateSecrets(context.Background(), map[string]connector.Secret{"dsn": connector.NewSecret("nonsense canary")})
			require.True(t, connector.IsCode(err, connector.CodeConfiguration), err)
			require.NotContains(t, err.Error(), "canary")
			mustApply(t, target, create("2", "still"))
		})
	}
}
