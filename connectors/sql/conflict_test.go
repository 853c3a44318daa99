package sql

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// QUIRKS SQL-1: two unique indexes, crossed persons. A create never writes into
// the row of somebody else who happens to hold the mail.
func TestCrossedPersonsAreAConflict(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		anna := mustApply(t, target, create("1", "anna", "mail", "a@example.org", "displayName", "Anna")).Object.Ref
		mustApply(t, target, create("2", "bert", "mail", "b@example.org", "displayName", "Bert"))

		r := one(t, target, create("3", "carl", "mail", "a@example.org", "displayName", "Carl"))
		require.Equal(t, connector.OutcomeFailed, r.Outcome)
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Equal(t, anna.ID, r.Err.Conflicting.ID)
		require.Equal(t, []string{"mail"}, r.Err.Attributes)

		// The key of one person, the mail of another.
		r = one(t, target, create("4", "bert", "mail", "a@example.org", "displayName", "Bert"))
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Equal(t, "bert", r.Err.Conflicting.Name)

		r = one(t, target, connector.Update{Call: id("5"), Target: user("bert"), Changes: []connector.Change{replace("mail", "a@example.org")}})
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Equal(t, anna.ID, r.Err.Conflicting.ID)

		r = one(t, target, connector.Rename{Call: id("6"), Target: user("bert"), NewName: "anna"})
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Equal(t, anna.ID, r.Err.Conflicting.ID)

		require.Equal(t, "Anna", s.text("SELECT name FROM app_user WHERE mail = 'a@example.org'"))
		require.Equal(t, "2", s.text("SELECT COUNT(*) FROM app_user"))
	})
}

// A create that is repeated because its answer was lost.
func TestRepeatedCreate(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		c := create("1", "jdoe", "displayName", "Jane", "employeeNumber", "E1")
		first := mustApply(t, target, c)

		require.Equal(t, connector.CodeAlreadyExists, one(t, target, c).Err.Code, "without a word of an earlier try")

		c.MaybeApplied, c.Attempt = true, 2
		r := one(t, target, c)
		require.Nil(t, r.Err)
		require.Equal(t, connector.OutcomeUnchanged, r.Outcome)
		require.Equal(t, first.Object.Ref.ID, r.Object.Ref.ID)

		// Changed since, but the anchor proves whose it is.
		s.exec("UPDATE app_user SET name = 'Janet'")
		r = one(t, target, c)
		require.Nil(t, r.Err)
		require.Equal(t, connector.OutcomeAdopted, r.Outcome)
		require.Equal(t, "Janet", r.Object.Attributes.Text("displayName"), "its real state")

		// The same login of another person is no proof.
		s.exec("UPDATE app_user SET employee_no = 'E2'")
		r = one(t, target, c)
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Equal(t, "E2", s.text("SELECT employee_no FROM app_user"))
		require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user"))
	})
}

func TestAdopt(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		s.exec("INSERT INTO app_user (login, name, employee_no, active) VALUES ('old', 'Old Name', 'E1', false), ('other', 'Other', 'E2', true)",
			"INSERT INTO app_user_role (user_id, role_id) SELECT u.id, r.id FROM app_user u, app_role r WHERE u.login = 'old' AND r.code = 'admin'")
		c := create("1", "old", "displayName", "New Name", "employeeNumber", "E1")
		c.Adopt, c.Correlate = true, connector.Correlation{Attribute: "employeeNumber", Value: "E1"}
		r := one(t, target, c)
		require.Nil(t, r.Err)
		require.Equal(t, connector.OutcomeAdopted, r.Outcome)
		require.Equal(t, connector.IsDisabled, r.Object.Enabled, "its true state")
		require.Equal(t, "Old Name", r.Object.Attributes.Text("displayName"))
		require.Len(t, r.Object.Grants, 1)
		require.Equal(t, "Old Name", s.text("SELECT name FROM app_user WHERE login = 'old'"), "taking over writes nothing")

		// The anchor is one person's, the key another's.
		c = create("2", "other", "employeeNumber", "E1")
		c.Adopt, c.Correlate = true, connector.Correlation{Attribute: "employeeNumber", Value: "E1"}
		r = one(t, target, c)
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Equal(t, "other", r.Err.Conflicting.Name)

		c.Correlate.Attribute = "employeNumber"
		r = one(t, target, c)
		require.Equal(t, connector.CodeConfiguration, r.Err.Code)
		require.Contains(t, r.Err.Message, `did you mean "employeeNumber"?`)
	})
}

