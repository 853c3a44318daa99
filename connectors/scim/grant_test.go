package scim

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

func grant(f *fake, account, entitlement connector.Ref) error {
	return f.target.Grant(context.Background(), connector.Grant{Call: call("g"), Principal: account, Entitlement: entitlement})
}

func revoke(f *fake, account, entitlement connector.Ref) error {
	return f.target.Revoke(context.Background(), connector.Revoke{Call: call("r"), Principal: account, Entitlement: entitlement})
}

// seedUsers puts n accounts there and returns their references.
func (f *fake) seedUsers(n int) []connector.Ref {
	f.t.Helper()
	refs := make([]connector.Ref, n)
	for i := range refs {
		id, err := f.Seed("User", fmt.Sprintf(`{"userName": "u%d", "externalId": "x%d"}`, i, i))
		require.NoError(f.t, err)
		refs[i] = connector.Ref{Type: "user", ID: id}
	}
	return refs
}

func (f *fake) seedGroup(name string) connector.Ref {
	f.t.Helper()
	id, err := f.Seed("Group", `{"displayName": "`+name+`", "externalId": "`+name+`"}`)
	require.NoError(f.t, err)
	return connector.Ref{Type: "group", ID: id}
}

// group names a group by what the dialect finds it by, as the hub does.
func (f *fake) group(name string) connector.Ref {
	f.t.Helper()
	s, err := f.target.Schema(context.Background())
	require.NoError(f.t, err)
	t, ok := s.Type("group")
	require.True(f.t, ok)
	return connector.Ref{Type: "group", Name: name, By: connector.Correlation{Attribute: t.Correlation[0], Value: name}}
}

func (f *fake) members(name string) []string {
	f.t.Helper()
	g, ok := f.Group(name)
	require.True(f.t, ok)
	return g.Members
}

func TestGrantAndRevoke(t *testing.T) {
	for _, dialect := range []string{"rfc7644", "aws-identity-center", "entra-target", "entra-legacy", "entra-style", "salesforce", "wso2", "google"} {
		t.Run(dialect, func(t *testing.T) {
			f := newFake(t, dialect, nil, nil)
			users, other := f.seedUsers(2), f.seedGroup("others")
			f.seedGroup("staff")
			staff := f.group("staff")
			require.NoError(t, f.SeedMembers(other.ID, users[0].ID))
			require.NoError(t, grant(f, users[0], staff))
			require.NoError(t, grant(f, users[1], staff))
			require.ElementsMatch(t, []string{users[0].ID, users[1].ID}, f.members("staff"))
			f.ResetLog()
			require.Equal(t, connector.OutcomeUnchanged, outcome(grant(f, users[0], staff)))
			require.Zero(t, f.Count(http.MethodPatch, ""))
			require.NoError(t, revoke(f, users[0], staff))
			require.Equal(t, []string{users[1].ID}, f.members("staff"))
			require.Equal(t, connector.OutcomeUnchanged, outcome(revoke(f, users[0], staff)))
			require.Equal(t, []string{users[0].ID}, f.members("others"), "nobody else's, nothing else")
		})
	}
}

// QUIRKS SCIM-28, §1.3 (a): many grants of one group are few requests, within the
// limits of the dialect.
func TestGrantsGather(t *testing.T) {
	for _, c := range []struct {
		dialect string
		most    int // requests for 250 members: the first alone, the rest within the limits
	}{
		{"rfc7644", 3}, {"aws-identity-center", 5}, {"entra-target", 15},
	} {
		t.Run(c.dialect, func(t *testing.T) {
			f := newFake(t, c.dialect, nil, nil)
			users := f.seedUsers(250)
			f.seedGroup("staff")
			staff := f.group("staff")
			f.ResetLog()
			f.Arm(fakescim.Fault{Name: fakescim.Slow, Method: http.MethodPatch, Wait: 20 * time.Millisecond})
			for i, err := range together(len(users), func(i int) error { return grant(f, users[i], staff) }) {
				require.NoError(t, err, i)
			}
			require.Len(t, f.members("staff"), 250)
			require.LessOrEqual(t, f.Count(http.MethodPatch, "/Groups"), c.most)
			require.LessOrEqual(t, f.Count(http.MethodGet, "/Users"), 2, "no read for each")
			for i, err := range together(len(users), func(i int) error { return revoke(f, users[i], staff) }) {
				require.NoError(t, err, i)
			}
			require.Empty(t, f.members("staff"))
		})
	}
}

// QUIRKS SCIM-30: one account that is gone spoils nobody else's grant.
func TestGrantOfAMemberWhoIsGone(t *testing.T) {
	for name, overrides := range map[string]map[string]any{
		"fails all": nil, "500": {"bad_member": "error_500"}, "ignored": {"bad_member": "ignored"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, "rfc7644", overrides, nil)
			users := append(f.seedUsers(40), connector.Ref{Type: "user", ID: "no-such"})
			f.seedGroup("staff")
			f.Arm(fakescim.Fault{Name: fakescim.Slow, Method: http.MethodPatch, Wait: 5 * time.Millisecond})
			for i, err := range together(len(users), func(i int) error { return grant(f, users[i], group("staff")) }) {
				if i < 40 {
					require.NoError(t, err)
				} else {
					require.Equal(t, connector.CodeNotFound, code(err), "%v", err)
					require.Equal(t, connector.OutcomeFailed, outcome(err))
				}
			}
			require.Len(t, f.members("staff"), 40)
			require.Equal(t, connector.CodeNotFound, code(grant(f, users[40], group("staff"))), "alone as well")
		})
	}
}

