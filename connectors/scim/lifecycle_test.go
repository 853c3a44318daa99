package scim

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func setEnabled(f *fake, ref connector.Ref, on bool) error {
	return applied(f.target.SetEnabled(context.Background(), connector.SetEnabled{Call: call("e"), Target: ref, Enabled: on}))
}

func deletes(f *fake, ref connector.Ref) error {
	return f.target.Delete(context.Background(), connector.Delete{Call: call("x"), Target: ref})
}

func accounts(t *testing.T, target *Target) connector.ObjectType {
	t.Helper()
	s, err := target.Schema(context.Background())
	require.NoError(t, err)
	u, ok := s.Type("user")
	require.True(t, ok)
	return u
}

// QUIRKS SCIM-60: disabling and deleting are different intents, whatever a
// product makes of them.
func TestDisableAndDeleteByDialect(t *testing.T) {
	for _, c := range []struct {
		dialect   string
		overrides map[string]any
		means     string // part of what the schema says of disabling
		sends     string // method that disables
		deletes   bool   // offered
		stays     bool   // after a delete, disabled
	}{
		{dialect: "rfc7644", means: "active to false", sends: http.MethodPatch, deletes: true},
		{dialect: "slack", means: "active to false", sends: http.MethodPatch, deletes: true, stays: true},
		{dialect: "salesforce", means: "active to false", sends: http.MethodPatch},
		{dialect: "github-emu", means: "hides who it was", sends: http.MethodPatch},
		{dialect: "okta-style", means: "active to false", sends: http.MethodPut},
		{dialect: "rfc7644", overrides: map[string]any{"disable": "delete", "delete": "soft"}, means: "sends DELETE", sends: http.MethodDelete, deletes: true, stays: true},
		{dialect: "rfc7644", overrides: map[string]any{"bool_style": "string_True"}, means: "active to false", sends: http.MethodPatch, deletes: true}, // SCIM-63
	} {
		t.Run(c.dialect+c.means, func(t *testing.T) {
			f := newFake(t, c.dialect, c.overrides, nil)
			u := accounts(t, f.target)
			require.Contains(t, u.DisableMeans, c.means)
			require.Equal(t, c.deletes, slices.Contains(u.Verbs, connector.VerbDelete))
			ref := f.create(newUser("jane", "displayName", "Jane", "email", "jane@example.org"))
			f.ResetLog()
			require.NoError(t, setEnabled(f, ref, false))
			require.Equal(t, 1, f.Count(c.sends, "/Users/"))
			require.Len(t, f.Users(), 1)
			require.False(t, f.Users()[0].Active())
			require.Equal(t, connector.OutcomeUnchanged, outcome(setEnabled(f, ref, false)))
			require.NoError(t, setEnabled(f, ref, true))
			require.True(t, f.Users()[0].Active())
			if !c.deletes {
				require.Error(t, deletes(f, ref))
				require.True(t, f.Users()[0].Active())
				return
			}
			require.NoError(t, deletes(f, ref))
			require.Equal(t, connector.OutcomeUnchanged, outcome(deletes(f, ref)))
			require.Equal(t, c.stays, len(f.Users()) == 1)
		})
	}
}

// QUIRKS SCIM-61: what cannot be undone needs the operator's word, apart for
// accounts and for groups.
func TestIrreversibleDelete(t *testing.T) {
	f := newFake(t, "github-emu", nil, nil)
	ref := f.create(newUser("jane", "displayName", "Jane", "email", "jane@example.org"))
	err := deletes(f, ref)
	require.Equal(t, connector.CodePolicy, code(err))
	require.ErrorContains(t, err, "allow_irreversible_delete")
	require.Len(t, f.Users(), 1)
	f.target = f.open(config{"users": config{"allow_irreversible_delete": true}})
	require.NoError(t, deletes(f, ref))
	require.Empty(t, f.Users())

	slack := newFake(t, "slack", nil, config{"users": config{"type": "member"}})
	s, err := slack.target.Schema(context.Background())
	require.NoError(t, err)
	g, _ := s.Type("group")
	require.NotContains(t, g.Verbs, connector.VerbDelete, "a group of Slack is gone for ever")
	u, _ := s.Type("member")
	require.Contains(t, u.Verbs, connector.VerbDelete, "a user of Slack is not")
}

