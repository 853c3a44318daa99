package fakeldap

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	ldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

var flavors = []Flavor{OpenLDAP, DS389, ActiveDirectory}

// everyFlavor runs a test on each product.
func everyFlavor(t *testing.T, f func(t *testing.T, s *Server)) {
	for _, flavor := range flavors {
		t.Run(string(flavor), func(t *testing.T) { f(t, start(t, Options{Flavor: flavor})) })
	}
}

func TestTheLifeOfAnEntry(t *testing.T) {
	everyFlavor(t, func(t *testing.T, s *Server) {
		c := admin(t, s)
		dn := person(t, s, c, "jane")
		before, ok := s.Entry(dn)
		require.True(t, ok)

		m := ldap.NewModifyRequest(dn, nil)
		m.Replace("telephoneNumber", []string{"+49 30 1234"})
		m.Add("description", []string{"first"})
		require.NoError(t, c.Modify(m))
		require.Len(t, find(t, s, c, "(telephoneNumber=+49301234)"), boolInt(s.options.Flavor != ActiveDirectory), "spaces do not count in a telephone number, except to AD")

		to := "CN=janet," + s.In(Disabled)
		rdn := "CN=janet"
		if s.options.Flavor != ActiveDirectory {
			to, rdn = "uid=janet,"+s.In(Disabled), "uid=janet"
		}
		require.NoError(t, c.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, s.In(Disabled))))
		after, ok := s.Entry(to)
		require.True(t, ok)
		require.Equal(t, before.ID, after.ID, "the id is what stays (QUIRKS LDAP-4)")
		require.Equal(t, []string{"first"}, after.Get("description"))

		wantCode(t, c.Del(ldap.NewDelRequest(dn, nil)), ldap.LDAPResultNoSuchObject)
		require.NoError(t, c.Del(ldap.NewDelRequest(to, nil)))
		_, ok = s.Entry(to)
		require.False(t, ok)
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAModifyIsAllOrNothing(t *testing.T) {
	everyFlavor(t, func(t *testing.T, s *Server) {
		c := admin(t, s)
		dn := person(t, s, c, "jane")
		before, _ := s.Entry(dn)
		m := ldap.NewModifyRequest(dn, nil)
		m.Replace("sn", []string{"Other"})
		m.Add("description", []string{"x"})
		m.Delete("mail", []string{"not@there"})
		wantCode(t, c.Modify(m), ldap.LDAPResultNoSuchAttribute)
		after, _ := s.Entry(dn)
		require.Equal(t, before, after)
	})
}

func TestStartTLSAndExternalBind(t *testing.T) {
	everyFlavor(t, func(t *testing.T, s *Server) {
		cert, key, err := s.ClientCert(s.AdminDN())
		require.NoError(t, err)
		pair, err := tls.X509KeyPair(cert, key)
		require.NoError(t, err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(s.ca.pem)

		c, err := ldap.DialURL(s.PlainURL())
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		wantCode(t, c.ExternalBind(), ldap.LDAPResultInappropriateAuthentication)
		require.NoError(t, c.StartTLS(&tls.Config{RootCAs: pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{pair}}))
		require.NoError(t, c.ExternalBind())
		who, err := c.WhoAmI(nil)
		require.NoError(t, err)
		require.NotEmpty(t, who.AuthzID)
		person(t, s, c, "jane") // may write
		require.Equal(t, 1, s.Stats().Handshakes)
	})
}

func TestOrdinaryUsersReadAndAnonymousSeesNothing(t *testing.T) {
	everyFlavor(t, func(t *testing.T, s *Server) {
		c := admin(t, s)
		dn := person(t, s, c, "jane")
		require.NoError(t, s.SetPassword(dn, "Secret-123"))
		if s.options.Flavor == ActiveDirectory {
			require.NoError(t, s.Set(dn, "userAccountControl", "512"))
		}
		user := dial(t, s, s.URL())
		_, err := user.Search(ldap.NewSearchRequest(s.BaseDN(), ldap.ScopeWholeSubtree, 0, 0, 0, false, "(cn=*)", nil, nil))
		require.Error(t, err)
		require.NoError(t, user.Bind(dn, "Secret-123"))
		require.NotEmpty(t, find(t, s, user, "(cn=jane)"))
		m := ldap.NewModifyRequest(dn, nil)
		m.Replace("sn", []string{"x"})
		wantCode(t, user.Modify(m), ldap.LDAPResultInsufficientAccessRights)
	})
}

func TestTheLogTellsWhatWasAskedButNoPasswords(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	require.NoError(t, c.Add(addRequest("uid=x,"+s.In(People), "objectClass", "inetOrgPerson", "uid", "x", "cn", "x", "sn", "x", "userPassword", "Very-Secret-1")))
	_, err := c.PasswordModify(ldap.NewPasswordModifyRequest("uid=x,"+s.In(People), "", "Very-Secret-2"))
	require.NoError(t, err)
	st := s.Stats()
	require.Equal(t, 1, st.Connections)
	require.Equal(t, 1, st.Binds)
	require.Equal(t, 1, st.Ops[OpAdd])
	var ops []Op
	for _, r := range s.Requests() {
		ops = append(ops, r.Op)
		require.NotContains(t, r.Detail+r.DN, "Secret")
	}
	require.Equal(t, []Op{OpBind, OpAdd, OpExtended}, ops)
}
