package ldap

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
)

// The suite that every connector passes, on a real OpenLDAP, in this process and
// through the plugin's.
func TestConformance(t *testing.T) {
	s := newServer(t)
	binary := filepath.Join(t.TempDir(), "provhub-connector-ldap")
	out, err := exec.Command("go", "build", "-o", binary, "../../plugins/provhub-connector-ldap").CombinedOutput()
	require.NoError(t, err, string(out))
	connectortest.Run(t, connectortest.Target{
		Definition: Definition, Binary: binary, Durable: true, Secrets: secrets(t),
		Config:       s.config(usual),
		Other:        s.config(usual, "ou=people,{base}", "ou=other,{base}"),
		WrongSecrets: map[string]connector.Secret{secretPassword: connector.NewSecret("wrong-Qx7vM2")},
		NewSecrets:   map[string]connector.Secret{secretPassword: s.secondPassword("second-" + token())},
		WeakPassword: "short",
		Login: func(ctx context.Context, o connector.Object, password string) (bool, error) {
			return s.c.Login(ctx, dn(t, o.Ref.Name), connector.NewSecret(password))
		},
	})
}

// secondPassword gives the service account another password beside its own for
// the time of the test; binds with either are accepted.
func (s *server) secondPassword(password string) connector.Secret {
	s.t.Helper()
	admin := client(s.t, options(s.t, env(s.t, "PROVHUB_TEST_LDAP_ADMIN_DN")))
	service, ctx := dn(s.t, env(s.t, "PROVHUB_TEST_LDAP_BIND_DN")), context.Background()
	hash := func() []string {
		e, err := admin.Read(ctx, service, "userPassword")
		require.NoError(s.t, err)
		return e.Get("userPassword")
	}
	before := hash()
	require.NoError(s.t, admin.Modify(ctx, service, []ldap.Mod{{Op: ldap.OpAdd, Name: "userPassword", Values: []string{password}}}))
	s.t.Cleanup(func() {
		for _, h := range hash() {
			if !slices.Contains(before, h) {
				require.NoError(s.t, admin.Modify(ctx, service, []ldap.Mod{{Op: ldap.OpDelete, Name: "userPassword", Values: []string{h}}}))
			}
		}
	})
	return connector.NewSecret(password)
}
