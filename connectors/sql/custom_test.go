package sql

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// statementsConfig is an app that is written through its own SQL.
const statementsConfig = `{
	"mode": "statements",
	"users": {"key": "userName", "id": "id", "anchor": "employeeNumber", "enabled": {"column": "enabled"},
		"columns": [{"name": "userName", "max_length": 40}, {"name": "mail"}, {"name": "employeeNumber"}]},
	"groups": [{"type": "role", "key": "code"}],
	"statements": {
		"create": [{"sql": "INSERT INTO app_user (login, mail, employee_no, active) VALUES (:userName, :mail, :employeeNumber, true)"}],
		"update": [{"sql": "UPDATE app_user SET login = :userName, mail = :mail WHERE id = :id"}],
		"enable": [{"sql": "UPDATE app_user SET active = true WHERE id = :id"}],
		"disable": [{"sql": "UPDATE app_user SET active = false WHERE id = :id -- not ':this'"}],
		"delete": [{"sql": "DELETE FROM app_user_role WHERE user_id = :id", "rows": "any"}, {"sql": "DELETE FROM app_user WHERE id = :id"}],
		"grant": [{"sql": "INSERT INTO app_user_role (user_id, role_id) SELECT :id, id FROM app_role WHERE code = :group"}],
		"revoke": [{"sql": "DELETE FROM app_user_role WHERE user_id = :id AND role_id = (SELECT id FROM app_role WHERE code = :group)", "rows": "any"}],
		"set_credential": [{"sql": "UPDATE app_user SET name = :credential WHERE id = :id"}],
		"get": "SELECT id, login AS \"userName\", mail, employee_no AS \"employeeNumber\", CASE WHEN active THEN 'true' ELSE 'false' END AS enabled FROM app_user WHERE id = :id",
		"find": "SELECT id, login AS \"userName\", mail, employee_no AS \"employeeNumber\", CASE WHEN active THEN 'true' ELSE 'false' END AS enabled FROM app_user WHERE login = :key",
		"find_by": [{"attribute": "employeeNumber", "sql": "SELECT id, login AS \"userName\", mail, employee_no AS \"employeeNumber\", CASE WHEN active THEN 'true' ELSE 'false' END AS enabled FROM app_user WHERE employee_no = :value"}],
		"list": "SELECT id, login AS \"userName\", mail, employee_no AS \"employeeNumber\", CASE WHEN active THEN 'true' ELSE 'false' END AS enabled FROM app_user WHERE id > :after OR :after IS NULL ORDER BY id LIMIT :limit",
		"grants": "SELECT code FROM app_role r JOIN app_user_role j ON j.role_id = r.id WHERE j.user_id = :id"
	}
}`

func statementsFor(s *server) string {
	if s.name == "mysql" {
		return strings.ReplaceAll(statementsConfig, `\"`, "`")
	}
	return statementsConfig
}

// QUIRKS SQL-11, SQL-12
func TestStatements(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(appUser, appRole, appUserRole, `INSERT INTO app_role (code) VALUES ('reader'), ('writer')`)
		target := s.target(statementsFor(s))
		ctx := context.Background()
		schema, err := target.Schema(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"userName", "employeeNumber"}, schema[0].Correlation)

		c := create("1", "jdoe", "mail", "j@example.org", "employeeNumber", "E1")
		ref := mustApply(t, target, c).Object.Ref
		require.NotEmpty(t, ref.ID)
		require.Equal(t, connector.CodeAlreadyExists, one(t, target, c).Err.Code)
		c.MaybeApplied = true
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, c).Outcome)

		u := connector.Update{Call: id("2"), Target: ref, Changes: []connector.Change{replace("userName", "jroe")}}
		mustApply(t, target, u)
		require.Equal(t, "j@example.org", s.text("SELECT mail FROM app_user WHERE login = 'jroe'"), "what did not change stays")
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, u).Outcome)

		g := connector.Grant{Call: id("3"), Principal: ref, Entitlement: role("reader")}
		mustApply(t, target, g)
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, g).Outcome)
		g.Entitlement = role("nonesuch")
		r := one(t, target, g)
		require.Equal(t, connector.OutcomeFailed, r.Outcome)
		require.Contains(t, r.Err.Message, "statements.grant[0]")

		mustApply(t, target, connector.SetEnabled{Call: id("4"), Target: ref})
		o, err := target.Get(ctx, ref, nil)
		require.NoError(t, err)
		require.Equal(t, connector.IsDisabled, o.Enabled)
		require.Equal(t, "jroe", o.Attributes.Text("userName"))
		require.Len(t, o.Grants, 1)
		mustApply(t, target, connector.SetEnabled{Call: id("5"), Target: ref, Enabled: true})

		mustApply(t, target, connector.SetCredential{Call: id("6"), Target: ref, Credential: connector.NewSecret("pw-hash")})
		require.Equal(t, "pw-hash", s.text("SELECT name FROM app_user"))

		mustApply(t, target, create("7", "second"))
		require.Len(t, listAll(t, target, connector.ListQuery{Type: "user", PageSize: 1}), 2)

		mustApply(t, target, connector.Revoke{Call: id("8"), Principal: ref, Entitlement: role("reader")})
		mustApply(t, target, connector.Delete{Call: id("9"), Target: ref})
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, connector.Delete{Call: id("9"), Target: ref}).Outcome)

		text, err := target.Preview(ctx, connector.SetCredential{Target: ref, Credential: connector.NewSecret("pw-canary")})
		require.NoError(t, err)
		require.Contains(t, text, "credential")
		require.NotContains(t, text, "pw-canary")
	})
}

