package sql

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// An account's whole life, on every database.
func TestAccountLife(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		ctx := context.Background()

		made := mustApply(t, target, create("1", "jdoe", "mail", "j@example.org", "displayName", "Jane Doe", "employeeNumber", "E1"))
		require.NotEmpty(t, made.Object.Ref.ID)
		require.Equal(t, "jdoe", made.Object.Ref.Name)

		o, err := target.Get(ctx, made.Object.Ref, nil)
		require.NoError(t, err)
		require.Equal(t, connector.IsEnabled, o.Enabled)
		require.Equal(t, "Jane Doe", o.Attributes.Text("displayName"))
		require.Equal(t, []connector.Ref{}, o.Grants)

		change := connector.Update{Call: id("2"), Target: made.Object.Ref, Changes: []connector.Change{replace("displayName", "Jane Roe"), replace("mail", nil)}}
		mustApply(t, target, change)
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, change).Outcome, "the same again")
		o, err = target.Get(ctx, user("jdoe"), []string{"displayName", "mail"})
		require.NoError(t, err)
		require.Equal(t, attrs("displayName", "Jane Roe"), o.Attributes)

		off := connector.SetEnabled{Call: id("3"), Target: made.Object.Ref}
		mustApply(t, target, off)
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, off).Outcome)
		o, err = target.Get(ctx, made.Object.Ref, nil)
		require.NoError(t, err)
		require.Equal(t, connector.IsDisabled, o.Enabled)

		grant := connector.Grant{Call: id("4"), Principal: made.Object.Ref, Entitlement: role("writer")}
		mustApply(t, target, grant)
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, grant).Outcome)
		o, err = target.Get(ctx, made.Object.Ref, nil)
		require.NoError(t, err)
		require.Len(t, o.Grants, 1)
		require.Equal(t, "writer", o.Grants[0].Name)

		revoke := connector.Revoke{Call: id("5"), Principal: made.Object.Ref, Entitlement: o.Grants[0]}
		mustApply(t, target, revoke)
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, revoke).Outcome)

		renamed := mustApply(t, target, connector.Rename{Call: id("6"), Target: made.Object.Ref, NewName: "jroe"})
		require.Equal(t, made.Object.Ref.ID, renamed.Object.Ref.ID)
		require.Equal(t, "jroe", renamed.Object.Ref.Name)

		mustApply(t, target, grant)
		remove := connector.Delete{Call: id("7"), Target: made.Object.Ref}
		mustApply(t, target, remove)
		require.Equal(t, connector.OutcomeUnchanged, one(t, target, remove).Outcome, "what is gone already is success")
		_, err = target.Get(ctx, made.Object.Ref, nil)
		require.True(t, connector.IsCode(err, connector.CodeNotFound), err)
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_user_role"))

		require.Equal(t, "create update disable grant revoke rename grant delete", verbs(s))
	})
}

// verbs reads the history in order.
func verbs(s *server) string {
	s.t.Helper()
	if s.name == "postgres" {
		return s.text("SELECT string_agg(verb, ' ' ORDER BY id) FROM app_history")
	}
	if s.name == "mysql" {
		return s.text("SELECT GROUP_CONCAT(verb ORDER BY id SEPARATOR ' ') FROM app_history")
	}
	return s.text("SELECT group_concat(verb, ' ') FROM (SELECT verb FROM app_history ORDER BY id)")
}

