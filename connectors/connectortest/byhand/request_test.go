package byhand

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

var someSchema = connector.Schema{
	{Name: "user", Kind: connector.KindAccount, Correlation: []string{"externalId", "userName"}, Grants: []string{"group"}, Attributes: []connector.Attr{
		{Name: "userName", Unique: true}, {Name: "externalId", Unique: true}, {Name: "phone", Multi: true}, {Name: "floor", Type: connector.TypeInteger},
		{Name: "start", Type: connector.TypeDate}, {Name: "remote", Type: connector.TypeBool}, {Name: "manager", Type: connector.TypeReference, RefersTo: "user"}}},
	{Name: "group", Kind: connector.KindGroup, Correlation: []string{"name"}, Attributes: []connector.Attr{{Name: "name", Unique: true}}},
}

func TestRequestsBecomeOperations(t *testing.T) {
	jane := connector.Ref{Type: "user", ID: "7"}
	for _, c := range []struct {
		name string
		r    Request
		want connector.Operation
	}{
		{"a create reads values in the types of the schema",
			Request{Verb: "create", Attributes: []string{"userName=jane", "phone=1", "phone=2", "floor=3", "start=2026-03-31", "remote=true", "manager=9"}},
			connector.Create{Type: "user", Enabled: connector.IsEnabled, Correlate: connector.Correlation{Attribute: "userName", Value: "jane"},
				Attributes: connector.Attributes{{Name: "userName", Values: connector.Values{"jane"}}, {Name: "phone", Values: connector.Values{"1", "2"}},
					{Name: "floor", Values: connector.Values{int64(3)}}, {Name: "start", Values: connector.Values{connector.Date("2026-03-31")}},
					{Name: "remote", Values: connector.Values{true}}, {Name: "manager", Values: connector.Values{connector.Ref{Type: "user", ID: "9"}}}}}},
		{"a group is neither enabled nor disabled", Request{Verb: "create", Type: "group", Attributes: []string{"name=x"}},
			connector.Create{Type: "group", Correlate: connector.Correlation{Attribute: "name", Value: "x"}, Attributes: connector.Attributes{{Name: "name", Values: connector.Values{"x"}}}}},
		{"an update replaces, clears, adds and removes", Request{Verb: "update", ID: "7", Attributes: []string{"floor=4", "start="}, Add: []string{"phone=3"}, Remove: []string{"phone=1"}},
			connector.Update{Target: jane, Changes: []connector.Change{{Name: "floor", Replace: connector.Values{int64(4)}}, {Name: "start"},
				{Name: "phone", Delta: true, Add: connector.Values{"3"}, Remove: connector.Values{"1"}}}}},
		{"an object is found by a unique attribute", Request{Verb: "disable", By: "externalId=e-7"},
			connector.SetEnabled{Target: connector.Ref{Type: "user", By: connector.Correlation{Attribute: "externalId", Value: "e-7"}}}},
		{"enable", Request{Verb: "enable", ID: "7"}, connector.SetEnabled{Target: jane, Enabled: true}},
		{"delete", Request{Verb: "delete", ID: "7"}, connector.Delete{Target: jane}},
		{"the type of what is granted may be left out where there is one", Request{Verb: "grant", ID: "7", Entitlement: "g1"},
			connector.Grant{Principal: jane, Entitlement: connector.Ref{Type: "group", ID: "g1"}}},
		{"revoke", Request{Verb: "revoke", ID: "7", Entitlement: "group/g1"},
			connector.Revoke{Principal: jane, Entitlement: connector.Ref{Type: "group", ID: "g1"}}},
		{"rename", Request{Verb: "rename", ID: "7", Name: "j"}, connector.Rename{Target: jane, NewName: "j"}},
	} {
		op, err := c.r.Operation(someSchema)
		require.NoError(t, err, c.name)
		assert.NotEmpty(t, op.Meta().Key, c.name)
		assert.Empty(t, cmp.Diff(c.want, op, cmpopts.IgnoreTypes(connector.Call{}), cmpopts.IgnoreUnexported(connector.Secret{})), c.name)
	}
}

func TestWhatAnOperationCarriesIsTakenOver(t *testing.T) {
	op, err := Request{Verb: "set_credential", ID: "7", Password: connector.NewSecret("p"), Key: "k", IfVersion: "v", DryRun: true, MaybeApplied: true, Timeout: time.Second}.Operation(someSchema)
	require.NoError(t, err)
	c := op.Meta()
	assert.Equal(t, connector.Call{ID: c.ID, Key: "k", Attempt: 1, IfVersion: "v", DryRun: true, MaybeApplied: true, Timeout: time.Second}, c)
	assert.Equal(t, "p", op.(connector.SetCredential).Credential.Reveal())
}

func TestRequestsThatCannotBeUnderstood(t *testing.T) {
	for want, r := range map[string]Request{
		`there is no operation "creat"; there are create, delete,`:                     {Verb: "creat"},
		`there is no object type "users"; there are user, group`:                       {Verb: "create", Type: "users"},
		`"userName" is not of the form NAME=VALUE`:                                     {Verb: "create", Attributes: []string{"userName"}},
		`attribute floor takes values of type integer`:                                 {Verb: "create", Attributes: []string{"floor=third"}},
		`say which user: by its id, or by a unique attribute such as externalId=VALUE`: {Verb: "delete"},
		`a user cannot be found by "mail"; it can by externalId, userName`:             {Verb: "delete", By: "mail=x"},
		`update needs an attribute to change`:                                          {Verb: "update", ID: "7"},
		`phone: either replace its values or add and remove some`:                      {Verb: "update", ID: "7", Attributes: []string{"phone=1"}, Add: []string{"phone=2"}},
		`say what to grant as TYPE/ID; a user can hold: group`:                         {Verb: "grant", ID: "7", Entitlement: "role/x"},
		`set_credential needs a password`:                                              {Verb: "set_credential", ID: "7"},
		`rename needs a new name or container`:                                         {Verb: "rename", ID: "7"},
	} {
		_, err := r.Operation(someSchema)
		assert.ErrorContains(t, err, want)
	}
	_, err := Request{Verb: "grant", Type: "group", ID: "7", Entitlement: "x"}.Operation(someSchema)
	assert.ErrorContains(t, err, "a group can hold nothing")
	_, err = TypeOf(someSchema[1:], "")
	assert.ErrorContains(t, err, "say which object type: group")
}
