package sql

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

const wideTable = `CREATE TABLE wide (login varchar(10) NOT NULL PRIMARY KEY, num smallint, big bigint, amount decimal(10,2), ratio double precision,
	flag {bool}, day date, at {time}, kind varchar(10) CHECK (kind IN ('staff', 'guest')), note varchar(20) NOT NULL DEFAULT '')`

const wideConfig = `{"users": {"table": "wide", "key": "login"}}`

// Every type goes in and comes out as it was; the second write changes nothing.
func TestTypesRoundTrip(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(wideTable)
		target := s.target(wideConfig)
		at := time.Date(2026, 3, 31, 9, 30, 15, 123456000, time.UTC)
		want := attrs("login", "jdoe", "num", int64(-7), "big", int64(1)<<53+1, "amount", "12.50", "ratio", 0.25, "flag", true,
			"day", connector.Date("2026-03-31"), "at", at, "kind", "guest", "note", "")
		c := connector.Create{Call: id("1"), Type: "user", Attributes: want}
		mustApply(t, target, c)
		o, err := target.Get(context.Background(), connector.Ref{Type: "user", ID: "jdoe"}, nil)
		require.NoError(t, err)
		got := map[string]any{}
		for _, a := range o.Attributes {
			got[a.Name] = a.Values[0]
		}
		if s.name == "sqlite" {
			require.Contains(t, []any{"12.5", "12.50"}, got["amount"], "SQLite keeps a decimal as a number")
			got["amount"] = "12.50"
		}
		for _, a := range want {
			require.Equal(t, a.Values[0], got[a.Name], a.Name)
		}
		var changes []connector.Change
		for _, a := range want[1:] {
			changes = append(changes, replace(a.Name, a.Values[0]))
		}
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, connector.Update{Call: id("2"), Target: o.Ref, Changes: changes}).Outcome)

		schema, err := target.Schema(context.Background())
		require.NoError(t, err)
		types := map[string]connector.ValueType{}
		for _, a := range schema[0].Attributes {
			types[a.Name] = a.Type
		}
		require.Equal(t, map[string]connector.ValueType{"login": "string", "num": "integer", "big": "integer", "amount": "string", "ratio": "double",
			"flag": "bool", "day": "date", "at": "timestamp", "kind": "string", "note": "string"}, types)
		login, _ := schema[0].Attr("login")
		require.Equal(t, 10, login.MaxLength)
		require.True(t, login.Required && login.Unique && login.Naming && login.CaseExact)
		kind, _ := schema[0].Attr("kind")
		require.Equal(t, []string{"staff", "guest"}, kind.Canonical)
		note, _ := schema[0].Attr("note")
		require.False(t, note.Required, "the database has a default")
	})
}

// QUIRKS SQL-15: what does not fit is refused before the write, by name and
// without its value.
func TestValuesThatDoNotFit(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(wideTable)
		target := s.target(wideConfig)
		cases := []struct {
			name string
			v    any
			want string
		}{
			{"login", "elevenchars", "is 11 characters long and column login holds 10; nothing was written"},
			{"num", int64(40000), "is outside the range of the column"},
			{"num", "canary-x", "is not an integer"},
			{"ratio", "canary-x", "is not a number"},
			{"flag", "canary-x", "is not true or false"},
			{"day", "31.03.2026", "is not a date such as 2026-03-31"},
			{"at", "canary-x", "is not a time"},
			{"kind", "canary-x", "may only be one of staff, guest"},
			{"note", nil, "takes no NULL and cannot be cleared"},
			{"shoe", "canary-x", `has no attribute "shoe"`},
		}
		if s.name == "sqlite" {
			cases = append(cases[:1], cases[2:]...) // every integer of SQLite has 64 bits
		}
		mustApply(t, target, connector.Create{Call: id("0"), Type: "user", Attributes: attrs("login", "there")})
		for _, c := range cases {
			u := connector.Update{Call: id("1"), Target: connector.Ref{Type: "user", ID: "there"}, Changes: []connector.Change{replace(c.name, c.v)}}
			r := one(t, target, u)
			require.Equal(t, connector.OutcomeFailed, r.Outcome, c.name)
			require.Equal(t, connector.CodeInvalidValue, r.Err.Code)
			require.Contains(t, r.Err.Message, c.want)
			require.NotContains(t, r.Err.Message, "canary")
			require.Equal(t, []string{c.name}, r.Err.Attributes)
			require.Empty(t, r.Err.NativeCode, "the database was not asked")
		}
		r := one(t, target, connector.Create{Call: id("2"), Type: "user", Attributes: attrs("note", "x")})
		require.Equal(t, connector.CodeInvalidValue, r.Err.Code)
		require.Contains(t, r.Err.Message, "a user needs login")
		r = one(t, target, connector.Update{Call: id("3"), Target: connector.Ref{Type: "user", ID: "there"}, Changes: []connector.Change{
			{Name: "note", Replace: connector.Values{"a", "b"}}}})
		require.Contains(t, r.Err.Message, "holds one value and was given 2")
	})
}