// The statements of one account are one transaction.
func TestStatementsRollBackTogether(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(appUser, appRole, appUserRole)
		target := s.target(statementsFor(s))
		c := create("", "jdoe")
		c.Call = group("g", 2, "create")
		rs := apply(t, target, c, connector.Grant{Call: group("g", 2, "grant"), Principal: user("jdoe"), Entitlement: role("nonesuch")})
		require.Equal(t, connector.OutcomeCancelled, rs[0].Outcome)
		require.Equal(t, connector.OutcomeFailed, rs[1].Outcome)
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_user"))
	})
}

// QUIRKS SQL-11: a procedure's own return codes become outcomes.
func TestProcedures(t *testing.T) {
	bodies := map[string][]string{
		"postgres": {`CREATE FUNCTION add_user(p_login text, p_mail text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
			IF p_mail IS NULL THEN RETURN 2; END IF;
			IF p_mail = 'odd' THEN RETURN 99; END IF;
			INSERT INTO app_user (login, mail) VALUES (p_login, p_mail); RETURN 0; END $$`},
		"mysql": {`CREATE PROCEDURE add_user(p_login varchar(40), p_mail varchar(80)) BEGIN
			IF p_mail IS NULL THEN SELECT 2 AS code;
			ELSEIF p_mail = 'odd' THEN SELECT 99 AS code;
			ELSE INSERT INTO app_user (login, mail) VALUES (p_login, p_mail); SELECT 0 AS code; END IF; END`},
	}
	calls := map[string]string{"postgres": "SELECT add_user(:userName, :mail) AS code", "mysql": "CALL add_user(:userName, :mail)"}
	for name, open := range map[string]func(testing.TB) *server{"postgres": newPostgres, "mysql": newMariaDB} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.t = t
			s.exec(appUser)
			for _, b := range bodies[name] {
				s.exec(b)
			}
			read := strings.ReplaceAll(`SELECT id, login AS "userName", mail FROM app_user WHERE `, `"`, map[string]string{"postgres": `"`, "mysql": "`"}[name])
			cfg, err := json.Marshal(map[string]any{"mode": "statements",
				"users": map[string]any{"key": "userName", "id": "id", "columns": []any{map[string]any{"name": "userName"}, map[string]any{"name": "mail"}}},
				"statements": map[string]any{"get": read + "id = :id", "find": read + "login = :key",
					"create": []any{map[string]any{"sql": calls[name], "result": map[string]any{"column": "code", "outcomes": []any{
						map[string]any{"value": "0", "outcome": "applied"}, map[string]any{"value": "2", "outcome": "invalid_value"}}}}}}})
			require.NoError(t, err)
			target := s.target(string(cfg))
			mustApply(t, target, create("1", "jdoe", "mail", "j@example.org"))
			r := one(t, target, create("2", "nomail"))
			require.Equal(t, connector.CodeInvalidValue, r.Err.Code)
			require.Equal(t, "result 2", r.Err.NativeCode)
			r = one(t, target, create("3", "odd", "mail", "odd"))
			require.Equal(t, connector.CodePolicy, r.Err.Code)
			require.Contains(t, r.Err.Message, "result.outcomes does not list")
			require.Equal(t, []connector.Verb{connector.VerbCreate}, target.Verbs())
			r = one(t, target, connector.Delete{Call: id("4"), Target: user("jdoe")})
			require.Equal(t, connector.CodeUnsupported, r.Err.Code)
		})
	}
}

