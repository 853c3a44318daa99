package ldap

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// QUIRKS LDAP-23: a group that must have a member keeps one.
func TestTheLastMember(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1"))
	at := s.ou("groups").Child(ldap.NewRDN("cn", "old"))
	s.add(at, "objectClass", "groupOfNames", "cn", "old", "member", "uid=jane,"+s.ou("people").String())
	g := connector.Ref{Type: "group", By: connector.Correlation{Attribute: "name", Value: "old"}}
	require.NoError(t, target.Revoke(ctx, connector.Revoke{Principal: ref, Entitlement: g}))
	require.Equal(t, []string{at.String()}, s.read(at).Get("member"))
	require.Empty(t, get(t, target, ref).Grants)
	require.NotNil(t, get(t, target, ref).Grants)
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))
	require.Equal(t, connector.Unchanged, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))
}

// A group that is gone keeps no leaver waiting, and is named to whoever has to make it.
func TestAGroupThatIsNotThere(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ref := mustCreate(t, target, create("jane", "E1"))
	g := connector.Ref{Type: "group", By: connector.Correlation{Attribute: "name", Value: "old"}}
	require.Equal(t, connector.Unchanged, target.Revoke(context.Background(), connector.Revoke{Principal: ref, Entitlement: g}))
	err := target.Grant(context.Background(), connector.Grant{Principal: ref, Entitlement: g})
	require.True(t, connector.IsCode(err, connector.CodeDependencyMissing), "%v", err)
	require.ErrorContains(t, err, "no group old in the directory")
}

// Groups that hold logins, as posixGroup does.
func TestGroupsOfLogins(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual, `"openldap-overlays"`, `"openldap-posix"`, `"manager", "type": "reference"}`, `"uidNumber"}, {"name": "gidNumber"}, {"name": "homeDirectory"}`,
		`{"name": "description"}`, `{"name": "gidNumber"}`))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1", "uidNumber", int64(5001), "gidNumber", int64(5001), "homeDirectory", "/home/jane"))
	c := group("staff")
	c.Attributes = append(c.Attributes, attrs("gidNumber", int64(7001))...)
	g := mustCreate(t, target, c)
	at := s.ou("groups").Child(ldap.NewRDN("cn", "staff"))
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))
	require.Equal(t, []string{"jane"}, s.read(at).Get("memberUid"))
	_, err := target.Rename(ctx, connector.Rename{Target: ref, NewName: "jane.doe"})
	require.NoError(t, err)
	require.Equal(t, []string{"jane.doe"}, s.read(at).Get("memberUid"), "QUIRKS LDAP-50")
	require.Len(t, get(t, target, ref).Grants, 1)
	require.NoError(t, target.Revoke(ctx, connector.Revoke{Principal: ref, Entitlement: g}))
	require.Nil(t, s.read(at).Get("memberUid"), "it may be empty")
	disable(t, target, ref, false, connector.OutcomeApplied)
	require.Equal(t, []string{"1"}, s.read(s.ou("people").Child(ldap.NewRDN("uid", "jane.doe"))).Get("shadowExpire"))
}

// The directory follows a member that is renamed or deleted (QUIRKS LDAP-50), also
// when the write is guarded.
func TestGroupsFollowTheirMembers(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ctx := context.Background()
	jane, joe := mustCreate(t, target, create("jane", "E1")), mustCreate(t, target, create("joe", "E2"))
	g := mustCreate(t, target, group("staff"))
	for _, ref := range []connector.Ref{jane, joe} {
		require.NoError(t, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))
	}
	members := func() []string { return s.read(s.ou("groups").Child(ldap.NewRDN("cn", "staff"))).Get("member") }
	_, err := target.Rename(ctx, connector.Rename{Target: jane, NewName: "jane.doe"})
	require.NoError(t, err)
	eventually(t, func() bool {
		return slices.Contains(members(), s.ou("people").Child(ldap.NewRDN("uid", "jane.doe")).String())
	})
	require.NoError(t, target.Delete(ctx, connector.Delete{Target: joe}))
	eventually(t, func() bool {
		return !slices.Contains(members(), s.ou("people").Child(ldap.NewRDN("uid", "joe")).String())
	})
	require.Len(t, get(t, target, jane).Grants, 1)
}

// eventually waits for what the directory does in its own time.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "it did not happen")
	}
}

