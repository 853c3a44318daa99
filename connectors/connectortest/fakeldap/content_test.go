package fakeldap

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	ldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

func TestLDIF(t *testing.T) {
	s := start(t, Options{LDIF: `version: 1
# a comment
 that goes on
dn: uid=jane,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn:: SmFuZSBEw7bDqw==
sn: D
 oe
userPassword: Secret-123
entryUUID: 597ae2f6-16a6-1027-98f4-d28b5365dc14

dn: cn=staff,ou=groups,dc=example,dc=org
objectClass: groupOfNames
member: uid=jane,ou=people,dc=example,dc=org
`})
	e, ok := s.Entry("UID=Jane, OU=People, DC=example, DC=org")
	require.True(t, ok)
	require.Equal(t, "Jane Döë", e.First("CN"))
	require.Equal(t, "Doe", e.First("sn"))
	require.Equal(t, "597ae2f6-16a6-1027-98f4-d28b5365dc14", e.ID)
	require.Equal(t, []string{"cn=staff,ou=groups,dc=example,dc=org"}, e.Get("memberOf"))
	require.True(t, s.CheckPassword(e.DN, "Secret-123"))
	require.False(t, s.CheckPassword(e.DN, ""))

	for text, want := range map[string]string{
		"dn: uid=x,dc=example,dc=org\nobjectClass: nonsense\n": "line 1: uid=x,dc=example,dc=org: LDAP 21",
		"\ncn: x\n": "line 2: a record begins with dn",
		"dn: uid=x,ou=none,dc=example,dc=org\nobjectClass: account\n":                         "its parent does not exist",
		"dn: dc=example,dc=org\nobjectClass: domain\n":                                        "exists already",
		"dn: uid=x,dc=example,dc=org\nchangetype: delete\n":                                   "line 2: change records are not read",
		"dn: uid=x,dc=example,dc=org\nphoto:< file:///x\n":                                    "line 2: photo: values from URLs",
		"dn: uid=x,dc=example,dc=org\ncn:: !!\n":                                              "line 2: cn: illegal base64",
		"dn: uid=x,dc=example,dc=org\nnonsense\n":                                             `line 2: "nonsense" is not`,
		"dn: uid=x,dc=example,dc=org\nobjectClass: account\nmodifyTimestamp: 20260101000000Z": "no user modification",
	} {
		require.ErrorContains(t, s.Load(text), want)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	for want, o := range map[string]Options{
		"known are openldap, 389ds and ad": {Flavor: "novell"},
		"must be a DN":                     {BaseDN: "example.org"},
		"must begin with dc, o or ou":      {BaseDN: "cn=x"},
		"neither attributeTypes nor":       {Schema: "attributes: x"},
		`"nosuch" is not defined`:          {Schema: "objectClasses: ( 1.2.3 NAME 'x' SUP top AUXILIARY MAY nosuch )"},
		"LDIF line 1: nonsense":            {LDIF: "dn: nonsense\n"},
		"address 999: missing port":        {Addr: "999"},
	} {
		_, err := New(o)
		require.ErrorContains(t, err, want)
	}
	s := start(t, Options{BaseDN: `o=Example\, Inc.`, Schema: "attributeTypes: ( 1.2.3.4 NAME 'badge' SUP name SINGLE-VALUE )\nobjectClasses: ( 1.2.3.5 NAME 'badged' AUXILIARY MAY badge )"})
	r := addRequest("uid=x,"+s.In(People), "uid", "x", "badge", "7")
	r.Attribute("objectClass", []string{"account", "badged"})
	require.NoError(t, admin(t, s).Add(r))
}

// RFC 4533 with a cookie: only what changed, deletions by id.
func TestSyncGoesOnFromACookie(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	jane, john := person(t, s, c, "jane"), person(t, s, c, "john")
	gone, _ := s.Entry(john)
	poll := func(cookie []byte) (dns []string, deleted int, next []byte) {
		r := ldap.NewSearchRequest(s.In(People), ldap.ScopeWholeSubtree, 0, 0, 0, false, "(uid=*)", nil, nil)
		res := c.Syncrepl(t.Context(), r, 10, ldap.SyncRequestModeRefreshOnly, cookie, false)
		for res.Next() {
			for _, ctl := range res.Controls() {
				switch state := ctl.(type) {
				case *ldap.ControlSyncState:
					if state.State == ldap.SyncStateDelete {
						require.Equal(t, gone.ID, state.EntryUUID.String())
						deleted++
					} else {
						dns = append(dns, res.Entry().DN)
					}
				case *ldap.ControlSyncDone:
					next = state.Cookie
				}
			}
		}
		require.NoError(t, res.Err())
		return dns, deleted, next
	}
	dns, deleted, cookie := poll(nil)
	require.ElementsMatch(t, []string{jane, john}, dns)
	require.Zero(t, deleted)
	require.NoError(t, c.Del(ldap.NewDelRequest(john, nil)))
	require.NoError(t, c.Modify(replace(jane, "title", "x")))
	dns, deleted, cookie = poll(cookie)
	require.Equal(t, []string{jane}, dns)
	require.Equal(t, 1, deleted)
	dns, deleted, _ = poll(cookie)
	require.Empty(t, dns)
	require.Zero(t, deleted)

	inject(t, s, Fault{Kind: SyncExpired})
	r := ldap.NewSearchRequest(s.In(People), ldap.ScopeWholeSubtree, 0, 0, 0, false, "(uid=*)", nil, nil)
	res := c.Syncrepl(t.Context(), r, 10, ldap.SyncRequestModeRefreshOnly, cookie, false)
	for res.Next() {
		t.Fatal("a stale cookie yields nothing")
	}
	wantCode(t, res.Err(), uint16(syncRefreshRequired))
}

func TestDirSyncTellsChangesAndTombstones(t *testing.T) {
	s, c := ad(t, Options{})
	person(t, s, c, "jane")
	poll := func(cookie []byte) ([]*ldap.Entry, []byte, error) {
		r := ldap.NewSearchRequest(s.BaseDN(), ldap.ScopeWholeSubtree, 0, 0, 0, false, "(objectClass=user)", []string{"sAMAccountName"}, nil)
		res, err := c.DirSync(r, 0, 0, cookie)
		if err != nil {
			return nil, nil, err
		}
		return res.Entries, ldap.FindControl(res.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync).Cookie, nil
	}
	entries, cookie, err := poll(nil)
	require.NoError(t, err)
	require.Len(t, entries, 2, "jane and the administrator")
	john := person(t, s, c, "john")
	require.NoError(t, c.Del(ldap.NewDelRequest("CN=jane,"+s.In(People), nil)))
	entries, cookie, err = poll(cookie)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "TRUE", entries[0].GetAttributeValue("isDeleted"))
	require.Contains(t, entries[0].DN, "CN=Deleted Objects")
	require.Equal(t, john, entries[1].DN)
	_, _, err = poll(append(cookie, 'x'))
	wantWin(t, err, winBadCookie)
}

