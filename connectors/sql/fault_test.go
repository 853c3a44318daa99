package sql

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// QUIRKS SQL-10: the commit went out and its answer was lost. Nobody may call
// that failed; looking first, the repeat makes no second account.
func TestAnswerLostAtCommitIsUnknown(t *testing.T) {
	cases := []struct {
		name    string
		open    func(testing.TB) *server
		config  string
		pattern string
	}{
		{"postgres, pipelined", newPostgres, appConfig, "cutname"},
		{"postgres, locked", newPostgres, strings.Replace(appConfig, `"users"`, `"pgbouncer": true, "users"`, 1), "commit"},
		{"mariadb", newMariaDB, appConfig, "commit"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := c.open(t)
			s.t = t
			app(s)
			cut := newCutter(t, hostOf(s))
			target := openTarget(t, c.config, cut.through(s.dsn))
			mustApply(t, target, create("0", "before"))

			cut.cutAt(c.pattern)
			op := create("1", "cutme", "displayName", "Cutname", "employeeNumber", "E1")
			r := one(t, target, op)
			require.Equal(t, 1, cut.cuts)
			require.Equal(t, connector.OutcomeUnknown, r.Outcome)
			require.Equal(t, connector.CodeUnavailable, r.Err.Code)
			require.Contains(t, r.Err.Message, "not known")
			require.Eventually(t, func() bool { return s.text("SELECT COUNT(*) FROM app_user WHERE login = 'cutme'") == "1" },
				30*time.Second, 10*time.Millisecond, "the server did commit")

			op.MaybeApplied = true
			r = one(t, target, op)
			require.Nil(t, r.Err)
			require.Equal(t, connector.OutcomeUnchanged, r.Outcome)
			require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user WHERE login = 'cutme'"))
		})
	}
}

func hostOf(s *server) string {
	if s.name == "mysql" {
		u, _ := url.Parse(s.dsn)
		return u.Host
	}
	u, _ := url.Parse(s.dsn)
	return u.Host
}

// QUIRKS SQL-10: connections that died while idle cost nothing.
func TestDeadConnectionsAreReplacedBeforeAnythingIsSent(t *testing.T) {
	for _, open := range []func(testing.TB) *server{newPostgres, newMariaDB} {
		s := open(t)
		s.t = t
		app(s)
		cut := newCutter(t, hostOf(s))
		target := openTarget(t, appConfig, cut.through(s.dsn))
		mustApply(t, target, create("1", "one"))
		cut.closeAll()
		mustApply(t, target, create("2", "two"))
	}
}

func TestServerDownIsUnavailableAndNothingIsInDoubt(t *testing.T) {
	for _, dsn := range []string{"postgres://u:p4ssw0rd@127.0.0.1:1/x", "mysql://u:p4ssw0rd@127.0.0.1:1/x"} {
		target := openTarget(t, appConfig, dsn)
		r := one(t, target, create("1", "jdoe"))
		require.Equal(t, connector.OutcomeFailed, r.Outcome)
		require.Equal(t, connector.CodeUnavailable, r.Err.Code)
		require.Equal(t, connector.ScopeInstance, r.Err.Scope, "an outage costs the account no attempt")
		steps, _ := target.CheckSteps(context.Background())
		require.Equal(t, connector.CheckFail, steps[1].Status)
		require.Equal(t, "connect", steps[1].Name)
		require.Equal(t, connector.CheckSkipped, steps[2].Status)
	}
}

// A row that somebody holds makes the account wait, and then come again: BUSY or
// TIMEOUT, with nothing written.
func TestLockedRow(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		app(s)
		target := s.target(strings.Replace(appConfig, `"users"`, `"statement_timeout": "1s", "users"`, 1))
		mustApply(t, target, create("1", "jdoe", "displayName", "Jane"))
		conn, err := s.db.Conn(context.Background())
		require.NoError(t, err)
		begin := "BEGIN"
		if s.name == "sqlite" {
			begin = "BEGIN IMMEDIATE"
		}
		for _, st := range []string{begin, "UPDATE app_user SET name = 'Held'"} {
			_, err := conn.ExecContext(context.Background(), st)
			require.NoError(t, err)
		}
		op := connector.Update{Call: id("2"), Target: user("jdoe"), Changes: []connector.Change{replace("displayName", "Late")}}
		r := one(t, target, op)
		require.Equal(t, connector.OutcomeFailed, r.Outcome)
		require.Equal(t, connector.ClassTransient, r.Err.Class())
		_, err = conn.ExecContext(context.Background(), "ROLLBACK")
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		mustApply(t, target, op)
	})
}