// QUIRKS SCIM-62: a disabled account that the product does not show any more is
// disabled, and nothing is concluded from its absence.
func TestHiddenWhileDisabled(t *testing.T) {
	f := newFake(t, "atlassian", nil, nil)
	ref := f.create(newUser("jane"))
	f.create(newUser("max"))
	require.NoError(t, setEnabled(f, ref, false))
	require.Equal(t, connector.OutcomeUnchanged, outcome(setEnabled(f, ref, false)))
	require.Equal(t, connector.OutcomeUnchanged, outcome(deletes(f, ref)))
	require.Equal(t, connector.CodeNotFound, code(setEnabled(f, ref, true)), "it must be made anew, which the hub then does")
	n := 0
	end, err := f.target.List(context.Background(), connector.ListQuery{Type: "user"}, func(connector.Object) error { n++; return nil })
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, end.Complete, "whoever is not listed may be disabled")
}

// QUIRKS SCIM-62: what a product shows in place of a disabled account's name is
// no value, so that no difference is seen.
func TestObfuscatedWhileDisabled(t *testing.T) {
	f := newFake(t, "github-emu", nil, nil)
	ref := f.create(newUser("jane", "displayName", "Jane", "email", "jane@example.org"))
	ref.By = connector.Correlation{Attribute: "userName", Value: "jane"}
	require.NoError(t, setEnabled(f, ref, false))
	o, err := f.target.Get(context.Background(), connector.Ref{Type: "user", ID: ref.ID}, nil)
	require.NoError(t, err)
	require.Equal(t, connector.IsDisabled, o.Enabled)
	require.Equal(t, "Jane", o.Attributes.Text("displayName"))
	for _, name := range []string{"userName", "email"} {
		i := slices.IndexFunc(o.Attributes, func(a connector.Attribute) bool { return a.Name == name })
		require.GreaterOrEqual(t, i, 0)
		require.True(t, o.Attributes[i].Incomplete, name)
		require.Empty(t, o.Attributes[i].Values, name)
	}
	require.NoError(t, setEnabled(f, ref, true), "the name that it does not show is no proof against it")
}

// QUIRKS SCIM-64: the product's own accounts are left alone.
func TestProtected(t *testing.T) {
	f := newFake(t, "rfc7644", nil, config{
		"users":  config{"protected": []any{config{"attribute": "userName", "values": []string{"svc-*", "Break-Glass"}}}},
		"groups": config{"protected": []any{config{"attribute": "displayName", "values": []string{"AWSControlTower*"}}}},
	})
	for _, name := range []string{"svc-backup", "break-glass", "jane"} {
		_, err := f.Seed("User", `{"userName": "`+name+`", "externalId": "x-`+name+`"}`)
		require.NoError(t, err)
	}
	gid, err := f.Seed("Group", `{"displayName": "AWSControlTowerAdmins"}`)
	require.NoError(t, err)
	before, groups := f.Users(), f.Groups()
	for _, name := range []string{"svc-backup", "break-glass"} {
		ref := connector.Ref{Type: "user", ID: f.user(name).ID}
		_, adopted := f.target.Create(context.Background(), adopting(newUser(name)))
		_, renamed := f.target.Rename(context.Background(), connector.Rename{Call: call("r"), Target: ref, NewName: "x"})
		for what, err := range map[string]error{
			"adopt": adopted, "rename": renamed, "delete": deletes(f, ref), "disable": setEnabled(f, ref, false),
			"update": f.target.Update(context.Background(), update(ref, replace("title", "x"))),
		} {
			require.Equal(t, connector.CodePolicy, code(err), "%s of %s", what, name)
		}
	}
	tower := connector.Ref{Type: "group", ID: gid}
	jane := connector.Ref{Type: "user", ID: f.user("jane").ID}
	for what, err := range map[string]error{
		"delete": deletes(f, tower), "update": f.target.Update(context.Background(), update(tower, replace("externalId", "x"))),
		"grant":         f.target.Grant(context.Background(), connector.Grant{Call: call("g"), Principal: jane, Entitlement: tower}),
		"grant by name": f.target.Grant(context.Background(), connector.Grant{Call: call("g"), Principal: jane, Entitlement: group("AWSControlTowerAdmins")}),
	} {
		require.Equal(t, connector.CodePolicy, code(err), what)
	}
	require.Equal(t, before, f.Users())
	require.Equal(t, groups, f.Groups())
	require.NoError(t, setEnabled(f, jane, false), "everybody else goes on")
}

// A product that wants a disabled account to be made anew gets it with all that
// it held.
func TestReactivateByCreate(t *testing.T) {
	f := newFake(t, "rfc7644", map[string]any{"reactivate": "create"}, nil)
	ref := f.create(newUser("jane", "title", "Clerk"))
	require.NoError(t, setEnabled(f, ref, false))
	f.ResetLog()
	require.NoError(t, setEnabled(f, ref, true))
	require.Equal(t, 1, f.Count(http.MethodPost, "/Users"))
	require.Len(t, f.Users(), 1)
	require.True(t, f.user("jane").Active())
	require.Equal(t, "Clerk", f.user("jane").Text("title"))
}
