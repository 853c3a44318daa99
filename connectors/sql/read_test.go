package sql

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func listAll(t *testing.T, target *Target, q connector.ListQuery) []connector.Object {
	t.Helper()
	var out []connector.Object
	end, err := target.List(context.Background(), q, func(o connector.Object) error { out = append(out, o); return nil })
	require.NoError(t, err)
	require.True(t, end.Complete)
	return out
}

// QUIRKS SQL-14: pages are cut by the key, so rows that come and go meanwhile
// make no other one skipped or told twice.
func TestListPagesByKey(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		var ops []connector.Operation
		for i := range 25 {
			ops = append(ops, create(fmt.Sprint(i), fmt.Sprintf("user%02d", i)))
		}
		apply(t, target, ops...)
		mustApply(t, target, connector.Grant{Call: id("g"), Principal: user("user07"), Entitlement: role("writer")})

		seen := map[string]int{}
		n, gone := 0, false
		_, err := target.List(context.Background(), connector.ListQuery{Type: "user", PageSize: 4}, func(o connector.Object) error {
			seen[o.Ref.Name]++
			n++
			// Creates are beside each other: who comes fifth is not known; a role keeps its holder.
			if n >= 5 && !gone && o.Ref.Name != "user07" {
				gone = true
				s.exec("DELETE FROM app_user WHERE login = '"+o.Ref.Name+"'", "INSERT INTO app_user (login) VALUES ('zzz')")
			}
			if o.Ref.Name == "user07" {
				require.Len(t, o.Grants, 1)
				require.Equal(t, "writer", o.Grants[0].Name)
			} else {
				require.Equal(t, []connector.Ref{}, o.Grants)
			}
			return nil
		})
		require.NoError(t, err)
		require.Len(t, seen, 26, "all 25 and the new one")
		for name, times := range seen {
			require.Equal(t, 1, times, name)
		}

		all := listAll(t, target, connector.ListQuery{Type: "user", Attributes: []string{"mail"}})
		require.Len(t, all, 25)
		rest := listAll(t, target, connector.ListQuery{Type: "user", PageToken: []byte(all[9].Ref.ID)})
		require.Len(t, rest, 15, "goes on after the token")
		require.Len(t, listAll(t, target, connector.ListQuery{Type: "role"}), 3)

		_, err = target.List(context.Background(), connector.ListQuery{Type: "user", PageToken: []byte("no number")}, func(connector.Object) error { return nil })
		require.True(t, connector.IsCode(err, connector.CodeInvalidValue), err)
		_, err = target.List(context.Background(), connector.ListQuery{Type: "rolle"}, func(connector.Object) error { return nil })
		require.ErrorContains(t, err, `did you mean "role"?`)
		own := errors.New("enough")
		_, err = target.List(context.Background(), connector.ListQuery{Type: "user"}, func(connector.Object) error { return own })
		require.Same(t, own, err, "the caller's own error comes back")
	})
}

func TestRolesAsObjects(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(appUser, appRole, appUserRole)
		target := s.target(`{"users": {"table": "app_user", "key": "login", "id": "id", "columns": [{"name": "userName", "column": "login"}]},
			"groups": [{"type": "team", "kind": "group", "table": "app_role", "key": "code", "id": "id", "columns": [{"name": "code"}],
			"join": {"table": "app_user_role", "user_column": "user_id", "group_column": "role_id"}}]}`)
		team := mustApply(t, target, connector.Create{Call: id("1"), Type: "team", Attributes: attrs("code", "sales")}).Object.Ref
		mustApply(t, target, create("2", "jdoe"))
		mustApply(t, target, connector.Grant{Call: id("3"), Principal: user("jdoe"), Entitlement: team})
		mustApply(t, target, connector.Rename{Call: id("4"), Target: team, NewName: "marketing"})
		o, err := target.Get(context.Background(), user("jdoe"), nil)
		require.NoError(t, err)
		require.Equal(t, "marketing", o.Grants[0].Name)
		mustApply(t, target, connector.Delete{Call: id("5"), Target: team})
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_user_role"))
		require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user"))
	})
}