// A deadlock is the whole account's, and transient.
func TestDeadlock(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *server{"postgres": newPostgres, "mariadb": newMariaDB} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.t = t
			target := app(s)
			mustApply(t, target, create("1", "anna"))
			mustApply(t, target, create("2", "bert"))

			other, err := s.db.Begin()
			require.NoError(t, err)
			lock := func(st string) error { _, err := other.Exec(st); return err }
			// Heavier than ours, so that ours is the one to give way.
			for i := range 20 {
				require.NoError(t, lock("INSERT INTO app_role (code) VALUES ('weight-"+string(rune('a'+i))+"')"))
			}
			require.NoError(t, lock("UPDATE app_user SET name = 'other' WHERE login = 'bert'"))
			blocked := make(chan error, 1)
			go func() {
				time.Sleep(500 * time.Millisecond) // until ours holds anna and waits for bert
				blocked <- lock("UPDATE app_user SET name = 'other' WHERE login = 'anna'")
			}()
			step := func(n, login string) connector.Operation {
				return connector.Update{Call: group("both", 2, n), Target: user(login), Changes: []connector.Change{replace("displayName", "ours")}}
			}
			rs := apply(t, target, step("1", "anna"), step("2", "bert"))
			theirs := <-blocked
			if theirs != nil { // PostgreSQL may pick either; then ours went through
				require.NoError(t, other.Rollback())
				require.Equal(t, connector.OutcomeApplied, rs[0].Outcome)
				return
			}
			for _, r := range rs {
				require.Equal(t, connector.OutcomeFailed, r.Outcome)
				require.Equal(t, connector.CodeBusy, r.Err.Code)
			}
			require.NoError(t, other.Rollback())
			require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_user WHERE name = 'ours'"))
		})
	}
}

func TestWrongPassword(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *server{"postgres": newPostgres, "mariadb": newMariaDB} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			u, err := url.Parse(s.dsn)
			require.NoError(t, err)
			u.User = url.UserPassword(u.User.Username(), "wr0ng-canary")
			target := openTarget(t, appConfig, u.String())
			r := one(t, target, create("1", "jdoe"))
			require.Equal(t, connector.OutcomeFailed, r.Outcome)
			require.Equal(t, connector.CodeAuthentication, r.Err.Code)
			require.Equal(t, connector.ClassInstance, r.Err.Class())
			steps, _ := target.CheckSteps(context.Background())
			require.Equal(t, "login", steps[3].Name)
			require.Equal(t, connector.CheckFail, steps[3].Status)
			// QUIRKS SQL-13
			all, err := json.Marshal([]any{r, steps})
			require.NoError(t, err)
			require.NotContains(t, string(all), "wr0ng-canary")
			require.NotContains(t, string(all), u.User.Username()+":")
		})
	}
}

// QUIRKS SQL-4: every name of the config is checked against the catalogue, all at once.
func TestNamesThatAreNotThere(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(appUser)
		target := s.target(`{"users": {"table": "app_user", "key": "logon", "id": "id", "enabled": {"column": "aktive"},
			"columns": [{"name": "mail"}, {"name": "phone", "column": "telephone_number_of_the_office"}]},
			"groups": [{"table": "app_role", "key": "code", "join": {"table": "x", "user_column": "u", "group_column": "r"}}]}`)
		_, err := target.Schema(context.Background())
		var e *connector.Error
		require.True(t, errors.As(err, &e))
		require.Equal(t, connector.CodeConfiguration, e.Code)
		for _, want := range []string{`users.key: table app_user has no column "logon" (did you mean "login"?)`, `users.columns[1]: table app_user has no column "telephone_number_of_the_office"`, "there is no table"} {
			require.Contains(t, e.Message, want)
		}
		require.NotContains(t, e.Message, "office\" (did you mean")
		r := one(t, target, create("1", "jdoe"))
		require.Equal(t, connector.CodeConfiguration, r.Err.Code)
	})
}

// A name that would end the quotes is a name all the same (QUIRKS SQL-4).
func TestHostileNamesAndValues(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		quote := func(n string) string { return `"` + strings.ReplaceAll(n, `"`, `""`) + `"` }
		if s.name == "mysql" {
			quote = func(n string) string { return "`" + strings.ReplaceAll(n, "`", "``") + "`" }
		}
		table, column := "us\"er`; DROP TABLE x", `na"me`+"`--"
		s.exec("CREATE TABLE " + quote(table) + " (login varchar(200) NOT NULL PRIMARY KEY, " + quote(column) + " varchar(200))")
		cfg, err := json.Marshal(map[string]any{"users": map[string]any{"table": table, "key": "login",
			"columns": []any{map[string]any{"name": "login"}, map[string]any{"name": "name", "column": column}}}})
		require.NoError(t, err)
		target := s.target(string(cfg))
		for i, v := range []string{`'; DROP TABLE x; --`, `"`, "`", `\`, `\'`, "\u00e9", "e\u0301", "👩‍🚀", "مرحبا", " lead", "=cmd()", "%_", "?", "$1", ":name", "../..", "a\tb\nc"} {
			c := connector.Create{Call: id(v), Type: "user", Attributes: attrs("login", v, "name", v)}
			require.Equal(t, connector.OutcomeApplied, one(t, target, c).Outcome, i)
			o, err := target.Get(context.Background(), connector.Ref{Type: "user", ID: v}, nil)
			require.NoError(t, err)
			require.Equal(t, v, o.Attributes.Text("name"))
			require.Equal(t, connector.OutcomeUnchanged, one(t, target, connector.Update{Call: id("u"), Target: o.Ref, Changes: []connector.Change{replace("name", v)}}).Outcome)
		}
		for _, v := range []string{"nul\x00", "\xff\xfe"} {
			require.Equal(t, connector.CodeInvalidValue, one(t, target, connector.Create{Call: id("x"), Type: "user", Attributes: attrs("login", "x", "name", v)}).Err.Code)
		}
		require.Equal(t, "17", s.text("SELECT COUNT(*) FROM "+quote(table)))
	})
}
