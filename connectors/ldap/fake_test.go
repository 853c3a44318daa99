package ldap

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// fake is a directory in this process, for what a real one cannot be made to show.
type fake struct {
	*fakeldap.Server
	t     testing.TB
	words *strings.Replacer
}

func newFake(t testing.TB, o fakeldap.Options) *fake {
	s, err := fakeldap.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ca, err := s.CAFile(t.TempDir())
	require.NoError(t, err)
	return &fake{s, t, strings.NewReplacer("{url}", s.URL(), "{ca}", ca, "{bind}", s.AdminDN(), "{base}", s.BaseDN())}
}

func (f *fake) config(text string, changes ...string) json.RawMessage {
	f.t.Helper()
	for i := 0; i < len(changes); i += 2 {
		require.Contains(f.t, text, changes[i])
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return json.RawMessage(f.words.Replace(text))
}

func (f *fake) secrets() map[string]connector.Secret {
	return map[string]connector.Secret{secretPassword: connector.NewSecret(f.AdminPassword())}
}

func (f *fake) open(config json.RawMessage) *Target {
	f.t.Helper()
	target, err := Definition.Open(context.Background(), config, connector.Instance{Secrets: f.secrets()})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = target.(*Target).Close(context.Background()) })
	return target.(*Target)
}

func (f *fake) inject(fault fakeldap.Fault) (clear func()) {
	f.t.Helper()
	clear, err := f.Inject(fault)
	require.NoError(f.t, err)
	f.t.Cleanup(clear)
	return clear
}

func (f *fake) entry(dn string) fakeldap.Entry {
	f.t.Helper()
	e, ok := f.Entry(dn)
	require.True(f.t, ok, "there is no %s", dn)
	return e
}

// corp is a config for Active Directory.
const corp = `{
	"urls": ["{url}"], "tls_ca_file": "{ca}", "bind_dn": "{bind}", "directory": "ad",
	"users": {"base": "ou=people,{base}", "anchor": "employeeNumber", "attributes": [
		{"name": "commonName", "attribute": "cn"}, {"name": "userName", "attribute": "sAMAccountName"}, {"name": "principalName", "attribute": "userPrincipalName"},
		{"name": "surname", "attribute": "sn"}, {"name": "displayName"}, {"name": "employeeNumber"}, {"name": "accountExpires"}, {"name": "manager", "type": "reference"}]},
	"groups": [{"type": "group", "kind": "group", "base": "ou=groups,{base}", "attributes": [{"name": "name", "attribute": "cn"}, {"name": "description"}]}]
}`
