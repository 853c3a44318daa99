package scim

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func TestPreview(t *testing.T) {
	f := newFake(t, "rfc7644", nil, config{"users": config{"passwords": true}})
	ref := f.create(newUser("jane", "title", "Clerk"))
	staff := f.seedGroup("staff")
	before, groups := f.Users(), f.Groups()
	for _, c := range []struct {
		name string
		op   connector.Operation
		want string
	}{
		{"create", newUser("max", "givenName", "Max", "email", "max@example.org"), "POST /Users\n" +
			`{"active":true,"emails":[{"type":"work","value":"…"}],"externalId":"…","name":{"givenName":"…"},"schemas":["` + userSchema + `"],"userName":"…"}` + "\n"},
		{"update", update(ref, replace("title", "Chief")), "PATCH /Users/" + ref.ID + "\n" +
			`{"Operations":[{"op":"replace","path":"title","value":"…"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}` + "\n"},
		{"nothing to do", update(ref, replace("title", "Clerk")), "nothing: it is so already\n"},
		{"disable", connector.SetEnabled{Call: call("1"), Target: ref}, "PATCH /Users/" + ref.ID + "\n" +
			`{"Operations":[{"op":"replace","path":"active","value":false}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}` + "\n"},
		{"enabled already", connector.SetEnabled{Call: call("1"), Target: ref, Enabled: true}, "nothing: it is so already\n"},
		{"rename", connector.Rename{Call: call("1"), Target: ref, NewName: "roe"}, "PATCH /Users/" + ref.ID + "\n" +
			`{"Operations":[{"op":"replace","path":"userName","value":"…"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}` + "\n"},
		{"password", connector.SetCredential{Call: call("1"), Target: ref, Credential: connector.NewSecret("Qx7")}, "PATCH /Users/" + ref.ID + "\n" +
			`{"Operations":[{"op":"replace","path":"password","value":"…"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}` + "\n"},
		{"grant", connector.Grant{Call: call("1"), Principal: ref, Entitlement: group("staff")}, "PATCH /Groups/" + staff.ID + "\n" +
			`{"Operations":[{"op":"add","path":"members","value":[{"display":"…","value":"…"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}` + "\n"},
		{"revoke", connector.Revoke{Call: call("1"), Principal: ref, Entitlement: staff}, "PATCH /Groups/" + staff.ID + "\n" +
			`{"Operations":[{"op":"remove","path":"members[value eq \"…\"]"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}` + "\n"},
		{"delete", connector.Delete{Call: call("1"), Target: ref}, "DELETE /Users/" + ref.ID + "\n"},
	} {
		text, err := f.target.Preview(context.Background(), c.op)
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, text, c.name)
	}
	require.Equal(t, before, f.Users())
	require.Equal(t, groups, f.Groups())

	_, err := f.target.Preview(context.Background(), update(connector.Ref{Type: "user", ID: "none"}, replace("title", "x")))
	require.Equal(t, connector.CodeNotFound, code(err))
	_, err = f.target.Preview(context.Background(), update(ref, replace("shoeSize", "42")))
	require.Equal(t, connector.CodeInvalidValue, code(err))
}
