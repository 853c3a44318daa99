package scim

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// A gateway that has lost its route answers 404 to everything, in JSON: nobody
// has left because of that.
func TestNobodyIsGoneFromAServiceThatIsNotThere(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect string
		call    func(f *fake, account, group connector.Ref) error
	}{
		{"delete", "rfc7644", func(f *fake, account, _ connector.Ref) error { return deletes(f, account) }},
		{"disable where disabled accounts are hidden", "atlassian", func(f *fake, account, _ connector.Ref) error { return setEnabled(f, account, false) }},
		{"disable", "rfc7644", func(f *fake, account, _ connector.Ref) error { return setEnabled(f, account, false) }},
		{"revoke", "rfc7644", func(f *fake, account, group connector.Ref) error {
			return f.target.Revoke(context.Background(), connector.Revoke{Call: call("r"), Principal: account, Entitlement: group})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, c.dialect, nil, nil)
			account := f.create(newUser("jane", "displayName", "Jane", "email", "jane@example.org"))
			group := connector.Ref{Type: "group", ID: "no-longer-known"}
			f.Arm(fakescim.Fault{Name: fakescim.Refused, Status: http.StatusNotFound, Text: "no Route matched with those values"})
			err := c.call(f, account, group)
			require.Equal(t, connector.OutcomeFailed, outcome(err))
			require.True(t, connector.IsCode(err, connector.CodeConfiguration), "%v", err)
			require.ErrorContains(t, err, "404 to everything")
			require.True(t, f.Users()[0].Active())
		})
	}
}
