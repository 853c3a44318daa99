package ldap

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// section returns the configs under a heading of the README.
func section(t *testing.T, heading string) []string {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, text, ok := strings.Cut(string(readme), "## "+heading+"\n")
	require.True(t, ok)
	text, _, _ = strings.Cut(text, "\n## ")
	var out []string
	for _, m := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// The examples of the README are run as they stand there, on another address and
// below another base.
func TestReadmeOpenLDAP(t *testing.T) {
	s := newServer(t)
	configs := section(t, "OpenLDAP")
	require.Len(t, configs, 2)
	local := strings.NewReplacer(`"ldaps://ldap1.example.org", "ldaps://ldap2.example.org"`, `"{url}"`, "/etc/provhub/ca.pem", "{ca}",
		"cn=provhub,ou=services,dc=example,dc=org", "{bind}", ",dc=example,dc=org", ",{base}")
	runExample(t, s.target(s.config(local.Replace(configs[0]))), "jdoe")

	active := s.ou("other").Child(ldap.NewRDN("cn", "active"))
	s.add(active, "objectClass", "groupOfNames", "cn", "active", "member", "cn=nobody")
	var both, more map[string]any
	require.NoError(t, json.Unmarshal([]byte(configs[0]), &both))
	require.NoError(t, json.Unmarshal([]byte(configs[1]), &more))
	both["disable"] = more["disable"]
	text, err := json.Marshal(both)
	require.NoError(t, err)
	runExample(t, s.target(s.config(strings.NewReplacer(`"ldaps://ldap1.example.org","ldaps://ldap2.example.org"`, `"{url}"`, "/etc/provhub/ca.pem", "{ca}",
		"cn=provhub,ou=services,dc=example,dc=org", "{bind}", ",dc=example,dc=org", ",{base}").Replace(string(text)))), "jdoe")
}

func TestReadmeActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory, BaseDN: "DC=corp,DC=example,DC=org"})
	configs := section(t, "Active Directory")
	require.Len(t, configs, 1)
	local := strings.NewReplacer(`"ldaps://dc1.corp.example.org", "ldaps://dc2.corp.example.org"`, `"{url}"`, "/etc/provhub/ca.pem", "{ca}")
	runExample(t, f.open(f.config(local.Replace(configs[0]))), "jdoe")
}

// runExample takes an account through its life.
func runExample(t *testing.T, target *Target, login string) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, target.Check(ctx))
	c := create(login, "E1", "mail", "j@example.org", "displayName", "J")
	ref := mustCreate(t, target, c)
	g := mustCreate(t, target, group("staff"))
	require.NoError(t, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{replace("mail", "jane@example.org")}}))
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))
	require.True(t, outcome(target.SetEnabled(ctx, connector.SetEnabled{Target: ref, Enabled: true})).Done())
	disable(t, target, ref, false, connector.OutcomeApplied)
	all := map[string]connector.Object{}
	end, err := target.List(ctx, connector.ListQuery{Type: "user"}, func(o connector.Object) error { all[o.Ref.ID] = o; return nil })
	require.NoError(t, err)
	require.True(t, end.Complete)
	require.Equal(t, connector.IsDisabled, all[ref.ID].Enabled)
	require.Equal(t, "jane@example.org", all[ref.ID].Attributes.Text("mail"))
	require.Len(t, all[ref.ID].Grants, 1)
	disable(t, target, ref, true, connector.OutcomeApplied)
	require.NoError(t, target.Revoke(ctx, connector.Revoke{Principal: ref, Entitlement: g}))
	require.NoError(t, target.Delete(ctx, connector.Delete{Target: ref}))
	require.NoError(t, target.Delete(ctx, connector.Delete{Target: g}))
	_, err = target.Get(ctx, ref, nil)
	require.True(t, connector.IsCode(err, connector.CodeNotFound))
}
