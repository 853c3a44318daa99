package ldapdir

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
	"github.com/provhub/provhub/core/source"
)

// dc is a simulated domain controller, and a source that reads its people.
type dc struct {
	*testing.T
	server *fakeldap.Server
	client *ldap.Client
	config Config
}

func newDC(t *testing.T, way string) *dc {
	s, err := fakeldap.New(fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ca, err := s.CAFile(t.TempDir())
	require.NoError(t, err)
	o := ldap.Options{URLs: []string{s.URL()}, CAFile: ca, BindDN: s.AdminDN(), Password: connector.NewSecret(s.AdminPassword())}
	c, err := ldap.New(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &dc{t, s, c, Config{Client: o, Directory: "ad", Incremental: way, People: Kind{Base: s.In(fakeldap.People), Anchor: "employeeID",
		Filter: "(&(objectClass=user)(!(department=Trash)))", Attributes: source.Attributes{{Name: "login", From: "sAMAccountName"}, {Name: "title"}, {Name: "mail"}}}}}
}

func (d *dc) open() *Reader {
	r, err := New(d.config)
	require.NoError(d, err)
	d.Cleanup(r.Close)
	return r
}

func (d *dc) dn(name string) ldap.DN {
	base, err := ldap.ParseDN(d.server.In(fakeldap.People))
	require.NoError(d, err)
	return base.Child(ldap.NewRDN("CN", name))
}

func (d *dc) person(name, id string) {
	require.NoError(d, d.client.Add(d.Context(), d.dn(name), []ldap.Attribute{{Name: "objectClass", Values: []string{"user"}}, {Name: "sAMAccountName", Values: []string{name}},
		{Name: "userAccountControl", Values: []string{"514"}}, {Name: "employeeID", Values: []string{id}}, {Name: "mail", Values: []string{name + "@x.test"}}}))
}

func (d *dc) set(name, attribute, value string) {
	require.NoError(d, d.client.Modify(d.Context(), d.dn(name), []ldap.Mod{{Op: ldap.OpReplace, Name: attribute, Values: []string{value}}}))
}

// known are the people of a whole reading, by the directory's id.
type known map[string]string

func (d *dc) read(r *Reader) (known, []byte) {
	d.Helper()
	out := known{}
	report, err := r.Read(context.Background(), func(rec *source.Record) error { out[rec.ID] = rec.Attributes().Text("login"); return nil })
	require.NoError(d, err)
	require.True(d, report.Complete)
	return out, report.Token
}

// told is what a delta tells in the end of people of whom k knows, and of new ones.
func (d *dc) told(r *Reader, token []byte, k known) (string, []byte) {
	d.Helper()
	last := map[string]string{}
	report, err := r.Changes(context.Background(), token, func(rec *source.Record) error {
		name, before := k[rec.ID]
		switch {
		case !rec.Deleted:
			a := rec.Attributes()
			k[rec.ID] = a.Text("login")
			last[rec.ID] = fmt.Sprintf("%s %s %s", k[rec.ID], a.Text("mail"), a.Text("title"))
		case before:
			last[rec.ID] = name + " is gone"
		}
		return nil
	})
	require.NoError(d, err)
	require.True(d, report.Delta)
	return strings.Join(slices.Sorted(maps.Values(last)), "; "), report.Token
}

var domainWays = []string{USN, DirSync}

// QUIRKS LDAP-32, LDAP-33: additions, changes, deletions, moves out of the base and
// entries that match no more; what comes is whole, whatever the server sent.
func TestADomainControllerTellsWhatChanged(t *testing.T) {
	for _, way := range domainWays {
		t.Run(way, func(t *testing.T) {
			d := newDC(t, way)
			for i, name := range []string{"ann", "bo", "cy", "di", "ed"} {
				d.person(name, fmt.Sprint(i))
			}
			r := d.open()
			k, token := d.read(r)
			require.Len(t, k, 5)
			what, token := d.told(r, token, k)
			require.Empty(t, what)

			d.set("ann", "title", "Chief")
			require.NoError(t, d.client.Delete(t.Context(), d.dn("bo")))
			elsewhere, err := ldap.ParseDN("CN=Users," + d.server.BaseDN())
			require.NoError(t, err)
			require.NoError(t, d.client.Move(t.Context(), d.dn("cy"), ldap.NewRDN("CN", "cy"), &elsewhere))
			d.set("di", "department", "Trash")
			d.person("flo", "9")
			what, token = d.told(r, token, k)
			require.Equal(t, "ann ann@x.test Chief; bo is gone; cy is gone; di is gone; flo flo@x.test ", what)

			what, token = d.told(r, token, k)
			require.Empty(t, what, "nothing twice")
			d.set("di", "department", "Sales")
			what, _ = d.told(d.open(), token, k)
			require.Equal(t, "di di@x.test ", what, "another process goes on, and finds who is back")
		})
	}
}

// QUIRKS LDAP-33: the numbers of another controller, or of one that was restored,
// mean nothing.
func TestNumbersOfAnotherDatabaseExpire(t *testing.T) {
	d := newDC(t, USN)
	d.person("ann", "1")
	r := d.open()
	_, token := d.read(r)
	d.server.Restore()
	_, err := r.Changes(t.Context(), token, nil)
	require.ErrorIs(t, err, source.ErrTokenExpired)
	require.ErrorContains(t, err, "dc1.example.org")
	_, token = d.read(r)
	_, err = r.Changes(t.Context(), token, func(*source.Record) error { return nil })
	require.NoError(t, err)

	other := newDC(t, USN)
	_, err = other.open().Changes(t.Context(), token, nil)
	require.ErrorIs(t, err, source.ErrTokenExpired)
}

// QUIRKS LDAP-32: a cookie that the server refuses (0000203D) means a whole reading.
func TestRefusedCookieExpires(t *testing.T) {
	d := newDC(t, DirSync)
	d.person("ann", "1")
	r := d.open()
	_, token := d.read(r)
	_, err := d.server.Inject(fakeldap.Fault{Kind: fakeldap.SyncExpired})
	require.NoError(t, err)
	_, err = r.Changes(t.Context(), token, nil)
	require.ErrorIs(t, err, source.ErrTokenExpired)
}

// More entries than are read again by one search.
func TestManyChangesOfADomain(t *testing.T) {
	for _, way := range domainWays {
		t.Run(way, func(t *testing.T) {
			d := newDC(t, way)
			r := d.open()
			_, token := d.read(r)
			for i := range 3*readAgain + 1 {
				d.person(fmt.Sprintf("u%d", i), fmt.Sprint(i))
			}
			what, _ := d.told(r, token, known{})
			require.Len(t, strings.Split(what, "; "), 3*readAgain+1)
		})
	}
}

func TestDomainWaysAreForDomains(t *testing.T) {
	for _, way := range domainWays {
		d := newDC(t, way)
		d.config.Directory = "openldap"
		require.ErrorContains(t, d.config.Check(), "incremental: "+way+" is for Active Directory: say directory: ad")

		s, err := fakeldap.New(fakeldap.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		d.config.Directory, d.config.Overrides = "ad", map[string]any{"anchor": map[string]any{"attribute": "entryUUID", "form": "guid"}}
		d.config.Client.URLs, d.config.Client.BindDN = []string{s.URL()}, s.AdminDN()
		d.config.Client.CAFile, err = s.CAFile(t.TempDir())
		require.NoError(t, err)
		d.config.People.Base = s.In(fakeldap.People)
		_, err = d.open().askDomain(t.Context(), way)
		require.True(t, connector.IsCode(err, connector.CodeConfiguration), "%v", err)
		require.ErrorContains(t, err, "incremental: "+way+" needs")
	}
}
