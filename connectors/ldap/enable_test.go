package ldap

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

func disable(t *testing.T, target *Target, ref connector.Ref, on bool, want connector.Outcome) {
	t.Helper()
	err := target.SetEnabled(context.Background(), connector.SetEnabled{Target: ref, Enabled: on})
	require.Equal(t, want, outcome(err), "%v", err)
	require.Equal(t, connector.EnabledIf(on), get(t, target, ref).Enabled, "QUIRKS LDAP-65: read back in the same way")
}

// QUIRKS LDAP-60: the lock of an administrator, and nobody else's.
func TestDisablingByPasswordPolicy(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1"))
	at := s.ou("people").Child(ldap.NewRDN("uid", "jane"))
	password := connector.NewSecret("kT9!vq-Zr4#mWx7")
	require.NoError(t, target.SetCredential(ctx, connector.SetCredential{Target: ref, Credential: password}))
	login := func() bool { ok, err := s.c.Login(ctx, at, password); require.NoError(t, err); return ok }

	disable(t, target, ref, false, connector.OutcomeApplied)
	require.Equal(t, []string{"000001010000Z"}, s.read(at).Get("pwdAccountLockedTime"))
	require.False(t, login())
	disable(t, target, ref, false, connector.OutcomeUnchanged)
	disable(t, target, ref, true, connector.OutcomeApplied)
	require.True(t, login())

	// Locked after too many wrong passwords: not ours to lift, and no disabled account.
	s.modify(at, ldap.OpAdd, "pwdAccountLockedTime", "20260101000000Z")
	disable(t, target, ref, true, connector.OutcomeUnchanged)
	require.Equal(t, []string{"20260101000000Z"}, s.read(at).Get("pwdAccountLockedTime"))
	// It would end by itself, so disabling puts the lock that does not in its place.
	disable(t, target, ref, false, connector.OutcomeApplied)
	require.Equal(t, []string{"000001010000Z"}, s.read(at).Get("pwdAccountLockedTime"))

	// A new password makes the server lift every lock; a disabled account stays disabled.
	require.NoError(t, target.SetCredential(ctx, connector.SetCredential{Target: ref, Credential: connector.NewSecret("another-Zr4#mWx7")}))
	require.Equal(t, connector.IsDisabled, get(t, target, ref).Enabled)

	off := create("jack", "E2")
	off.Enabled, off.Credential = connector.IsDisabled, password
	jack := mustCreate(t, target, off)
	require.Equal(t, connector.IsDisabled, get(t, target, jack).Enabled)
}

// QUIRKS LDAP-49: away with a name of its own, and back to where it came from.
func TestDisablingByMoving(t *testing.T) {
	s := newServer(t)
	hr := s.ou("people").Child(ldap.NewRDN("ou", "hr"))
	s.add(hr, "objectClass", "organizationalUnit")
	s.person(s.ou("disabled").Child(ldap.NewRDN("uid", "jane")), "employeeNumber", "E9")
	s.person(hr.Child(ldap.NewRDN("uid", "jane")), "employeeNumber", "E1")
	target := s.target(s.config(usual, `"users"`, `"disable": [{"kind": "move", "container": "ou=disabled,{base}", "origin": "street"}], "users"`))
	ctx := context.Background()
	o := get(t, target, connector.Ref{Type: "user", By: connector.Correlation{Attribute: "employeeNumber", Value: "E1"}})
	ref := connector.Ref{Type: "user", ID: o.Ref.ID}
	g := mustCreate(t, target, group("staff"))
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))

	disable(t, target, ref, false, connector.OutcomeApplied)
	o = get(t, target, ref)
	require.Equal(t, "uid=jane "+ref.ID[:8]+","+s.ou("disabled").String(), o.Ref.Name, "another jane is there already")
	require.Equal(t, "jane", o.Attributes.Text("userName"), "its name is what it was")
	require.Len(t, o.Grants, 1)
	disable(t, target, ref, false, connector.OutcomeUnchanged)

	disable(t, target, ref, true, connector.OutcomeApplied)
	o = get(t, target, ref)
	require.True(t, dn(t, o.Ref.Name).Equal(hr.Child(ldap.NewRDN("uid", "jane"))), "back where it came from, not where new ones are made: %s", o.Ref.Name)
	require.Nil(t, s.read(dn(t, o.Ref.Name)).Get("street"))
	disable(t, target, ref, true, connector.OutcomeUnchanged)
	require.Len(t, get(t, target, ref).Grants, 1)
}

