package scim

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

func list(t *testing.T, target *Target, q connector.ListQuery) ([]connector.Object, bool) {
	t.Helper()
	var all []connector.Object
	end, err := target.List(context.Background(), q, func(o connector.Object) error { all = append(all, o); return nil })
	require.NoError(t, err)
	return all, end.Complete
}

// QUIRKS SCIM-16 to 19, SCIM-4: when a listing may be believed to hold everybody.
func TestListIsCompleteOrNot(t *testing.T) {
	for _, c := range []struct {
		dialect  string
		fault    fakescim.Fault
		complete bool
		listed   int
	}{
		{dialect: "rfc7644", complete: true, listed: 25},
		{dialect: "aws-identity-center", complete: true, listed: 25},
		{dialect: "google", complete: true, listed: 25},
		{dialect: "rfc7644", fault: fakescim.Fault{Name: fakescim.ForcedCursor}, complete: true, listed: 25},
		{dialect: "rfc7644", fault: fakescim.Fault{Name: fakescim.LowerCaseResources}, complete: true, listed: 25},
		{dialect: "rfc7644", fault: fakescim.Fault{Name: fakescim.RepeatIDs}, complete: false, listed: 25},
		{dialect: "rfc7644", fault: fakescim.Fault{Name: fakescim.TotalTooBig}, complete: false, listed: 25},
		{dialect: "rfc7644", fault: fakescim.Fault{Name: fakescim.TotalTooSmall}, complete: false, listed: 25},
		{dialect: "rfc7644", fault: fakescim.Fault{Name: fakescim.Truncated, N: 7}, complete: false, listed: 7},
	} {
		t.Run(c.dialect+" "+string(c.fault.Name), func(t *testing.T) {
			f := newFake(t, c.dialect, nil, config{"page_size": 10})
			f.seedUsers(25)
			if c.fault.Name != "" {
				f.Arm(c.fault)
			}
			all, complete := list(t, f.target, connector.ListQuery{Type: "user"})
			if c.complete {
				require.True(t, complete)
			} else if complete {
				require.Len(t, all, 25, "complete although somebody is missing")
			}
			require.GreaterOrEqual(t, len(all), c.listed)
			once := map[string]bool{}
			for _, o := range all {
				require.False(t, once[o.Ref.ID], "%s twice", o.Ref)
				once[o.Ref.ID] = true
			}
		})
	}
}

func TestListOfWhatIsNoService(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	f.seedUsers(3)
	_, err := f.target.Schema(context.Background())
	require.NoError(t, err)
	f.Arm(fakescim.Fault{Name: fakescim.HTML})
	_, err = f.target.List(context.Background(), connector.ListQuery{Type: "user"}, func(connector.Object) error { return nil })
	require.Equal(t, connector.CodeConfiguration, code(err), "a sign-in page is no empty list")
	_, err = f.target.List(context.Background(), connector.ListQuery{Type: "user", PageToken: []byte("x")}, func(connector.Object) error { return nil })
	require.Equal(t, connector.CodeInvalidValue, code(err))
}

func TestListStopsWhenNobodyWantsMore(t *testing.T) {
	f := newFake(t, "rfc7644", nil, config{"page_size": 5})
	f.seedUsers(20)
	enough := fmt.Errorf("enough")
	n := 0
	_, err := f.target.List(context.Background(), connector.ListQuery{Type: "user"}, func(connector.Object) error {
		if n++; n == 7 {
			return enough
		}
		return nil
	})
	require.ErrorIs(t, err, enough)
	require.Equal(t, 7, n)
}

// Members are never read: a group may have a hundred thousand.
func TestReadsOfGroupsLeaveMembersOut(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	staff := f.seedGroup("staff")
	users := f.seedUsers(3)
	require.NoError(t, f.SeedMembers(staff.ID, users[0].ID, users[1].ID))
	for _, names := range [][]string{nil, {"displayName"}} {
		sel := mustUse(t, f.target).groups.selection(names)
		r, err := f.target.current().Client.Get(context.Background(), "groups", staff.ID, sel)
		require.NoError(t, err)
		require.NotContains(t, r, "members")
	}
	o, err := f.target.Get(context.Background(), users[0], []string{"userName"})
	require.NoError(t, err)
	require.Equal(t, []connector.Ref{{Type: "group", ID: staff.ID, Name: "staff"}}, o.Grants)
	require.Len(t, o.Attributes, 1)
}