// A CHECK that no list says: the database refuses, and its answer is told by the
// name of the constraint.
func TestRefusedByTheDatabase(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(`CREATE TABLE strict_user (login varchar(40) NOT NULL PRIMARY KEY, boss varchar(40), age int, dept {ref}, CONSTRAINT adult CHECK (age > 17),
			CONSTRAINT no_self CHECK (boss <> login))`,
			`CREATE TABLE dept (id {id})`, `CREATE TABLE holds (login varchar(40) NOT NULL REFERENCES strict_user (login))`)
		target := s.target(`{"users": {"table": "strict_user", "key": "login"}}`)
		make := func(pairs ...any) connector.Result {
			return one(t, target, connector.Create{Call: id("1"), Type: "user", Attributes: attrs(pairs...)})
		}
		r := make("login", "canary", "age", int64(12))
		require.Equal(t, connector.CodeInvalidValue, r.Err.Code)
		require.Contains(t, r.Err.Message, "adult")
		require.NotEmpty(t, r.Err.NativeCode)
		require.NotContains(t, r.Err.Error(), "canary")
		r = make("login", "canary", "boss", "canary")
		require.Contains(t, r.Err.Message, "no_self")

		require.Nil(t, make("login", "held", "age", int64(20)).Err)
		s.exec("INSERT INTO holds VALUES ('held')")
		r = one(t, target, connector.Delete{Call: id("2"), Target: connector.Ref{Type: "user", ID: "held"}})
		require.Equal(t, connector.CodePolicy, r.Err.Code, "another table still refers to the row")
	})
}

// A manager who is not there yet is a dependency that is missing; the account's
// other steps go on.
func TestReferences(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(`CREATE TABLE emp (id {id}, login varchar(40) NOT NULL UNIQUE, boss {ref} REFERENCES emp (id), name varchar(40))`)
		target := s.target(`{"users": {"table": "emp", "key": "login", "id": "id", "columns": [{"name": "userName", "column": "login"}, {"name": "name"},
			{"name": "manager", "column": "boss", "type": "reference"}]}}`)
		boss := mustApply(t, target, create("1", "boss")).Object.Ref
		r := one(t, target, create("2", "early", "manager", connector.Ref{By: connector.Correlation{Attribute: "userName", Value: "nobody"}}))
		require.Equal(t, connector.CodeDependencyMissing, r.Err.Code)
		mustApply(t, target, create("3", "clerk", "manager", user("boss")))
		o, err := target.Get(context.Background(), user("clerk"), nil)
		require.NoError(t, err)
		require.Equal(t, connector.Values{connector.Ref{Type: "user", ID: boss.ID}}, o.Attributes.Get("manager"))

		// By an id that no row has: the foreign key tells, and the rest commits.
		step := func(n string, ch ...connector.Change) connector.Operation {
			return connector.Update{Call: group("g", 2, n), Target: user("clerk"), Changes: ch}
		}
		rs := apply(t, target, step("manager", replace("manager", connector.Ref{Type: "user", ID: "4711"})), step("name", replace("name", "Clerk")))
		require.Equal(t, connector.CodeDependencyMissing, rs[0].Err.Code)
		require.Equal(t, connector.OutcomeApplied, rs[1].Outcome)
		require.Equal(t, "Clerk", s.text("SELECT name FROM emp WHERE login = 'clerk'"))
	})
}