func TestStepsOfOneAccountTakeEffectTogether(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		c := create("", "jdoe", "mail", "j@example.org")
		c.Call = group("acct", 3, "create")
		rs := apply(t, target, c,
			connector.Grant{Call: group("acct", 3, "reader"), Principal: user("jdoe"), Entitlement: role("reader")},
			connector.Grant{Call: group("acct", 3, "writer"), Principal: connector.Ref{Type: "user"}, Entitlement: role("writer")})
		for _, r := range rs {
			require.Nil(t, r.Err)
			require.Equal(t, connector.OutcomeApplied, r.Outcome)
			require.NotEmpty(t, r.Object.Ref.ID)
		}
		require.Equal(t, "2", s.text("SELECT COUNT(*) FROM app_user_role WHERE granted_by = 'provhub'"))

		// QUIRKS SQL-9: one bad step and nothing of the account stays behind.
		c = create("", "late", "mail", "late@example.org")
		c.Call = group("late", 2, "create")
		rs = apply(t, target, c, connector.Update{Call: group("late", 2, "update"), Target: user("late"), Changes: []connector.Change{replace("mail", "j@example.org")}})
		require.Equal(t, connector.OutcomeCancelled, rs[0].Outcome)
		require.Equal(t, connector.OutcomeFailed, rs[1].Outcome)
		require.Equal(t, connector.CodeAlreadyExists, rs[1].Err.Code)
		require.Equal(t, "jdoe", rs[1].Err.Conflicting.Name)
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_user WHERE login = 'late'"))
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_history WHERE login = 'late'"))
	})
}

// A role that is not there yet holds back its own step; the rest commits.
func TestMissingRoleHoldsBackOnlyItself(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		c := create("", "jdoe")
		c.Call = group("acct", 3, "create")
		rs := apply(t, target, c,
			connector.Grant{Call: group("acct", 3, "none"), Principal: user("jdoe"), Entitlement: role("nonesuch")},
			connector.Grant{Call: group("acct", 3, "reader"), Principal: user("jdoe"), Entitlement: role("reader")})
		require.Equal(t, connector.OutcomeApplied, rs[0].Outcome)
		require.Equal(t, connector.OutcomeFailed, rs[1].Outcome)
		require.Equal(t, connector.CodeDependencyMissing, rs[1].Err.Code)
		require.Equal(t, connector.OutcomeApplied, rs[2].Outcome)
		require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user_role"))
	})
}

// QUIRKS SQL-9
func TestRolesGivenByHandStay(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		ref := mustApply(t, target, create("1", "jdoe")).Object.Ref
		s.exec("INSERT INTO app_user_role (user_id, role_id, granted_by) SELECT u.id, r.id, 'hand' FROM app_user u, app_role r WHERE r.code = 'admin'")
		mustApply(t, target, connector.Grant{Call: id("2"), Principal: ref, Entitlement: role("reader")})
		mustApply(t, target, connector.Revoke{Call: id("3"), Principal: ref, Entitlement: role("reader")})
		require.Equal(t, "hand", s.text("SELECT granted_by FROM app_user_role"))
	})
}

func TestChangeOfWhatIsMissing(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		nobody := connector.Ref{Type: "user", ID: "4711"}
		for _, op := range []connector.Operation{
			connector.Update{Call: id("1"), Target: nobody, Changes: []connector.Change{replace("mail", "x@example.org")}},
			connector.SetEnabled{Call: id("2"), Target: nobody},
			connector.Grant{Call: id("3"), Principal: nobody, Entitlement: role("reader")},
		} {
			r := one(t, target, op)
			require.Equal(t, connector.OutcomeFailed, r.Outcome)
			require.Equal(t, connector.CodeNotFound, r.Err.Code)
		}
		require.Equal(t, "0", s.text("SELECT COUNT(*) FROM app_user"))
	})
}

func TestManyAccountsAtOnceAndOneBad(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		var ops []connector.Operation
		for i := range 100 {
			n := string(rune('a'+i/10)) + string(rune('a'+i%10))
			ops = append(ops, create("op-"+n, "user-"+n, "mail", n+"@example.org"))
		}
		mustApply(t, target, create("first", "first", "mail", "taken@example.org"))
		ops[50] = create("op-bad", "user-bad", "mail", "taken@example.org")
		for i, r := range apply(t, target, ops...) {
			if i == 50 {
				require.Equal(t, connector.CodeAlreadyExists, r.Err.Code)
				continue
			}
			require.Nil(t, r.Err)
			require.Equal(t, connector.OutcomeApplied, r.Outcome)
		}
		require.Equal(t, "100", s.text("SELECT COUNT(*) FROM app_user"))
	})
}
