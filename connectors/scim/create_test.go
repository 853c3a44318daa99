package scim

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// QUIRKS SCIM-24: what is in the way of a create, and whose it is.
func TestCreateWhatIsThereAlready(t *testing.T) {
	for _, c := range []struct {
		name   string
		there  string // as the product holds it
		create connector.Create
		want   connector.Outcome
		code   connector.Code
	}{
		{name: "nothing is", create: newUser("jane"), want: connector.OutcomeApplied},
		{name: "another person's account has the name",
			there: `{"userName": "jane", "externalId": "x-other"}`, create: newUser("jane"), want: connector.OutcomeFailed, code: connector.CodeAlreadyExists},
		{name: "our anchor is there under another name: no second account",
			there: `{"userName": "jane.maiden", "externalId": "x-jane"}`, create: newUser("jane"), want: connector.OutcomeFailed, code: connector.CodeAlreadyExists},
		{name: "our anchor, to be adopted",
			there: `{"userName": "jane.maiden", "externalId": "x-jane"}`, create: adopting(newUser("jane")), want: connector.OutcomeAdopted},
		{name: "the name alone is not what says whom to adopt",
			there: `{"userName": "jane", "externalId": "x-other"}`, create: adopting(newUser("jane")), want: connector.OutcomeFailed, code: connector.CodeAlreadyExists},
		{name: "an earlier try made it, just as sent",
			there: `{"userName": "jane", "externalId": "x-jane", "active": true}`, create: again(newUser("jane")), want: connector.OutcomeUnchanged},
		{name: "an earlier try made it, and somebody has changed it since",
			there: `{"userName": "jane.doe", "externalId": "x-jane"}`, create: again(newUser("jane")), want: connector.OutcomeAdopted},
		{name: "an earlier try met another person's account",
			there: `{"userName": "jane", "externalId": "x-other"}`, create: again(newUser("jane")), want: connector.OutcomeFailed, code: connector.CodeAlreadyExists},
		{name: "an earlier try did not arrive", create: again(newUser("jane")), want: connector.OutcomeApplied},
		{name: "the anchor compares with regard to case (SCIM-5)",
			there: `{"userName": "someone", "externalId": "X-JANE"}`, create: newUser("jane"), want: connector.OutcomeApplied},
		{name: "the name does not",
			there: `{"userName": "JANE", "externalId": "x-other"}`, create: newUser("jane"), want: connector.OutcomeFailed, code: connector.CodeAlreadyExists},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, "rfc7644", nil, nil)
			var there string
			if c.there != "" {
				var err error
				there, err = f.Seed("User", c.there)
				require.NoError(t, err)
			}
			before := f.Users()
			ref, err := f.target.Create(context.Background(), c.create)
			require.Equal(t, c.want, outcome(err), "%v", err)
			if c.want == connector.OutcomeApplied {
				require.Len(t, f.Users(), len(before)+1)
				require.NotEmpty(t, ref.ID)
				return
			}
			require.Equal(t, before, f.Users(), "nothing is made, and what is there is untouched")
			if c.code == 0 {
				require.Equal(t, there, ref.ID)
				return
			}
			require.Equal(t, c.code, code(err))
			require.Equal(t, there, connector.AsError(err).Conflicting.ID)
			require.NotContains(t, err.Error(), "jane", "no name in an error")
		})
	}
}

func adopting(c connector.Create) connector.Create { c.Adopt = true; return c }

func again(c connector.Create) connector.Create { c.MaybeApplied = true; c.Attempt = 2; return c }

// QUIRKS SCIM-7: several hits are no hit.
func TestCreateAmbiguous(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	for _, name := range []string{"a", "b"} {
		_, err := f.Seed("User", `{"userName": "`+name+`", "externalId": "x-jane"}`)
		require.NoError(t, err)
	}
	for _, c := range []connector.Create{newUser("jane"), adopting(newUser("jane")), again(newUser("jane"))} {
		_, err := f.target.Create(context.Background(), c)
		require.Equal(t, connector.CodeAmbiguous, code(err))
	}
	require.Zero(t, f.Count(http.MethodPost, "/Users"))
}

// QUIRKS SCIM-37, §8: answers that tell no id, or never come.
func TestCreateWhoseAnswerIsNone(t *testing.T) {
	for _, c := range []struct {
		fault fakescim.FaultName
		first connector.Outcome
	}{
		{fakescim.CreateWithoutID, connector.OutcomeApplied},
		{fakescim.CreateThen504, connector.OutcomeUnknown},
		{fakescim.LostReply, connector.OutcomeUnknown},
		{fakescim.TruncatedJSON, connector.OutcomeUnknown},
		{fakescim.DropMidBody, connector.OutcomeUnknown},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			f := newFake(t, "rfc7644", nil, nil)
			_, err := f.target.Schema(context.Background())
			require.NoError(t, err)
			f.Arm(fakescim.Fault{Name: c.fault, Method: http.MethodPost, Times: 1})
			ref, err := f.target.Create(context.Background(), newUser("jane"))
			require.Equal(t, c.first, outcome(err), "%v", err)
			if c.first == connector.OutcomeUnknown {
				ref, err = f.target.Create(context.Background(), again(newUser("jane")))
				require.Equal(t, connector.OutcomeUnchanged, outcome(err), "%v", err)
			}
			require.Equal(t, f.user("jane").ID, ref.ID)
			require.Len(t, f.Users(), 1)
			require.Equal(t, 1, f.Count(http.MethodPost, "/Users"))
		})
	}
}