// QUIRKS SQL-22
func TestTargetThatRewrites(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(appUser)
		for _, st := range map[string][]string{
			"sqlite": {"CREATE TRIGGER lower_mail AFTER INSERT ON app_user BEGIN UPDATE app_user SET mail = 'x-' || mail WHERE id = NEW.id; END"},
			"postgres": {"CREATE FUNCTION lower_mail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.mail := 'x-' || NEW.mail; RETURN NEW; END $$",
				"CREATE TRIGGER lower_mail BEFORE INSERT ON app_user FOR EACH ROW EXECUTE FUNCTION lower_mail()"},
			"mysql": {"CREATE TRIGGER lower_mail BEFORE INSERT ON app_user FOR EACH ROW SET NEW.mail = CONCAT('x-', NEW.mail)"},
		}[s.name] {
			s.exec(st)
		}
		cfg := `{"verify": true, "users": {"table": "app_user", "key": "login", "id": "id", "columns": [{"name": "userName", "column": "login"}, {"name": "mail"}, {"name": "name"}]}}`
		target := s.target(cfg)
		r := one(t, target, create("1", "jdoe", "mail", "j@example.org", "name", "Jane"))
		require.Equal(t, connector.OutcomePartial, r.Outcome)
		require.Equal(t, []string{"mail"}, r.Err.Attributes)
		require.Contains(t, r.Err.Message, "the target rewrites mail")
		require.Equal(t, connector.ClassPermanent, r.Err.Class(), "not an endless drift")
		require.ElementsMatch(t, []string{"userName", "name"}, r.Applied)
		require.Equal(t, "x-j@example.org", r.Object.Attributes.Text("mail"), "what it holds now")

		r = mustApply(t, target, create("2", "plain", "name", "Plain"))
		require.Equal(t, "Plain", r.Object.Attributes.Text("name"))

		blind := s.target(strings.Replace(cfg, `"verify": true, `, "", 1))
		r = mustApply(t, blind, create("3", "unseen", "mail", "u@example.org"))
		require.Nil(t, r.Object.Attributes, "nothing is claimed that was not read")
	})
}

func TestConditionalUpdate(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(`CREATE TABLE app_user (id {id}, login varchar(40) NOT NULL UNIQUE, name varchar(40), rev int NOT NULL DEFAULT 1)`)
		target := s.target(`{"users": {"table": "app_user", "key": "login", "id": "id", "version": "rev", "columns": [{"name": "userName", "column": "login"}, {"name": "name"}]}}`)
		ref := mustApply(t, target, create("1", "jdoe")).Object.Ref
		require.Equal(t, "1", ref.Version)
		u := connector.Update{Call: id("2"), Target: ref, Changes: []connector.Change{replace("name", "Jane")}}
		u.IfVersion = "1"
		mustApply(t, target, u)
		s.exec("UPDATE app_user SET rev = 2, name = 'Other'")
		r := one(t, target, u)
		require.Equal(t, connector.CodeVersionConflict, r.Err.Code)
		require.Equal(t, "Other", s.text("SELECT name FROM app_user"))
	})
	t.Run("without a version column it is refused, not ignored", func(t *testing.T) {
		s := newSQLite(t)
		target := app(s)
		mustApply(t, target, create("1", "jdoe"))
		u := connector.Update{Call: id("2"), Target: user("jdoe"), Changes: []connector.Change{replace("mail", "j@example.org")}}
		u.IfVersion = "1"
		require.Equal(t, connector.CodeUnsupported, one(t, target, u).Err.Code)
	})
}

// A delta on a column, which holds one value.
func TestDelta(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		mustApply(t, target, create("1", "jdoe", "mail", "old@example.org"))
		u := connector.Update{Call: id("2"), Target: user("jdoe"), Changes: []connector.Change{
			{Name: "mail", Delta: true, Remove: connector.Values{"old@example.org"}, Add: connector.Values{"new@example.org"}}}}
		mustApply(t, target, u)
		require.Equal(t, "new@example.org", s.text("SELECT mail FROM app_user"))
		u.Changes[0].Add = nil
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, u).Outcome, "removing what is not there")
		u.Changes[0].Remove = connector.Values{"new@example.org"}
		mustApply(t, target, u)
		require.Equal(t, "", s.text("SELECT mail FROM app_user"))
	})
}