func TestGrantOfAGroupThatIsNotThere(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	user := f.seedUsers(1)[0]
	for _, ref := range []connector.Ref{group("none"), {Type: "group", ID: "no-such"}, {Type: "group", Name: "none"}} {
		require.Equal(t, connector.CodeDependencyMissing, code(grant(f, user, ref)), ref)
		require.Equal(t, connector.OutcomeUnchanged, outcome(revoke(f, user, ref)), "nobody is in it")
	}
	require.Equal(t, connector.CodeInvalidValue, code(grant(f, user, connector.Ref{Type: "licence", Name: "x"})))

	staff := f.seedGroup("staff")
	require.NoError(t, grant(f, user, group("staff")))
	require.NoError(t, deletes(f, staff))
	require.Equal(t, connector.CodeDependencyMissing, code(grant(f, user, group("staff"))), "what was known of it is forgotten")
	anew := f.seedGroup("staff")
	require.NoError(t, grant(f, user, group("staff")))
	require.NotEqual(t, staff.ID, anew.ID)
}

// QUIRKS SCIM-7: two groups of one name are nobody's.
func TestGrantOfAnAmbiguousGroup(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	user := f.seedUsers(1)[0]
	f.seedGroup("staff")
	f.seedGroup("Staff")
	require.Equal(t, connector.CodeAmbiguous, code(grant(f, user, group("staff"))))
	require.Zero(t, f.Count(http.MethodPatch, ""))
}

// QUIRKS SCIM-29: a target that never shows members is not read as one where
// nobody is in a group.
func TestGrantsThatTheProductDoesNotTell(t *testing.T) {
	for dialect, tells := range map[string]bool{"rfc7644": true, "aws-identity-center": false, "entra-target": false} {
		f := newFake(t, dialect, nil, nil)
		user := f.seedUsers(1)[0]
		f.seedGroup("staff")
		for range 2 {
			o, err := f.target.Get(context.Background(), user, nil)
			require.NoError(t, err)
			if tells {
				require.NotNil(t, o.Grants, dialect)
			} else {
				require.Nil(t, o.Grants, dialect)
			}
			require.NoError(t, ignore(grant(f, user, f.group("staff"))))
		}
	}
}

// ignore takes "it was so already" for done.
func ignore(err error) error {
	if outcome(err).Done() {
		return nil
	}
	return err
}

func TestGrantHasNoAttributes(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	user := f.seedUsers(1)[0]
	f.seedGroup("staff")
	err := f.target.Grant(context.Background(), connector.Grant{Call: call("g"), Principal: user, Entitlement: group("staff"), ExpiresAt: time.Now().Add(time.Hour)})
	require.Equal(t, connector.CodeUnsupported, code(err), "a grant that should end and would not is not given")
	require.Empty(t, f.members("staff"))
}

// A member that is named by its anchor while its id is not known.
func TestGrantByCorrelation(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	f.seedUsers(2)
	f.seedGroup("staff")
	require.NoError(t, grant(f, by("externalId", "x1"), group("staff")))
	require.Equal(t, []string{f.user("u1").ID}, f.members("staff"))
	require.Equal(t, connector.CodeNotFound, code(grant(f, by("externalId", "x9"), group("staff"))))
}

func TestGroupsAsObjects(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	ref := f.create(newGroup("staff"))
	_, err := f.target.Create(context.Background(), newGroup("Staff"))
	require.Equal(t, connector.CodeAlreadyExists, code(err), "the product would take a second one (SCIM-7)")
	require.Len(t, f.Groups(), 1)
	require.NoError(t, f.SeedMembers(ref.ID, f.seedUsers(1)[0].ID))
	_, err = f.target.Rename(context.Background(), connector.Rename{Call: call("r"), Target: ref, NewName: "people"})
	require.NoError(t, err)
	require.Len(t, f.members("people"), 1)
	o, err := f.target.Get(context.Background(), connector.Ref{Type: "group", By: connector.Correlation{Attribute: "displayName", Value: "people"}}, nil)
	require.NoError(t, err)
	require.Equal(t, ref.ID, o.Ref.ID)
	require.NoError(t, deletes(f, ref))
	require.Empty(t, f.Groups())

	for kind, want := range map[string]bool{"entitlement": false, "group": true} {
		s, err := f.open(config{"groups": config{"kind": kind}}).Schema(context.Background())
		require.NoError(t, err)
		g, ok := s.Type("group")
		require.True(t, ok)
		require.Equal(t, want, contains(g.Verbs, connector.VerbCreate), kind)
	}
	s, err := f.open(config{"groups": config{"kind": "none"}}).Schema(context.Background())
	require.NoError(t, err)
	require.Len(t, s, 1)
	require.Empty(t, s[0].Grants)
}

func contains(verbs []connector.Verb, v connector.Verb) bool {
	for _, x := range verbs {
		if x == v {
			return true
		}
	}
	return false
}
