package fakeldap

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	ldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a server for one test.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// dial connects over TLS, trusting the server's authority.
func dial(t *testing.T, s *Server, url string) *ldap.Conn {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(s.ca.pem))
	c, err := ldap.DialURL(url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool}))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// admin connects and binds as the administrator.
func admin(t *testing.T, s *Server) *ldap.Conn {
	t.Helper()
	c := dial(t, s, s.URL())
	require.NoError(t, c.Bind(s.AdminDN(), s.AdminPassword()))
	return c
}

// wantCode fails unless err is the LDAP result code.
func wantCode(t *testing.T, err error, code uint16) {
	t.Helper()
	if code == ldap.LDAPResultSuccess {
		require.NoError(t, err)
		return
	}
	var e *ldap.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, int(code), int(e.ResultCode), err.Error())
}

// person adds an inetOrgPerson, in Active Directory a disabled user, and
// returns its DN.
func person(t *testing.T, s *Server, c *ldap.Conn, name string) string {
	t.Helper()
	if s.options.Flavor == ActiveDirectory {
		dn := "CN=" + name + "," + s.In(People)
		require.NoError(t, c.Add(addRequest(dn, "objectClass", "user", "sAMAccountName", name, "userAccountControl", "514")))
		e, _ := s.Entry(dn)
		return e.DN
	}
	dn := "uid=" + name + "," + s.In(People)
	require.NoError(t, c.Add(addRequest(dn, "objectClass", "inetOrgPerson", "uid", name, "cn", name, "sn", name)))
	return dn
}

// addRequest takes names and values in turn.
func addRequest(dn string, pairs ...string) *ldap.AddRequest {
	r := ldap.NewAddRequest(dn, nil)
	for i := 0; i < len(pairs); i += 2 {
		r.Attribute(pairs[i], []string{pairs[i+1]})
	}
	return r
}

// find searches below the base DN.
func find(t *testing.T, s *Server, c *ldap.Conn, filter string, attrs ...string) []*ldap.Entry {
	t.Helper()
	res, err := c.Search(ldap.NewSearchRequest(s.BaseDN(), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attrs, nil))
	require.NoError(t, err)
	return res.Entries
}