// QUIRKS LDAP-8, LDAP-9, Q-14: grants of one group go out together, and each is
// answered for itself.
func TestGrantsAreMergedAndAnsweredOneByOne(t *testing.T) {
	for _, o := range []struct {
		name   string
		flavor fakeldap.Flavor
		config func(*fake) *Target
	}{
		{"one by one", fakeldap.OpenLDAP, func(f *fake) *Target { return f.open(f.config(usual)) }},
		{"permissive", fakeldap.ActiveDirectory, func(f *fake) *Target { return f.open(f.config(corp)) }},
		{"strict on Active Directory", fakeldap.ActiveDirectory, func(f *fake) *Target {
			return f.open(f.config(corp, `"users"`, `"overrides": {"permissive_modify": "never"}, "users"`))
		}},
	} {
		t.Run(o.name, func(t *testing.T) {
			f := newFake(t, fakeldap.Options{Flavor: o.flavor})
			target := o.config(f)
			const n = 200
			refs := make([]connector.Ref, n)
			for i := range refs {
				refs[i] = mustCreate(t, target, anyone(o.flavor, i))
			}
			g := mustCreate(t, target, group("all"))
			grant := func(refs []connector.Ref) []connector.Outcome {
				out := make([]connector.Outcome, len(refs))
				var wg sync.WaitGroup
				for i, ref := range refs {
					wg.Go(func() {
						out[i] = outcome(target.Grant(context.Background(), connector.Grant{Principal: ref, Entitlement: g}))
					})
				}
				wg.Wait()
				return out
			}
			// Every tenth is a member already, and one account is gone.
			held := 0
			for i := 0; i < n; i += 10 {
				require.Equal(t, []connector.Outcome{connector.OutcomeApplied}, grant(refs[i:i+1]))
				held++
			}
			require.NoError(t, target.Delete(context.Background(), connector.Delete{Target: refs[5]}))
			f.ResetStats()
			for i, got := range grant(refs) {
				want := connector.OutcomeApplied
				if i%10 == 0 {
					want = connector.OutcomeUnchanged
				} else if i == 5 {
					want = connector.OutcomeFailed
				}
				require.Equal(t, want, got, i)
			}
			require.Less(t, f.Stats().Ops[fakeldap.OpModify], n, "%v", f.Stats().Ops)
			require.Less(t, f.Stats().Ops[fakeldap.OpSearch], n/2, "%v", f.Stats().Ops)
			for i, got := range grant(refs) {
				if i != 5 {
					require.Equal(t, connector.OutcomeUnchanged, got, i)
				}
			}
		})
	}
}

// anyone is the create of account i.
func anyone(flavor fakeldap.Flavor, i int) connector.Create {
	name := fmt.Sprintf("p%03d", i)
	if flavor != fakeldap.ActiveDirectory {
		return create(name, fmt.Sprint("E", i))
	}
	return connector.Create{Type: "user", Enabled: connector.IsEnabled, Attributes: attrs("commonName", name, "userName", name, "employeeNumber", fmt.Sprint("E", i)),
		Correlate: connector.Correlation{Attribute: "employeeNumber", Value: fmt.Sprint("E", i)}}
}

// One member that the server does not take holds back nobody else.
func TestABadMemberIsIsolated(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	target := f.open(f.config(usual))
	refs := make([]connector.Ref, 64)
	for i := range refs {
		refs[i] = mustCreate(t, target, anyone(fakeldap.OpenLDAP, i))
	}
	g := mustCreate(t, target, group("all"))
	s, release := target.use()
	defer release()
	m, err := s.model(context.Background())
	require.NoError(t, err)
	q, err := s.queue(context.Background(), m, m.groups[0], g)
	require.NoError(t, err)
	batch := make([]*memberChange, len(refs))
	for i, ref := range refs {
		batch[i] = &memberChange{op: ldap.OpAdd, value: get(t, target, ref).Ref.Name}
	}
	batch[17].value = "this is no DN"
	q.send(context.Background(), q.name(), batch)
	for i, c := range batch {
		if i == 17 {
			require.True(t, connector.IsCode(c.err, connector.CodeInvalidValue), "%v", c.err)
		} else {
			require.NoError(t, c.err)
		}
	}
}

// A group that somebody else renames or deletes while we know its name.
func TestAGroupThatSomebodyElseChanges(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	target := f.open(f.config(usual))
	ctx := context.Background()
	ref, g := mustCreate(t, target, create("jane", "E1")), mustCreate(t, target, group("staff"))
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))
	require.NoError(t, f.Rename("cn=staff,"+f.In(fakeldap.Groups), "cn=crew,"+f.In(fakeldap.Groups)))
	err := target.Revoke(ctx, connector.Revoke{Principal: ref, Entitlement: g})
	require.True(t, connector.IsCode(err, connector.CodeDependencyMissing), "%v", err)
	require.NoError(t, target.Revoke(ctx, connector.Revoke{Principal: ref, Entitlement: g}), "the next try finds it by its id")
	require.NoError(t, f.Remove("cn=crew,"+f.In(fakeldap.Groups)))
	for range 2 {
		err = target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g})
		require.True(t, connector.IsCode(err, connector.CodeDependencyMissing), "%v", err)
	}
}