// The natural key is the id where the table has no other.
func TestTableWithoutSurrogateID(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec("CREATE TABLE person (login varchar(40) NOT NULL PRIMARY KEY, name varchar(40))", "CREATE TABLE team (name varchar(40) NOT NULL PRIMARY KEY)",
			"CREATE TABLE member (login varchar(40) NOT NULL, team varchar(40) NOT NULL)", "INSERT INTO team VALUES ('red'), ('blue')")
		target := s.target(`{"users": {"table": "person", "key": "login"}, "groups": [{"table": "team", "key": "name",
			"join": {"table": "member", "user_column": "login", "group_column": "team"}}]}`)
		c := connector.Create{Call: group("g", 2, "1"), Type: "user", Attributes: attrs("login", "jdoe")}
		red := connector.Ref{Type: "group", ID: "red"}
		rs := apply(t, target, c, connector.Grant{Call: group("g", 2, "2"), Principal: connector.Ref{Type: "user", ID: "jdoe"}, Entitlement: red})
		require.Equal(t, "jdoe", rs[0].Object.Ref.ID)
		require.Equal(t, connector.OutcomeApplied, rs[1].Outcome)
		r := mustApply(t, target, connector.Update{Call: id("3"), Target: rs[0].Object.Ref, Changes: []connector.Change{replace("login", "jroe")}})
		require.Equal(t, "jroe", r.Object.Ref.ID, "the id that is valid from now on")
		o, err := target.Get(context.Background(), r.Object.Ref, nil)
		require.NoError(t, err)
		require.Equal(t, "jroe", o.Ref.ID)
	})
}

// QUIRKS SQL-13 and the seam to a dry run: placeholders, no values, and no write.
func TestPreviewShowsNoValues(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		c := create("1", "canary-login", "mail", "canary@example.org")
		c.Group, c.DryRun = "g", true
		g := connector.Grant{Call: connector.Call{ID: "2", Group: "g", DryRun: true}, Principal: user("canary-login"), Entitlement: role("reader")}
		rs := apply(t, target, c, g)
		for _, r := range rs {
			require.Equal(t, connector.OutcomeWouldApply, r.Outcome)
			require.NotContains(t, r.Preview, "canary")
		}
		require.Contains(t, rs[0].Preview, "INSERT INTO ")
		require.Contains(t, rs[0].Preview, "userName")
		require.Contains(t, rs[1].Preview, "app_user_role")
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_user"))
		for _, op := range []connector.Operation{
			connector.Update{Target: user("x"), Changes: []connector.Change{replace("mail", "canary@example.org")}},
			connector.SetEnabled{Target: user("x")}, connector.Delete{Target: user("x")}, connector.Revoke{Principal: user("x"), Entitlement: role("reader")},
		} {
			text, err := target.Preview(context.Background(), op)
			require.NoError(t, err)
			require.Regexp(t, "^(UPDATE|DELETE)", text)
			require.NotContains(t, text, "canary")
		}
	})
}

// An id that was given again names somebody else: the anchor in the reference
// gives that away.
func TestReusedID(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		ref := mustApply(t, target, create("1", "old", "employeeNumber", "E1")).Object.Ref
		s.exec("UPDATE app_user SET login = 'new', employee_no = 'E2'")
		ref.By = connector.Correlation{Attribute: "employeeNumber", Value: "E1"}
		r := one(t, target, connector.SetEnabled{Call: id("2"), Target: ref})
		require.Equal(t, connector.CodeNotFound, r.Err.Code)
		require.Contains(t, r.Err.Message, "somebody else")
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, connector.Delete{Call: id("3"), Target: ref}).Outcome)
		require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user"))
	})
}

func TestCheckWarnsOfIDsThatComeAgain(t *testing.T) {
	s := newSQLite(t)
	s.exec("CREATE TABLE app_user (id INTEGER PRIMARY KEY, login varchar(40) NOT NULL UNIQUE)")
	steps, _ := s.target(`{"users": {"table": "app_user", "key": "login", "id": "id"}}`).CheckSteps(context.Background())
	require.Equal(t, connector.CheckWarn, steps[4].Status)
	require.Contains(t, steps[4].Message, "AUTOINCREMENT")
}