func TestSeveralMatchesAreAmbiguous(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		s.exec("INSERT INTO app_user (login, name) VALUES ('a', 'Same'), ('b', 'Same')")
		c := create("1", "c", "displayName", "Same")
		c.Adopt, c.Correlate = true, connector.Correlation{Attribute: "displayName", Value: "Same"}
		require.Equal(t, connector.CodeAmbiguous, one(t, target, c).Err.Code)
		_, err := target.Get(context.Background(), connector.Ref{Type: "user", By: c.Correlate}, nil)
		require.True(t, connector.IsCode(err, connector.CodeAmbiguous), err)
	})
}

// QUIRKS SQL-2: a key that the table does not keep unique must not make one
// update reach two people.
func TestUpdateReachesOneRowOrNone(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec("CREATE TABLE loose (login varchar(40) NOT NULL, name varchar(40))", "INSERT INTO loose VALUES ('twin', 'One'), ('twin', 'Two'), ('lone', 'Three')")
		target := s.target(`{"users": {"table": "loose", "key": "login", "columns": [{"name": "login"}, {"name": "name"}]}}`)
		by := func(login string) connector.Ref { return connector.Ref{Type: "user", ID: login} }
		for _, op := range []connector.Operation{
			connector.Update{Call: id("1"), Target: by("twin"), Changes: []connector.Change{replace("name", "Both")}},
			connector.Delete{Call: id("2"), Target: by("twin")},
		} {
			r := one(t, target, op)
			require.Equal(t, connector.OutcomeFailed, r.Outcome)
			require.Equal(t, connector.CodeAmbiguous, r.Err.Code)
		}
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM loose WHERE name = 'Both'"))
		require.Equal(t, "3", s.text("SELECT COUNT(*) FROM loose"))
		mustApply(t, target, connector.Update{Call: id("3"), Target: by("lone"), Changes: []connector.Change{replace("name", "Four")}})
	})
}

// QUIRKS SQL-2: the second half is a row that a trigger swallows.
func TestSuppressedWriteIsNoSuccess(t *testing.T) {
	s := newPostgres(t)
	target := app(s)
	s.exec("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		"CREATE TRIGGER swallow BEFORE INSERT OR UPDATE ON app_user FOR EACH ROW EXECUTE FUNCTION swallow()")
	c := create("1", "jdoe")
	c.Call = group("g", 2, "create")
	rs := apply(t, target, c, connector.Grant{Call: group("g", 2, "grant"), Principal: user("jdoe"), Entitlement: role("reader")})
	require.Equal(t, connector.OutcomeFailed, rs[0].Outcome)
	require.Equal(t, connector.CodePolicy, rs[0].Err.Code)
	require.Contains(t, rs[0].Err.Message, "changed no row")
	require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_history"))
}

// QUIRKS SQL-16: the database takes jane, Jane and JANE for one; we do not.
func TestCaseInsensitiveCollation(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		if s.name == "postgres" {
			_, err := s.admin.Exec("SELECT 1")
			require.NoError(t, err)
			s.exec("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
				`CREATE TABLE app_user (id {id}, login varchar(40) COLLATE nocase NOT NULL UNIQUE, name varchar(40))`)
		} else {
			s.exec(`CREATE TABLE app_user (id {id}, login varchar(40) {nocase} NOT NULL UNIQUE, name varchar(40))`)
		}
		exact := s.target(`{"users": {"table": "app_user", "key": "login", "id": "id", "columns": [{"name": "userName", "column": "login", "case_exact": true}, {"name": "name"}]}}`)
		mustApply(t, exact, create("1", "jane", "name", "Jane"))

		r := one(t, exact, create("2", "JANE", "name", "Another"))
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Contains(t, r.Err.Message, "collation")
		_, err := exact.Get(context.Background(), user("JANE"), nil)
		require.True(t, connector.IsCode(err, connector.CodeNotFound), "another spelling is not proof of the same person")
		r = one(t, exact, connector.Update{Call: id("3"), Target: user("Jane"), Changes: []connector.Change{replace("name", "X")}})
		require.Equal(t, connector.CodeNotFound, r.Err.Code)

		folding := s.target(`{"users": {"table": "app_user", "key": "login", "id": "id", "columns": [{"name": "userName", "column": "login"}, {"name": "name"}]}}`)
		schema, err := folding.Schema(context.Background())
		require.NoError(t, err)
		key, _ := schema[0].Attr("userName")
		require.False(t, key.CaseExact, "taken from the collation")
		o, err := folding.Get(context.Background(), user("JANE"), nil)
		require.NoError(t, err)
		require.Equal(t, "jane", o.Ref.Name)
		// A name may change its case all the same.
		mustApply(t, folding, connector.Rename{Call: id("4"), Target: o.Ref, NewName: "Jane"})
		require.Equal(t, "Jane", s.text("SELECT login FROM app_user"))
	})
}

