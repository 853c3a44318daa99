package ldap

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// offline is a good config that leads nowhere.
func offline(changes ...string) json.RawMessage {
	text := strings.NewReplacer("{url}", "ldaps://ldap.example.org", "{ca}", "", "{bind}", "cn=provhub,dc=example", "{base}", "dc=example").Replace(usual)
	for i := 0; i < len(changes); i += 2 {
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return json.RawMessage(text)
}

// All faults of a config are found at once, offline, with what to do.
func TestFaultsOfTheConfig(t *testing.T) {
	require.Empty(t, Definition.Validate(offline()))
	for _, tt := range []struct{ from, to, path, says string }{
		{`"openldap-overlays"`, `"nds"`, "/directory", "built in are"},
		{`"urls"`, `"overrides": {"member_batch": "many"}, "urls"`, "/overrides", "/member_batch"},
		{`"ldaps://ldap.example.org"`, `"https://x"`, "/urls/0", "is not the address"},
		{`["ldaps://ldap.example.org"]`, `[]`, "/urls", "is empty"},
		{`"bind_dn": "cn=provhub,dc=example", `, ``, "/bind_dn", "is missing"},
		{`"urls"`, `"bind": "external", "urls"`, "/tls_cert_file", "is missing"},
		{`"ou=people,dc=example"`, `"people"`, "/users/base", "is not a distinguished name"},
		{`"ou=people,dc=example"`, `""`, "/users/base", "is missing"},
		{`"anchor": "employeeNumber"`, `"anchor": "employeNumber"`, "/users/anchor", `did you mean "employeeNumber"?`},
		{`{"name": "userName", "attribute": "uid"}, `, ``, "/users/attributes", "lacks the naming attribute uid"},
		{`{"name": "displayName"}`, `{"name": "mail"}`, "/users/attributes/4", "maps mail twice"},
		{`{"name": "displayName"}`, `{"name": "other", "attribute": "MAIL"}`, "/users/attributes/4", "maps mail twice"},
		{`"type": "reference"`, `"type": "reference", "refers_to": "grup"`, "/users/attributes/7/refers_to", `did you mean "group"?`},
		{`{"name": "displayName"}`, `{"name": "displayName", "refers_to": "user"}`, "/users/attributes/1/refers_to", "needs type reference"},
		{`"type": "group"`, `"type": "user"`, "/groups/0/type", "two object types"},
		{`"anchor"`, `"filter": "(uid=*", "anchor"`, "/users/filter", "is not a filter"},
		{`"urls"`, `"disable": [{"kind": "value", "attribute": "x"}], "urls"`, "/disable/0", "needs attribute and disabled"},
		{`"urls"`, `"disable": [{"kind": "move", "container": "ou=people,dc=example"}], "urls"`, "/disable/0/container", "base of all accounts"},
		{`"urls"`, `"disable": [{"kind": "bits", "attribute": "x"}], "urls"`, "/disable/0", "needs attribute and bits"},
		{`"urls"`, `"writable": ["ou=people,dc=example"], "urls"`, "/groups/0/base", "outside of writable"},
		{`"urls"`, `"initial_password": {"length": 3}, "urls"`, "/initial_password/length", "from 12"},
		{`"urls"`, `"connections": 1000, "urls"`, "/connections", "from 1 to 32"},
		{`"anchor"`, `"container": {"attribute": "mail", "values": []}, "anchor"`, "/users/container/attribute", "is the name of an attribute"},
	} {
		t.Run(tt.path+" "+tt.says, func(t *testing.T) {
			list := Definition.Validate(offline(tt.from, tt.to))
			var found bool
			for _, f := range list {
				found = found || f.Path == tt.path && strings.Contains(f.Summary, tt.says)
			}
			require.True(t, found, "%+v", list)
			_, err := Definition.Open(context.Background(), offline(tt.from, tt.to), connector.Instance{})
			require.Error(t, err)
		})
	}
	_, err := Definition.Open(context.Background(), offline(), connector.Instance{})
	require.ErrorContains(t, err, "password is empty", "QUIRKS LDAP-18")
}

// A description of one's own stands beside the built-in ones.
func TestADirectoryOfOnesOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ours.yaml")
	require.NoError(t, os.WriteFile(file, []byte("name: ours\nversion: 1\nextends: openldap\nverified: docs-only\nverified_on: '2026-11-22'\nusers: {naming: cn}\n"), 0o600))
	list := Definition.Validate(offline(`"openldap-overlays"`, `"`+file+`"`))
	require.Empty(t, list)
}