func TestAttributesAreChosen(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	person(t, s, c, "jane")
	names := func(typesOnly bool, attrs ...string) []string {
		r := ldap.NewSearchRequest(s.In(People), ldap.ScopeSingleLevel, 0, 0, 0, typesOnly, "(uid=jane)", attrs, nil)
		res, err := c.Search(r)
		require.NoError(t, err)
		var out []string
		for _, a := range res.Entries[0].Attributes {
			out = append(out, a.Name)
			if typesOnly {
				require.Empty(t, a.Values)
			}
		}
		return out
	}
	user := []string{"objectClass", "uid", "cn", "sn"}
	require.Equal(t, user, names(false))
	require.Equal(t, user, names(true, "*"))
	require.Empty(t, names(false, "1.1"))
	require.ElementsMatch(t, []string{"uid", "entryUUID"}, names(false, "USERID", "entryuuid", "nosuch"))
	require.Contains(t, names(false, "+"), "entryCSN")
	require.NotContains(t, names(false, "+"), "cn")
	require.ElementsMatch(t, []string{"cn", "sn"}, names(false, "name"), "subtypes")
}

func TestAnEntryIsFoundByItsGUID(t *testing.T) {
	s, c := ad(t, Options{})
	e, _ := s.Entry(person(t, s, c, "jane"))
	res, err := c.Search(ldap.NewSearchRequest(fmt.Sprintf("<GUID=%x>", e.ID), ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	require.NoError(t, err)
	require.Equal(t, e.DN, res.Entries[0].DN)
	_, err = c.Search(ldap.NewSearchRequest("<GUID="+strings.Repeat("0", 32)+">", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	wantWin(t, err, winNoObject)
}

// What is no LDAP gets a notice of disconnection, or silence, and the server goes on.
func TestWhatIsNoLDAPIsRefused(t *testing.T) {
	s := start(t, Options{})
	bind := ber.NewSequence("")
	bind.AppendChild(number(1))
	bind.AppendChild(application(0, number(2), octets(""), contextual(0, ""))) // LDAPv2
	for _, raw := range [][]byte{[]byte("GET / HTTP/1.0\r\n\r\n"), {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, {0x30, 0x00}, {0x04, 0x01, 0x00},
		envelope(1, application(29), nil), envelope(1, application(3), nil), envelope(1, application(6, octets("x")), nil), bind.Bytes()} {
		c, err := net.Dial("tcp", s.PlainURL()[len("ldap://"):])
		require.NoError(t, err)
		_, err = c.Write(raw)
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
		_, _ = c.Read(make([]byte, 100))
		require.NoError(t, c.Close())
	}
	person(t, s, admin(t, s), "jane")
}