// QUIRKS SCIM-34: a product that shows what was written only after a while.
func TestCreateIsNotRepeatedWhileTheProductIsBlind(t *testing.T) {
	const window = 2 * time.Second
	f := newFake(t, "rfc7644", nil, config{"consistency_window": window.String()})
	_, err := f.target.Schema(context.Background())
	require.NoError(t, err)
	f.Arm(fakescim.Fault{Name: fakescim.BlindLookup, Wait: window})
	f.Arm(fakescim.Fault{Name: fakescim.LostReply, Times: 1})
	_, err = f.target.Create(context.Background(), newUser("jane"))
	require.Equal(t, connector.OutcomeUnknown, outcome(err))
	_, err = f.target.Create(context.Background(), again(newUser("jane")))
	require.Equal(t, connector.OutcomeUnknown, outcome(err), "not found is not believed yet")
	require.Positive(t, connector.AsError(err).RetryAfter)
	time.Sleep(window)
	_, err = f.target.Create(context.Background(), again(newUser("jane")))
	require.Equal(t, connector.OutcomeUnchanged, outcome(err), "%v", err)
	require.Len(t, f.Users(), 1)

	_, err = f.target.Create(context.Background(), again(newUser("never-sent")))
	require.Equal(t, connector.OutcomeUnknown, outcome(err), "another process may have sent it a moment ago")
	time.Sleep(window)
	_, err = f.target.Create(context.Background(), again(newUser("never-sent")))
	require.NoError(t, err)
	require.Len(t, f.Users(), 2)
}

// What the product itself keeps unique needs no look; what it does not, does.
func TestCreateLooksWhenItMust(t *testing.T) {
	byName := newUser("jane")
	byName.Correlate = connector.Correlation{Attribute: "userName", Value: "jane"}
	for _, c := range []struct {
		lookup string
		create connector.Create
		want   int
	}{
		{"auto", byName, 0}, {"auto", newUser("jane"), 1}, {"auto", adopting(byName), 1}, {"auto", again(byName), 2},
		{"never", newUser("jane"), 0}, {"never", again(newUser("jane")), 2}, {"always", byName, 1},
	} {
		f := newFake(t, "rfc7644", nil, config{"lookup": c.lookup})
		_, err := f.target.Schema(context.Background())
		require.NoError(t, err)
		f.ResetLog()
		_, err = f.target.Create(context.Background(), c.create)
		require.NoError(t, err)
		require.Equal(t, c.want, f.Count(http.MethodGet, "/Users"), "%s, %+v", c.lookup, c.create.Call)
	}
}

func TestCreateSendsWhatTheProductInsistsOn(t *testing.T) {
	f := newFake(t, "entra-target", nil, nil)
	c := newUser("jane", "givenName", "Jane", "familyName", "Doe", "displayName", "Jane Doe")
	_, err := f.target.Create(context.Background(), c)
	require.Equal(t, []string{"mailNickname"}, connector.AsError(err).Attributes, "an attribute that only this product has")
	c.Attributes = append(c.Attributes, attrs("mailNickname", "jane")...)
	_, err = f.target.Create(context.Background(), c)
	require.ErrorContains(t, err, "random_password")
	require.Zero(t, f.Count(http.MethodPost, "/Users"))

	with := f.open(config{"users": config{"random_password": true}})
	_, err = with.Create(context.Background(), c)
	require.NoError(t, err)
	require.NotEmpty(t, f.user("jane").Text("password"))

	c = newUser("max", "givenName", "Max", "familyName", "Doe", "displayName", "Max", "mailNickname", "max")
	c.Credential = connector.NewSecret("given-Pa55word")
	_, err = f.target.Create(context.Background(), c)
	require.NoError(t, err)
	require.True(t, f.CheckPassword("max", "given-Pa55word"))
}

func TestCreateDisabledIsDisabled(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	c := newUser("jane")
	c.Enabled = connector.IsDisabled
	f.create(c)
	require.False(t, f.user("jane").Active())
}

// QUIRKS SCIM-27: the extension's URN is in schemas, the manager is an id.
func TestCreateWithEverything(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	boss := f.create(newUser("boss"))
	f.create(newUser("jane", "givenName", "Jane", "familyName", "Doe", "email", "jane@example.org", "phone", "+49 40 1", "mobile", "+49 170 1",
		"city", "Hamburg", "street", "Kai 1", "department", "Sales", "employeeNumber", "007", "manager", boss))
	u := f.user("jane")
	require.Equal(t, map[string]any{"givenName": "Jane", "familyName": "Doe"}, u.Attributes["name"])
	require.Equal(t, []any{map[string]any{"type": "work", "value": "jane@example.org"}}, u.Attributes["emails"])
	require.Equal(t, []any{map[string]any{"type": "work", "locality": "Hamburg", "streetAddress": "Kai 1"}}, u.Attributes["addresses"], "one row")
	require.Len(t, u.Attributes["phoneNumbers"], 2)
	require.Equal(t, map[string]any{"department": "Sales", "employeeNumber": "007", "manager": map[string]any{"value": boss.ID}}, u.Attributes[enterpriseSchema])

	missing := connector.Ref{Type: "user", ID: "no-such"}
	_, err := f.target.Create(context.Background(), newUser("max", "manager", missing))
	require.Equal(t, connector.CodeDependencyMissing, code(err))
	require.Equal(t, []string{"manager"}, connector.AsError(err).Attributes)
	_, err = f.target.Create(context.Background(), newUser("max", "manager", connector.Ref{Type: "user"}))
	require.Equal(t, connector.CodeDependencyMissing, code(err), "a reference without an id is not sent as text")

	f.ResetLog()
	for _, name := range strings.Fields("a b c d") {
		f.create(newUser(name, "manager", boss))
	}
	require.Zero(t, f.Count(http.MethodGet, "/Users/"+boss.ID), "a manager who was there a moment ago is not read again")
}