func TestDisablingByAttributesAndGroups(t *testing.T) {
	s := newServer(t)
	active := s.ou("other").Child(ldap.NewRDN("cn", "active"))
	s.add(active, "objectClass", "groupOfNames", "cn", "active", "member", "cn=nobody")
	target := s.target(s.config(usual, `"users"`, `"disable": [
		{"kind": "value", "attribute": "employeeType", "disabled": "inactive", "enabled": "active"},
		{"kind": "group", "group": "cn=active,ou=other,{base}"},
		{"kind": "bits", "attribute": "roomNumber", "bits": 2}], "users"`))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1"))
	at := s.ou("people").Child(ldap.NewRDN("uid", "jane"))
	s.modify(at, ldap.OpReplace, "roomNumber", "65")
	require.Equal(t, connector.IsEnabled, get(t, target, ref).Enabled, "open in one way is open")
	disable(t, target, ref, true, connector.OutcomeApplied)
	require.Equal(t, []string{"active"}, s.read(at).Get("employeeType"))
	disable(t, target, ref, false, connector.OutcomeApplied)
	e := s.read(at)
	require.Equal(t, []string{"inactive"}, e.Get("employeeType"))
	require.Equal(t, []string{"67"}, e.Get("roomNumber"), "QUIRKS LDAP-41: the other bits stay")
	disable(t, target, ref, false, connector.OutcomeUnchanged)
	s.modify(at, ldap.OpReplace, "employeeType", "active")
	require.Equal(t, connector.IsEnabled, get(t, target, ref).Enabled, "QUIRKS LDAP-65: somebody enabled it")
	disable(t, target, ref, false, connector.OutcomeApplied)
	disable(t, target, ref, true, connector.OutcomeApplied)
	require.Equal(t, []string{"65"}, s.read(at).Get("roomNumber"))
	require.Equal(t, []string{"active"}, s.read(at).Get("employeeType"))

	none := s.target(s.config(usual, `"users"`, `"disable": [], "users"`))
	require.True(t, connector.IsCode(none.SetEnabled(ctx, connector.SetEnabled{Target: ref}), connector.CodeUnsupported))
}

// QUIRKS LDAP-64
func TestPasswordsThatArePolicysToRefuse(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1"))
	set := func(password string, must bool) error {
		return target.SetCredential(ctx, connector.SetCredential{Target: ref, Credential: connector.NewSecret(password), MustChange: must})
	}
	for password, says := range map[string]string{"short": "short", "": "empty"} {
		err := set(password, false)
		require.True(t, connector.IsCode(err, connector.CodePolicy), "%v", err)
		require.ErrorContains(t, err, says)
		require.Empty(t, connector.AsError(err).Detail, "the server's words may repeat it")
	}
	require.NoError(t, set("kT9!vq-Zr4#mWx7", true))
	require.Equal(t, []string{"TRUE"}, s.read(s.ou("people").Child(ldap.NewRDN("uid", "jane"))).Get("pwdReset"))
	generates := s.target(s.config(usual, `"users"`, `"initial_password": {"length": 20}, "users"`))
	mustCreate(t, generates, create("jack", "E2"))
	require.NotEmpty(t, s.read(s.ou("people").Child(ldap.NewRDN("uid", "jack"))).Get("pwdChangedTime"))
}

// QUIRKS EXPR-7: random, by the policy of the config, and no two alike.
func TestGeneratedPasswords(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		p := generated(&InitialPassword{Length: 12}).Reveal()
		require.Len(t, p, 12)
		for _, class := range passwordClasses {
			require.True(t, containsAny(p, class), "%q lacks one of %q", p, class)
		}
		require.False(t, seen[p])
		seen[p] = true
	}
	require.Len(t, generated(nil).Reveal(), generatedLength)
}

func containsAny(s, of string) bool {
	for _, c := range of {
		for _, x := range s {
			if x == c {
				return true
			}
		}
	}
	return false
}
