package dialect

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// QUIRKS SQL-3, SQL-4, SQL-7: the SQL of every product, proven or not, as text.
func TestGeneratedSQL(t *testing.T) {
	type text struct{ find, page, insert, update, remove string }
	want := map[string]text{
		"postgres": {
			`SELECT "id", "login" FROM "hr"."user" WHERE "login" = $1 FOR UPDATE`, `SELECT "id" FROM "hr"."user" WHERE "id" > $1 ORDER BY "id" LIMIT 500`,
			`INSERT INTO "hr"."user" ("login", "we""ird") VALUES ($1, $2) RETURNING "id"`, `UPDATE "hr"."user" SET "we""ird" = $1 WHERE "id" = $2`, `DELETE FROM "hr"."user" WHERE "id" = $1`},
		"mysql": {
			"SELECT `id`, `login` FROM `hr`.`user` WHERE `login` = ? FOR UPDATE", "SELECT `id` FROM `hr`.`user` WHERE `id` > ? ORDER BY `id` LIMIT 500",
			"INSERT INTO `hr`.`user` (`login`, `we\"ird`) VALUES (?, ?)", "UPDATE `hr`.`user` SET `we\"ird` = ? WHERE `id` = ?", "DELETE FROM `hr`.`user` WHERE `id` = ?"},
		"sqlite": {
			`SELECT "id", "login" FROM "hr"."user" WHERE "login" = ?`, `SELECT "id" FROM "hr"."user" WHERE "id" > ? ORDER BY "id" LIMIT 500`,
			`INSERT INTO "hr"."user" ("login", "we""ird") VALUES (?, ?) RETURNING "id"`, `UPDATE "hr"."user" SET "we""ird" = ? WHERE "id" = ?`, `DELETE FROM "hr"."user" WHERE "id" = ?`},
		"sqlserver": {
			`SELECT [id], [login] FROM [hr].[user] WITH (UPDLOCK, SERIALIZABLE) WHERE [login] = @p1`, `SELECT TOP (500) [id] FROM [hr].[user] WHERE [id] > @p1 ORDER BY [id]`,
			`INSERT INTO [hr].[user] ([login], [we"ird]) OUTPUT INSERTED.[id] VALUES (@p1, @p2)`, `UPDATE [hr].[user] SET [we"ird] = @p1 WHERE [id] = @p2`, `DELETE FROM [hr].[user] WHERE [id] = @p1`},
		"oracle": {
			`SELECT "id", "login" FROM "hr"."user" WHERE "login" = :1 FOR UPDATE`, `SELECT "id" FROM "hr"."user" WHERE "id" > :1 ORDER BY "id" FETCH FIRST 500 ROWS ONLY`,
			`INSERT INTO "hr"."user" ("login", "we""ird") VALUES (:1, :2) RETURNING "id" INTO :3`, `UPDATE "hr"."user" SET "we""ird" = :1 WHERE "id" = :2`, `DELETE FROM "hr"."user" WHERE "id" = :1`},
	}
	for _, d := range All {
		t.Run(d.Name, func(t *testing.T) {
			w, q := want[d.Name], d.Quote
			table := d.QuoteTable("hr", "user")
			id := func(b *Builder) { b.Text(q("id"), " = ").Arg("id", 7) }
			find := d.Select(Select{Columns: []string{q("id"), q("login")}, From: table, Where: func(b *Builder) { b.Text(q("login"), " = ").Arg("login", "x") }, Lock: true})
			require.Equal(t, w.find, find.SQL)
			require.Equal(t, []any{"x"}, find.Args)
			page := d.Select(Select{Columns: []string{q("id")}, From: table, Where: func(b *Builder) { b.Text(q("id"), " > ").Arg("after", 7) }, OrderBy: q("id"), Limit: 500})
			require.Equal(t, w.page, page.SQL)
			values := []Value{{Column: q("login"), Label: "userName", Value: "x"}, {Column: q(`we"ird`), Label: "odd", Value: nil}}
			insert := d.Insert(table, values, q("id"))
			require.Equal(t, w.insert, insert.SQL)
			require.Equal(t, []string{"userName", "odd"}, insert.Labels)
			require.Equal(t, w.update, d.Update(table, values[1:], id).SQL)
			require.Equal(t, w.remove, d.Delete(table, id).SQL)
		})
	}
}

func TestNamesCannotEndEarly(t *testing.T) {
	require.Equal(t, `"a""; DROP TABLE x; --"`, Postgres.Quote(`a"; DROP TABLE x; --`))
	require.Equal(t, "`a``b`", MySQL.Quote("a`b"))
	require.Equal(t, "[a]]b]", SQLServer.Quote("a]b"))
}

// CHECK (column IN (…)) as each product writes it; anything more is left to the
// database.
func TestListsOfChecks(t *testing.T) {
	for check, want := range map[string][]string{
		`CHECK (((kind)::text = ANY ((ARRAY['staff'::character varying, 'guest'::character varying])::text[])))`: {"staff", "guest"},
		`CHECK ((kind = ANY (ARRAY['a'::text, 'b'::text])))`:                                                     {"a", "b"},
		"`kind` in ('staff','it''s')":                    {"staff", "it's"},
		`kind IN ('a', 'b')`:                             {"a", "b"},
		`CHECK (age > 17)`:                               nil,
		`CHECK (kind IN ('a') OR other = 'x')`:           nil,
		`CHECK (lower(kind) IN ('a','b'))`:               nil,
		`kind NOT IN ('a','b')`:                          nil,
		`CHECK ((other = ANY (ARRAY['a'::text])))`:       nil,
		`kind IN ('a', 'b') AND kind <> 'b'`:             nil,
		`CHECK ((kind)::text <> ALL (ARRAY['a'::text]))`: nil,
	} {
		table := &Table{Columns: []Column{{Name: "kind"}}}
		table.allow(check)
		require.Equal(t, want, table.Columns[0].Only, check)
	}
}

func TestGrantsOfMySQL(t *testing.T) {
	grants := []string{"GRANT USAGE ON *.* TO `u`@`%`", "GRANT SELECT, INSERT (`a`, `b`) ON `hr`.`user` TO `u`@`%`", "GRANT ALL PRIVILEGES ON `app\\_1`.* TO `u`@`%`"}
	for _, c := range []struct {
		right, schema, table string
		want                 bool
	}{
		{"SELECT", "hr", "user", true}, {"INSERT", "hr", "user", true}, {"DELETE", "hr", "user", false}, {"SELECT", "hr", "role", false},
		{"DELETE", "app_1", "anything", true}, {"DELETE", "appx1", "anything", false},
	} {
		require.Equal(t, c.want, granted(grants, c.right, c.schema, c.table), c)
	}
}