// A password is set by the app's own statement, in table mode too; it is in no
// answer and no error (QUIRKS SQL-12).
func TestSetCredentialInTableMode(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(appUser, "CREATE TABLE secret (user_id {ref} NOT NULL, hash varchar(12))")
		target := s.target(`{"users": {"table": "app_user", "key": "login", "id": "id", "columns": [{"name": "userName", "column": "login"}]},
			"statements": {"set_credential": [{"sql": "DELETE FROM secret WHERE user_id = :id", "rows": "any"}, {"sql": "INSERT INTO secret (user_id, hash) VALUES (:id, :credential)"}]}}`)
		require.Contains(t, target.Verbs(), connector.VerbSetCredential)
		mustApply(t, target, create("1", "jdoe"))
		set := connector.SetCredential{Call: id("2"), Target: user("jdoe"), Credential: connector.NewSecret("canary")}
		mustApply(t, target, set)
		require.Equal(t, "canary", s.text("SELECT hash FROM secret"))
		if s.name != "sqlite" { // which does not enforce the width
			set.Credential = connector.NewSecret("canary-that-is-too-long")
			r := one(t, target, set)
			require.Equal(t, connector.CodeInvalidValue, r.Err.Code)
			out, err := json.Marshal(r)
			require.NoError(t, err)
			require.NotContains(t, string(out), "canary")
		}
		c := create("3", "other")
		c.Credential = connector.NewSecret("canary")
		require.Equal(t, connector.CodeUnsupported, one(t, target, c).Err.Code)
	})
}

func TestNamedParameters(t *testing.T) {
	cases := map[string]string{
		"a = :a AND b = :b":                        "a = ? AND b = ?",
		"':no' \":no\" `:no` -- :no\n:yes":         "':no' \":no\" `:no` -- :no\n?",
		"/* :no */ :yes::text := 1":                "/* :no */ ?::text := 1",
		"$$ :no $$ 'it''s :no' :yes":               "$$ :no $$ 'it''s :no' ?",
		"SELECT '2026-01-01 10:20:30', a[1:2], :x": "SELECT '2026-01-01 10:20:30', a[1:2], ?",
	}
	d := dialect.SQLite
	for in, want := range cases {
		require.Equal(t, want, parseNamed(in).text(d))
	}
	pg := dialect.Postgres
	st := parseNamed(":a, :b, :a").bind(pg, map[string]any{"a": 1})
	require.Equal(t, "$1, $2, $1", st.SQL)
	require.Equal(t, []any{1, nil}, st.Args)
}

func TestValidate(t *testing.T) {
	for config, want := range map[string]string{
		`{"users": {"table": "u", "key": ""}}`:                                            "/users/key is missing",
		`{"users": {"key": "k"}}`:                                                         "/users/table is missing",
		`{"mode": "statements", "users": {"key": "k"}}`:                                   "/statements is missing",
		`{"users": {"table": "u", "key": "k"}, "pool_size": 99}`:                          "/pool_size must be",
		`{"users": {"table": "u", "key": "k"}, "statements": {"create": [{"sql": "x"}]}}`: "/statements/create has no meaning",
		`{"users": {"table": "u", "key": "userName"}, "statements": {"set_credential": [{"sql": "UPDATE u SET p = :credentail"}]}}`:  `there is no value for :credentail (did you mean "credential"?)`,
		`{"users": {"table": "u", "key": "k"}, "groups": [{"table": "g", "key": "k"}]}`:                                              "/groups/0/join/table is missing",
		`{"users": {"table": "u", "key": "k", "collumns": []}}`:                                                                      `unknown field "collumns"`,
		`{"users": {"table": "u", "key": "k", "type": "x"}, "groups": [{"type": "x", "table": "g", "key": "k"}]}`:                    "two object types are called",
		`{"mode": "statements", "verify": true, "users": {"key": "k", "anchor": "a", "columns": [{"name": "a"}]}, "statements": {}}`: "/statements/find_by has no statement for the anchor a",
	} {
		var all []string
		for _, f := range Definition.Validate(json.RawMessage(config)) {
			all = append(all, f.Path+" "+f.Summary)
		}
		require.Contains(t, strings.Join(all, "\n"), want, config)
	}
}