// Dry runs show LDIF, and no values.
func TestPreviews(t *testing.T) {
	target, err := Definition.Open(context.Background(), offline(`"anchor"`, `"container": {"attribute": "place", "values": [{"value": "hr", "base": "ou=hr,dc=example"}]}, "anchor"`),
		connector.Instance{Secrets: map[string]connector.Secret{secretPassword: connector.NewSecret("hunter2-secret")}})
	require.NoError(t, err)
	ref := connector.Ref{Type: "user", ID: "secret-id"}
	for want, op := range map[string]connector.Operation{
		"dn: uid=<userName>,ou=hr,dc=example\nchangetype: add\nobjectClass: top\n": create("secret-login", "secret-anchor", "mail", connector.Values{"a", "b"}, "place", "hr"),
		"mail: <mail>\nmail: <mail>\n":                                             create("secret-login", "secret-anchor", "mail", connector.Values{"secret-a", "secret-b"}),
		"changetype: modify\nreplace: displayName\ndisplayName: <displayName>\n-\ndelete: mail\nmail: <mail>\n-\n": connector.Update{Target: ref,
			Changes: []connector.Change{replace("displayName", "secret"), {Name: "mail", Delta: true, Remove: connector.Values{"secret"}}}},
		"changetype: modrdn\nnewrdn: uid=<userName>\ndeleteoldrdn: 1\nnewsuperior: ou=hr,dc=example\n": connector.Rename{Target: ref, NewName: "secret", NewContainer: "hr"},
		"changetype: delete\n": connector.Delete{Target: ref},
		"replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n": connector.SetEnabled{Target: ref},
		"dn: cn=<name>,ou=groups,dc=example\nchangetype: modify\nadd: member\n":   connector.Grant{Principal: ref, Entitlement: connector.Ref{Type: "group"}},
		"delete: member\n": connector.Revoke{Principal: ref, Entitlement: connector.Ref{Type: "group"}},
		"# extended operation: password modify (RFC 3062)\n": connector.SetCredential{Target: ref, Credential: connector.NewSecret("hunter2-secret"), MustChange: true},
	} {
		got, err := target.(connector.Planner).Preview(context.Background(), op)
		require.NoError(t, err)
		require.Contains(t, got, want)
		require.NotContains(t, got, "secret")
	}
}

// Check tells where it ends.
func TestChecks(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	for _, tt := range []struct {
		name    string
		changes []string
		step    string
		status  connector.CheckStatus
		says    string
	}{
		{"all is well", nil, "schema", connector.CheckPass, "every name"},
		{"rights are not told", nil, "rights", connector.CheckWarn, "only known when it writes"},
		{"the second server answers", []string{`["{url}"]`, `["ldaps://127.0.0.1:1", "{url}"]`}, "connect", connector.CheckWarn, "nothing answers at 127.0.0.1:1"},
		{"no server answers", []string{`["{url}"]`, `["ldaps://127.0.0.1:1"]`}, "connect", connector.CheckFail, "nothing answers"},
		{"the name is wrong", []string{`["{url}"]`, `["ldaps://nowhere.invalid"]`}, "resolve", connector.CheckFail, "has no address"},
		{"the certificate is not known", []string{`"tls_ca_file": "{ca}", `, ``}, "tls", connector.CheckFail, "tls_ca_file"},
		{"the certificate is not checked", []string{`"tls_ca_file": "{ca}", `, `"allow_insecure": ["127.0.0.1"], `}, "tls", connector.CheckWarn, "is not checked"},
		{"there is no TLS", []string{`"{url}"`, `"` + f.PlainURL() + `"`, `"bind_dn"`, `"allow_plaintext": ["127.0.0.1"], "bind_dn"`}, "tls", connector.CheckWarn, "not encrypted"},
		{"a base is missing", []string{`"ou=groups,{base}"`, `"ou=nowhere,{base}"`}, "base", connector.CheckFail, "ou=nowhere"},
		{"an attribute is unknown", []string{`{"name": "displayName"}`, `{"name": "displayName", "attribute": "shoeSize"}`}, "schema", connector.CheckFail, "shoeSize"},
		{"an attribute is not allowed", []string{`{"name": "displayName"}`, `{"name": "displayName", "attribute": "uidNumber"}`}, "schema", connector.CheckWarn, "uidNumber of a user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps, _ := f.open(f.config(usual, tt.changes...)).CheckSteps(context.Background())
			require.Len(t, steps, 7)
			failed := false
			for _, s := range steps {
				if s.Name == tt.step {
					require.Equal(t, tt.status, s.Status, "%+v", s)
					require.Contains(t, s.Message, tt.says)
				}
				require.True(t, !failed || s.Status == connector.CheckSkipped)
				failed = failed || s.Status == connector.CheckFail
			}
		})
	}
	steps, product := f.open(f.config(usual)).CheckSteps(context.Background())
	require.Equal(t, "OpenLDAP", product)
	require.Contains(t, steps[3].Message, f.AdminDN())
}
