package sql

import (
	"context"
	"crypto/rand"
	stdsql "database/sql"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// server is one real database with a namespace of its own for the test.
type server struct {
	t     *testing.T
	name  string // postgres, mysql, sqlite
	dsn   string
	db    *stdsql.DB // as the owner of the app's tables
	admin *stdsql.DB // may create logins; nil for SQLite
	space string     // schema or database
}

// everywhere runs a test on every proven database.
func everywhere(t *testing.T, test func(t *testing.T, s *server)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newPostgres(t)) })
	t.Run("mariadb", func(t *testing.T) { test(t, newMariaDB(t)) })
}

func newSQLite(t testing.TB) *server {
	path := filepath.Join(t.TempDir(), "app.db")
	db, err := stdsql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_time_format=sqlite")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.Exec("PRAGMA journal_mode = WAL")
	require.NoError(t, err)
	return asServer(t, &server{name: "sqlite", dsn: "sqlite:" + path, db: db})
}

func newPostgres(t testing.TB) *server {
	target := env(t, "PROVHUB_TEST_PG_TARGET_URL")
	s := asServer(t, &server{name: "postgres", space: "t_" + token(), admin: opened(t, "pgx", env(t, "PROVHUB_TEST_PG_ADMIN_URL"))})
	owner := opened(t, "pgx", target)
	_, err := owner.Exec("CREATE SCHEMA " + s.space)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = owner.Exec("DROP SCHEMA " + s.space + " CASCADE") })
	s.dsn = target + "&search_path=" + s.space
	s.db = opened(t, "pgx", s.dsn)
	return s
}

func newMariaDB(t testing.TB) *server {
	dsn := env(t, "PROVHUB_TEST_MARIADB_DSN")
	s := asServer(t, &server{name: "mysql", space: "t_" + token(), admin: opened(t, "mysql", env(t, "PROVHUB_TEST_MARIADB_ADMIN_DSN"))})
	c, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	_, err = s.admin.Exec("CREATE DATABASE " + s.space + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	require.NoError(t, err)
	_, err = s.admin.Exec("GRANT ALL ON `" + s.space + "`.* TO '" + c.User + "'@'127.0.0.1'")
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = s.admin.Exec("DROP DATABASE " + s.space) })
	c.DBName = s.space
	s.db = opened(t, "mysql", c.FormatDSN())
	s.dsn = "mysql://" + c.User + ":" + url.QueryEscape(c.Passwd) + "@" + c.Addr + "/" + s.space
	return s
}

func asServer(t testing.TB, s *server) *server {
	s.t, _ = t.(*testing.T)
	return s
}

func env(t testing.TB, name string) string {
	v := os.Getenv(name)
	if v == "" {
		t.Skip("needs " + name + ": run make test")
	}
	return v
}

