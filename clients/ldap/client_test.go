package ldap

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func env(t testing.TB, name string) string {
	v := os.Getenv(name)
	if v == "" {
		t.Skip("needs " + name + ": run make test")
	}
	return v
}

// options are those of the service account on the real server.
func options(t testing.TB) Options {
	return Options{
		URLs: []string{env(t, "PROVHUB_TEST_LDAPS_URL")}, CAFile: env(t, "PROVHUB_TEST_CA_FILE"),
		BindDN: env(t, "PROVHUB_TEST_LDAP_BIND_DN"), Password: connector.NewSecret(env(t, "PROVHUB_TEST_LDAP_PASSWORD")),
	}
}

func open(t testing.TB, o Options) *Client {
	c, err := New(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// unit makes an OU of the test's own.
func unit(t testing.TB, c *Client) DN {
	var b [4]byte
	_, _ = rand.Read(b[:])
	ou := mustDN(t, env(t, "PROVHUB_TEST_LDAP_PEOPLE_DN")).Child(NewRDN("ou", "client-"+hex.EncodeToString(b[:])))
	ctx := context.Background()
	require.NoError(t, c.Add(ctx, ou, []Attribute{{Name: "objectClass", Values: []string{"organizationalUnit"}}}))
	t.Cleanup(func() {
		var dns []DN
		_, _ = c.List(ctx, Search{Base: ou, Attributes: []string{"1.1"}}, func(e Entry) error { dns = append(dns, e.DN); return nil })
		for i := range dns {
			_ = c.Delete(ctx, dns[len(dns)-1-i])
		}
	})
	return ou
}

func person(uid string) []Attribute {
	return []Attribute{{Name: "objectClass", Values: []string{"inetOrgPerson"}}, {Name: "uid", Values: []string{uid}}, {Name: "cn", Values: []string{uid}}, {Name: "sn", Values: []string{uid}}}
}

func TestEntriesOnARealServer(t *testing.T) {
	c := open(t, options(t))
	ou, ctx := unit(t, c), context.Background()
	name := "Doe, Jane #1 (ext)*"
	dn := ou.Child(NewRDN("uid", name))
	require.NoError(t, c.Add(ctx, dn, person(name)))
	require.True(t, connector.IsCode(c.Add(ctx, dn, person(name)), connector.CodeAlreadyExists))
	found, err := c.Find(ctx, Search{Base: ou, Filter: Equal("uid", name), Attributes: []string{"*", "entryUUID"}})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.True(t, found[0].DN.Equal(dn))
	require.Len(t, found[0].First("ENTRYUUID"), 36)
	require.True(t, found[0].Has("CN", "doe,  jane #1 (EXT)*"))

	require.NoError(t, c.Modify(ctx, dn, []Mod{{OpReplace, "displayName", []string{"Jane"}}, {OpAdd, "mail", []string{"a@x", "b@x"}}}))
	require.True(t, HasValue(c.Modify(ctx, dn, []Mod{{OpAdd, "mail", []string{"A@X"}}})))
	require.True(t, LacksValue(c.Modify(ctx, dn, []Mod{{OpDelete, "mail", []string{"c@x"}}})))
	has, err := c.Compare(ctx, dn, "mail", "B@X")
	require.NoError(t, err)
	require.True(t, has)

	stale, err := Assert(Equal("displayName", "someone else"))
	require.NoError(t, err)
	require.True(t, connector.IsCode(c.Modify(ctx, dn, []Mod{{OpReplace, "displayName", nil}}, stale), connector.CodeVersionConflict))

	below := ou.Child(NewRDN("ou", "below"))
	require.NoError(t, c.Add(ctx, below, []Attribute{{Name: "objectClass", Values: []string{"organizationalUnit"}}}))
	require.NoError(t, c.Move(ctx, dn, NewRDN("uid", "jane"), &below))
	moved := below.Child(NewRDN("uid", "jane"))
	e, err := c.Read(ctx, moved, "displayName", "uid")
	require.NoError(t, err)
	require.Equal(t, []string{"jane"}, e.Get("uid"))
	require.True(t, connector.IsCode(c.Delete(ctx, below), connector.CodeVersionConflict), "QUIRKS LDAP-22: leaf first")
	require.NoError(t, c.Delete(ctx, moved))
	_, err = c.Read(ctx, moved)
	require.True(t, connector.IsCode(err, connector.CodeNotFound))
}

// QUIRKS LDAP-64: the reason of the password policy is told.
func TestPasswordsOnARealServer(t *testing.T) {
	c := open(t, options(t))
	ou, ctx := unit(t, c), context.Background()
	dn := ou.Child(NewRDN("uid", "jane"))
	require.NoError(t, c.Add(ctx, dn, person("jane")))
	good := connector.NewSecret("kT9!vq-Zr4#mWx7")
	require.NoError(t, c.SetPassword(ctx, dn, good, PasswordPolicy()))
	ok, err := c.Login(ctx, dn, good)
	require.NoError(t, err)
	require.True(t, ok)
	// QUIRKS LDAP-18
	for _, bad := range []string{"", "wrong"} {
		ok, err = c.Login(ctx, dn, connector.NewSecret(bad))
		require.NoError(t, err)
		require.False(t, ok, "with password %q", bad)
	}
	err = c.SetPassword(ctx, dn, connector.NewSecret("short"), PasswordPolicy())
	require.True(t, connector.IsCode(err, connector.CodePolicy), "%v", err)
	require.ErrorContains(t, err, "short")
	require.NotContains(t, err.Error(), `"short"`)
}

// QUIRKS LDAP-5, LDAP-6, LDAP-15
func TestListingsStreamAndSayWhetherTheyAreWhole(t *testing.T) {
	c := open(t, options(t))
	ou, ctx := unit(t, c), context.Background()
	const n = 620 // above the server's limit for searches without pages
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := c.Add(ctx, ou.Child(NewRDN("uid", fmt.Sprint("p", i))), person(fmt.Sprint("p", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, size := range []int{0, 7, 1000} {
		seen := map[string]bool{}
		end, err := c.List(ctx, Search{Base: ou, Filter: Equal("objectClass", "person"), Attributes: []string{"uid"}, PageSize: size}, func(e Entry) error {
			seen[e.First("uid")] = true
			if len(seen) == 3 { // other requests go on meanwhile
				_, err := c.Read(ctx, ou, "ou")
				return err
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, Listing{Complete: true}, end)
		require.Len(t, seen, n, "in pages of %d", size)
	}
	_, err := c.Find(ctx, Search{Base: ou, Filter: Equal("objectClass", "person"), Attributes: []string{"uid"}})
	require.True(t, connector.IsCode(err, connector.CodeTooLarge), "%v", err)
	stop := fmt.Errorf("enough")
	_, err = c.List(ctx, Search{Base: ou}, func(Entry) error { return stop })
	require.ErrorIs(t, err, stop)
	_, err = c.List(ctx, Search{Base: ou.Child(NewRDN("ou", "nowhere"))}, func(Entry) error { return nil })
	require.True(t, connector.IsCode(err, connector.CodeNotFound))
}

func TestRootDSEAndSchemaOfARealServer(t *testing.T) {
	c := open(t, options(t))
	ctx := context.Background()
	root, err := c.RootDSE(ctx)
	require.NoError(t, err)
	require.Equal(t, "OpenLDAP", root.Product)
	require.True(t, root.Supports(OIDAssertion))
	require.True(t, root.Supports(OIDPasswordModify))
	require.Equal(t, []string{env(t, "PROVHUB_TEST_LDAP_BASE_DN")}, root.NamingContexts)
	s, err := c.Subschema(ctx, root)
	require.NoError(t, err)
	require.True(t, s.Attribute("displayName").Single)
	require.Empty(t, s.Unknown([]string{"inetOrgPerson", "groupOfNames"}))
	who, err := c.WhoAmI(ctx)
	require.NoError(t, err)
	require.Equal(t, "dn:"+env(t, "PROVHUB_TEST_LDAP_BIND_DN"), who)
}

// QUIRKS LDAP-17: encrypted and checked, or not at all.
func TestConnectionsAreEncryptedAndChecked(t *testing.T) {
	o := options(t)
	starttls := o
	starttls.URLs = []string{env(t, "PROVHUB_TEST_LDAP_URL")}
	_, err := open(t, starttls).WhoAmI(context.Background())
	require.NoError(t, err, "StartTLS is what ldap:// means")
	for _, c := range []*Client{open(t, o), open(t, starttls)} {
		reached, err := c.Reach(context.Background(), c.Servers()[0])
		require.NoError(t, err)
		require.Contains(t, reached.TLS, "TLS 1.")
	}

	for _, url := range []string{o.URLs[0], starttls.URLs[0]} {
		unknown := o
		unknown.URLs, unknown.CAFile = []string{url}, ""
		_, err := open(t, unknown).WhoAmI(context.Background())
		require.True(t, connector.IsCode(err, connector.CodeConfiguration), "%v", err)
		require.ErrorContains(t, err, "is not trusted")
		require.ErrorContains(t, err, "tls_ca_file")
		unknown.AllowInsecure = []string{"127.0.0.1"}
		_, err = open(t, unknown).WhoAmI(context.Background())
		require.NoError(t, err, "only where it is asked for")
	}
	plain := starttls
	plain.CAFile, plain.AllowPlaintext = "", []string{"127.0.0.1"}
	c := open(t, plain)
	require.False(t, c.Encrypted())
	_, err = c.WhoAmI(context.Background())
	require.NoError(t, err)

	wrongPort := o
	wrongPort.URLs = []string{strings.Replace(env(t, "PROVHUB_TEST_LDAP_URL"), "ldap:", "ldaps:", 1)}
	wrongPort.ConnectTimeout = 2 * time.Second
	_, err = open(t, wrongPort).WhoAmI(context.Background())
	require.Error(t, err)
}

func TestOptionsThatCannotWork(t *testing.T) {
	good := Options{URLs: []string{"ldaps://ldap.example.org"}, BindDN: "cn=a", Password: connector.NewSecret("x")}
	_, err := New(good)
	require.NoError(t, err)
	for says, change := range map[string]func(*Options){
		"no address":            func(o *Options) { o.URLs = nil },
		"is not the address":    func(o *Options) { o.URLs = []string{"https://x"} },
		"nothing else":          func(o *Options) { o.URLs = []string{"ldap://x/dc=a"} },
		"password is empty":     func(o *Options) { o.Password = connector.Secret{} },
		"whom to bind as":       func(o *Options) { o.BindDN = "" },
		"not a distinguished":   func(o *Options) { o.BindDN = "admin" },
		"certificate and its":   func(o *Options) { o.External = true },
		"cannot be read":        func(o *Options) { o.CAFile = "/nonexistent" },
		"no certificate in PEM": func(o *Options) { o.CAFile = "client_test.go" },
	} {
		o := good
		change(&o)
		_, err := New(o)
		require.ErrorContains(t, err, says)
		require.True(t, connector.IsCode(err, connector.CodeConfiguration))
	}
	for _, name := range []string{"provhub@corp.example", `CORP\provhub`} {
		o := good
		o.BindDN = name
		_, err := New(o)
		require.NoError(t, err)
	}
}