func mustUse(t *testing.T, target *Target) *model {
	t.Helper()
	_, m, err := target.use(context.Background())
	require.NoError(t, err)
	return m
}

func TestGetByWhatFindsIt(t *testing.T) {
	f := newFake(t, "rfc7644", nil, config{"users": config{"anchor": "email"}})
	id, err := f.Seed("User", `{"userName": "jane", "emails": [{"type": "work", "value": "w@example.org"}, {"type": "home", "value": "h@example.org"}]}`)
	require.NoError(t, err)
	for value, want := range map[string]string{"w@example.org": id, "W@Example.org": id, "h@example.org": "", "w@example.or": ""} {
		o, err := f.target.Get(context.Background(), by("email", value), nil)
		if want == "" {
			require.Equal(t, connector.CodeNotFound, code(err), value)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, o.Ref.ID)
	}
	_, err = f.target.Get(context.Background(), by("shoeSize", "42"), nil)
	require.Equal(t, connector.CodeInvalidValue, code(err))
	_, err = f.target.Get(context.Background(), connector.Ref{Type: "user"}, nil)
	require.Equal(t, connector.CodeInvalidValue, code(err))
}

// QUIRKS SCIM-21: what a service says of itself is taken with care.
func TestDiscovery(t *testing.T) {
	f := newFakeWith(t, "rfc7644", nil, config{"users": config{
		"attributes": []any{config{"name": "badge", "path": "urn:example:params:scim:schemas:1.0:Badge:number"}, config{"name": "roles", "path": "roles.value"}}, "leave_out": []string{"timezone"}}},
		fakescim.Options{Extensions: []fakescim.Extension{{Type: "User", Document: []byte(`{"id": "urn:example:params:scim:schemas:1.0:Badge", "name": "Badge",
			"attributes": [{"name": "number", "type": "integer", "required": true, "mutability": "immutable"}]}`)}}})
	u := accounts(t, f.target)
	badge, ok := u.Attr("badge")
	require.True(t, ok)
	require.Equal(t, connector.Attr{Name: "badge", Type: connector.TypeInteger, CaseExact: true, CreateOnly: true, Required: true}, badge)
	roles, _ := u.Attr("roles")
	require.True(t, roles.Multi)
	_, ok = u.Attr("timezone")
	require.False(t, ok)
	name, _ := u.Attr("userName")
	require.True(t, name.Required && name.Unique && name.Naming && !name.CaseExact)
	require.Equal(t, []string{"externalId", "userName"}, u.Correlation)

	ref := f.create(newUser("jane", "badge", int64(7), "roles", "reader"))
	o, err := f.target.Get(context.Background(), ref, nil)
	require.NoError(t, err)
	require.Equal(t, connector.Values{int64(7)}, o.Attributes.Get("badge"))
	require.NoError(t, applied(f.target.Update(context.Background(), update(ref,
		connector.Change{Name: "roles", Delta: true, Add: connector.Values{"writer"}, Remove: connector.Values{"reader", "none"}}))))
	o, err = f.target.Get(context.Background(), ref, nil)
	require.NoError(t, err)
	require.Equal(t, connector.Values{"writer"}, o.Attributes.Get("roles"))

	for _, fault := range []fakescim.FaultName{fakescim.ConfigMissing, fakescim.ConfigLies} {
		g := newFake(t, "slack", nil, nil)
		g.Arm(fakescim.Fault{Name: fault})
		_, err := g.target.Schema(context.Background())
		require.NoError(t, err, fault)
		require.EqualValues(t, "patch", g.target.current().Profile().UserUpdate, "%s: what the profile says counts", fault)
	}
}

// Until the service answers nothing is known, and no half of it is kept.
func TestDiscoveryOfAServiceThatIsDown(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	end := f.Arm(fakescim.Fault{Name: fakescim.Down})
	_, err := f.target.Create(context.Background(), newUser("jane"))
	require.Equal(t, connector.CodeUnavailable, code(err))
	require.Equal(t, connector.OutcomeFailed, outcome(err), "nothing was sent")
	end()
	f.create(newUser("jane"))
	require.Equal(t, 1, f.Count(http.MethodPost, "/Users"))
}