func opened(t testing.TB, driver, dsn string) *stdsql.DB {
	db, err := stdsql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func token() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// dialectWords are what the DDL of the tests says differently by product.
var dialectWords = map[string]*strings.Replacer{
	"sqlite":   strings.NewReplacer("{id}", "INTEGER PRIMARY KEY AUTOINCREMENT", "{ref}", "INTEGER", "{nocase}", "COLLATE NOCASE", "{time}", "DATETIME", "{bool}", "BOOLEAN"),
	"postgres": strings.NewReplacer("{id}", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{ref}", "bigint", "{nocase}", "", "{time}", "timestamptz", "{bool}", "boolean"),
	"mysql":    strings.NewReplacer("{id}", "bigint AUTO_INCREMENT PRIMARY KEY", "{ref}", "bigint", "{nocase}", "COLLATE utf8mb4_general_ci", "{time}", "datetime(6)", "{bool}", "boolean"),
}

// exec runs DDL and DML as the owner of the app.
func (s *server) exec(statements ...string) {
	s.t.Helper()
	for _, st := range statements {
		_, err := s.db.Exec(dialectWords[s.name].Replace(st))
		require.NoError(s.t, err, st)
	}
}

// text reads one value.
func (s *server) text(query string) string {
	s.t.Helper()
	var v stdsql.NullString
	require.NoError(s.t, s.db.QueryRow(query).Scan(&v), query)
	return v.String
}

// target opens a target whose config is written as JSON.
func (s *server) target(config string) *Target {
	s.t.Helper()
	return openTarget(s.t, config, s.dsn)
}

func openTarget(t testing.TB, config, dsn string) *Target {
	t.Helper()
	require.Empty(t, Definition.Validate(json.RawMessage(config)))
	target, err := Definition.Open(context.Background(), json.RawMessage(config), connector.Instance{
		Secrets: map[string]connector.Secret{"dsn": connector.NewSecret(dsn)}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = target.(*Target).Close(context.Background()) })
	return target.(*Target)
}

// The app that most tests use: a surrogate id, two unique columns, roles by id.
const (
	appUser = `CREATE TABLE app_user (id {id}, login varchar(40) NOT NULL UNIQUE, mail varchar(80) UNIQUE, name varchar(80),
		employee_no varchar(20) UNIQUE, active {bool} NOT NULL DEFAULT true)`
	appRole     = `CREATE TABLE app_role (id {id}, code varchar(40) NOT NULL UNIQUE)`
	appUserRole = `CREATE TABLE app_user_role (user_id {ref} NOT NULL REFERENCES app_user (id), role_id {ref} NOT NULL REFERENCES app_role (id),
		granted_by varchar(20), PRIMARY KEY (user_id, role_id))`
	appHistory = `CREATE TABLE app_history (id {id}, login varchar(40) NOT NULL, verb varchar(20) NOT NULL, op varchar(64), at {time} NOT NULL)`

	appConfig = `{
		"users": {"table": "app_user", "key": "login", "id": "id", "anchor": "employeeNumber",
			"columns": [{"name": "userName", "column": "login"}, {"name": "mail"}, {"name": "displayName", "column": "name"}, {"name": "employeeNumber", "column": "employee_no"}],
			"enabled": {"column": "active"}},
		"groups": [{"type": "role", "table": "app_role", "key": "code", "id": "id",
			"join": {"table": "app_user_role", "user_column": "user_id", "group_column": "role_id", "values": [{"column": "granted_by", "value": "provhub"}]}}],
		"history": {"table": "app_history", "key": "login", "verb": "verb", "operation": "op", "timestamp": "at"}
	}`
)

// app makes the usual app and its target.
func app(s *server) *Target {
	s.exec(appUser, appRole, appUserRole, appHistory, `INSERT INTO app_role (code) VALUES ('reader'), ('writer'), ('admin')`)
	return s.target(appConfig)
}

// --- tiny constructors

func attrs(pairs ...any) connector.Attributes {
	var out connector.Attributes
	for i := 0; i < len(pairs); i += 2 {
		a := connector.Attribute{Name: pairs[i].(string)}
		if pairs[i+1] != nil {
			a.Values = connector.Values{pairs[i+1]}
		}
		out = append(out, a)
	}
	return out
}

func create(id, login string, more ...any) connector.Create {
	return connector.Create{Call: connector.Call{ID: id, Key: id}, Type: "user", Attributes: attrs(append([]any{"userName", login}, more...)...)}
}

func user(login string) connector.Ref {
	return connector.Ref{Type: "user", By: connector.Correlation{Attribute: "userName", Value: login}}
}

func role(code string) connector.Ref { return connector.Ref{Type: "role", Name: code} }

func replace(name string, v any) connector.Change {
	c := connector.Change{Name: name}
	if v != nil {
		c.Replace = connector.Values{v}
	}
	return c
}

// apply runs operations as one batch and gives the answers in their order.
func apply(t testing.TB, target *Target, ops ...connector.Operation) []connector.Result {
	t.Helper()
	byID := map[string]connector.Result{}
	results := target.ApplyBatch(context.Background(), ops)
	require.Len(t, results, len(ops), "every operation is answered once")
	for _, r := range results {
		byID[r.ID] = r
	}
	out := make([]connector.Result, len(ops))
	for i, op := range ops {
		r, ok := byID[op.Meta().ID]
		require.True(t, ok, "operation %s is answered", op.Meta().ID)
		out[i] = r
	}
	return out
}

// one runs one operation.
func one(t testing.TB, target *Target, op connector.Operation) connector.Result {
	t.Helper()
	return apply(t, target, op)[0]
}

// mustApply runs one operation that must succeed.
func mustApply(t testing.TB, target *Target, op connector.Operation) connector.Result {
	t.Helper()
	r := one(t, target, op)
	require.Nil(t, r.Err)
	require.Equal(t, connector.OutcomeApplied, r.Outcome)
	return r
}

func id(n string) connector.Call { return connector.Call{ID: n, Key: n} }

// group ties steps together.
func group(name string, size int, step string) connector.Call {
	return connector.Call{ID: name + "-" + step, Key: name + "-" + step, OrderingKey: name, Group: name, GroupSize: size}
}