const softConfig = `{"users": {"table": "app_user", "key": "login", "id": "id", "anchor": "emp",
	"columns": [{"name": "userName", "column": "login"}, {"name": "name"}, {"name": "emp"}],
	"enabled": {"column": "state", "true": "A", "false": "I"},
	"soft_delete": {"column": "deleted", "value": "Y", "live": "N", "timestamp": "deleted_at"}}}`

const softTable = `CREATE TABLE app_user (id {id}, login varchar(40) NOT NULL UNIQUE, name varchar(40), emp varchar(20),
	state char(1) NOT NULL DEFAULT 'A', deleted char(1) NOT NULL DEFAULT 'N', deleted_at {time})`

// QUIRKS SQL-20
func TestSoftDelete(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(softTable)
		target := s.target(softConfig)
		ctx := context.Background()
		ref := mustApply(t, target, create("1", "jdoe", "name", "Jane", "emp", "E1")).Object.Ref
		remove := connector.Delete{Call: id("2"), Target: ref}
		mustApply(t, target, remove)
		require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user WHERE deleted = 'Y' AND deleted_at IS NOT NULL"))
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, remove).Outcome)
		_, err := target.Get(ctx, ref, nil)
		require.True(t, connector.IsCode(err, connector.CodeNotFound), "reading filters it out")
		listed := 0
		_, err = target.List(ctx, connector.ListQuery{Type: "user"}, func(connector.Object) error { listed++; return nil })
		require.NoError(t, err)
		require.Zero(t, listed)
		require.Equal(t, connector.CodeNotFound, one(t, target, connector.SetEnabled{Call: id("3"), Target: ref}).Err.Code)

		// The key comes up again for somebody else: found before the insert.
		r := one(t, target, create("4", "jdoe", "name", "John", "emp", "E2"))
		require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
		require.Equal(t, ref.ID, r.Err.Conflicting.ID)
		require.Contains(t, r.Err.Message, "marked as deleted")
		require.Equal(t, "Jane", s.text("SELECT name FROM app_user"))

		// The same person comes back: the marks go, the attributes are new.
		r = one(t, target, create("5", "jdoe", "name", "Jane Roe", "emp", "E1"))
		require.Nil(t, r.Err)
		require.Equal(t, connector.OutcomeAdopted, r.Outcome)
		require.Equal(t, ref.ID, r.Object.Ref.ID)
		require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user WHERE deleted = 'N' AND deleted_at IS NULL AND name = 'Jane Roe'"))
	})
}

func TestSoftDeleteShownAndByTimestamp(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(`CREATE TABLE app_user (id {id}, login varchar(40) NOT NULL UNIQUE, active {bool} NOT NULL DEFAULT true, deleted_at {time})`)
		target := s.target(`{"users": {"table": "app_user", "key": "login", "id": "id", "columns": [{"name": "userName", "column": "login"}],
			"enabled": {"column": "active"}, "soft_delete": {"column": "deleted_at", "show": true}}}`)
		ref := mustApply(t, target, create("1", "jdoe")).Object.Ref
		mustApply(t, target, connector.Delete{Call: id("2"), Target: ref})
		o, err := target.Get(context.Background(), ref, nil)
		require.NoError(t, err)
		require.Equal(t, connector.IsDisabled, o.Enabled)
		mustApply(t, target, connector.SetEnabled{Call: id("3"), Target: ref, Enabled: true})
		o, err = target.Get(context.Background(), ref, nil)
		require.NoError(t, err)
		require.Equal(t, connector.IsEnabled, o.Enabled, "enabling takes the mark off")
		require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user WHERE deleted_at IS NULL"))
	})
}
