package fakeldap

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"
)

func ad(t *testing.T, o Options) (*Server, *ldap.Conn) {
	t.Helper()
	o.Flavor = ActiveDirectory
	s := start(t, o)
	return s, admin(t, s)
}

// quoted is a password the way unicodePwd wants it.
func quoted(t *testing.T, password string) string {
	t.Helper()
	v, err := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(`"` + password + `"`)
	require.NoError(t, err)
	return v
}

// wantWin fails unless err begins with the Win32 error, as Active Directory has it.
func wantWin(t *testing.T, err error, win win32) {
	t.Helper()
	var e *ldap.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, int(winErrors[win].code), int(e.ResultCode), err.Error())
	require.True(t, strings.HasPrefix(e.Err.Error(), fmt.Sprintf("%08X: ", uint32(win))), err.Error())
}

func replace(dn, attr string, values ...string) *ldap.ModifyRequest {
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace(attr, values)
	return m
}

// QUIRKS LDAP-40, LDAP-41, LDAP-42, LDAP-43
func TestTheAccountIsMadeDisabledGetsAPasswordAndIsEnabled(t *testing.T) {
	s, c := ad(t, Options{})
	dn := person(t, s, c, "jane")
	wantWin(t, c.Modify(replace(dn, "userAccountControl", "512")), winPasswordPolicy)
	wantWin(t, c.Modify(replace(dn, "unicodePwd", quoted(t, "short"))), winPasswordPolicy)
	wantWin(t, c.Modify(replace(dn, "unicodePwd", quoted(t, "nodigitsorcapitals"))), winPasswordPolicy)
	wantWin(t, c.Modify(replace(dn, "unicodePwd", "Secret-123")), winGenFailure)

	plain := dial(t, s, s.PlainURL())
	require.NoError(t, plain.Bind(s.AdminDN(), s.AdminPassword()))
	wantWin(t, plain.Modify(replace(dn, "unicodePwd", quoted(t, "Secret-123"))), winGenFailure)

	require.NoError(t, c.Modify(replace(dn, "unicodePwd", quoted(t, "Secret-123"))))
	require.False(t, s.CheckPassword(dn, "Secret-123"), "still disabled")
	require.NoError(t, c.Modify(replace(dn, "userAccountControl", fmt.Sprint(512|uacNoExpire|uacLockout|uacExpired))))
	require.True(t, s.CheckPassword(dn, "Secret-123"))
	e, _ := s.Entry(dn)
	require.Equal(t, fmt.Sprint(512|uacNoExpire), e.First("userAccountControl"), "computed bits are not kept")
	require.Empty(t, find(t, s, c, "(sAMAccountName=jane)", "unicodePwd")[0].Attributes)

	m := ldap.NewModifyRequest(dn, nil)
	m.Delete("unicodePwd", []string{quoted(t, "wrong-Old-1")})
	m.Add("unicodePwd", []string{quoted(t, "Secret-456")})
	wantWin(t, c.Modify(m), winWrongPassword)
}

func TestAGuardedChangeOfUserAccountControl(t *testing.T) {
	s, c := ad(t, Options{})
	dn := person(t, s, c, "jane")
	guarded := func(from, to string) error {
		m := ldap.NewModifyRequest(dn, nil)
		m.Delete("userAccountControl", []string{from})
		m.Add("userAccountControl", []string{to})
		return c.Modify(m)
	}
	wantWin(t, guarded("512", "514"), winNoSuchValue)
	require.NoError(t, guarded("514", "66050"))
	e, _ := s.Entry(dn)
	require.Equal(t, "66050", e.First("userAccountControl"))
	require.Len(t, find(t, s, c, "(userAccountControl:1.2.840.113556.1.4.803:=65538)"), 1)
	require.Empty(t, find(t, s, c, "(&(cn=jane)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"))
}

// QUIRKS LDAP-44
func TestLogonNamesAreUnique(t *testing.T) {
	s, c := ad(t, Options{})
	jane, john := person(t, s, c, "jane"), person(t, s, c, "john")
	require.NoError(t, c.Modify(replace(jane, "userPrincipalName", "jane@example.org")))
	wantWin(t, c.Modify(replace(john, "userPrincipalName", "JANE@example.org")), winUPNInUse)
	wantWin(t, c.Modify(replace(john, "sAMAccountName", "jane")), winUserExists)
	wantWin(t, c.Modify(replace(john, "sAMAccountName", "jáne")), winUserExists)
	wantWin(t, c.Modify(replace(john, "sAMAccountName", "a+b")), winBadAccountName)
	wantWin(t, c.Modify(replace(john, "sAMAccountName", strings.Repeat("x", 21))), winBadAccountName)
	require.NoError(t, c.Modify(replace(jane, "servicePrincipalName", "http/x")))
	wantWin(t, c.Modify(replace(john, "servicePrincipalName", "HTTP/x")), winSPNInUse)
	wantWin(t, c.Add(addRequest("CN=jane,"+s.In(Disabled), "objectClass", "user", "sAMAccountName", "jane")), winUserExists)
}

// QUIRKS LDAP-7, LDAP-45
func TestMembersComeInRanges(t *testing.T) {
	s, c := ad(t, Options{MaxValRange: 3})
	var members []string
	for i := range 7 {
		members = append(members, person(t, s, c, fmt.Sprintf("m%d", i)))
	}
	group := "CN=all," + s.In(Groups)
	require.NoError(t, c.Add(addRequest(group, "objectClass", "group", "sAMAccountName", "all")))
	require.NoError(t, c.Modify(replace(group, "member", members...)))
	read := func(attr string) *ldap.Entry {
		res, err := c.Search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{attr}, nil))
		require.NoError(t, err)
		return res.Entries[0]
	}
	e := read("member")
	require.Empty(t, e.GetAttributeValues("member"))
	require.Equal(t, members[:3], e.GetAttributeValues("member;range=0-2"))
	require.Equal(t, members[3:6], read("member;range=3-*").GetAttributeValues("member;range=3-5"))
	require.Equal(t, members[6:], read("member;range=6-*").GetAttributeValues("member;range=6-*"))
	all, _ := s.Entry(group)
	require.Equal(t, []string{all.DN}, find(t, s, c, "(cn=m1)", "memberOf")[0].GetAttributeValues("memberOf"))

	add := ldap.NewModifyRequest(group, nil)
	add.Add("member", members[:1])
	wantWin(t, c.Modify(add), winMember)
	add.Controls = []ldap.Control{ldap.NewControlString(oidPermissiveModify, true, "")}
	require.NoError(t, c.Modify(add))
	gone := ldap.NewModifyRequest(group, nil)
	gone.Delete("member", []string{s.AdminDN()})
	wantWin(t, c.Modify(gone), winNotMember)
	gone.Controls = add.Controls
	require.NoError(t, c.Modify(gone))
	nobody := ldap.NewModifyRequest(group, nil)
	nobody.Add("member", []string{"CN=nobody," + s.In(People)})
	wantWin(t, c.Modify(nobody), winNoSuchUser)
}

// QUIRKS LDAP-50
func TestLinksFollowARename(t *testing.T) {
	s, c := ad(t, Options{})
	jane, john := person(t, s, c, "jane"), person(t, s, c, "john")
	group := "CN=all," + s.In(Groups)
	require.NoError(t, c.Add(addRequest(group, "objectClass", "group", "sAMAccountName", "all", "member", jane)))
	require.NoError(t, c.Modify(replace(john, "manager", jane)))
	require.NoError(t, c.ModifyDN(ldap.NewModifyDNRequest(jane, "CN=Jane Doe", true, s.In(Disabled))))
	moved := "CN=Jane Doe," + s.In(Disabled)
	got, _ := s.Entry(group)
	want, err := ldap.ParseDN(moved)
	require.NoError(t, err)
	for _, dn := range []string{got.First("member"), find(t, s, c, "(cn=john)", "manager")[0].GetAttributeValue("manager")} {
		have, err := ldap.ParseDN(dn)
		require.NoError(t, err)
		require.True(t, want.EqualFold(have), dn)
	}
	require.Equal(t, "Jane Doe", find(t, s, c, "(sAMAccountName=jane)", "name")[0].GetAttributeValue("name"))
	require.Len(t, find(t, s, c, "(memberOf:1.2.840.113556.1.4.1941:="+group+")"), 1)
	wantWin(t, c.Modify(replace(john, "cn", "other")), winRDN)
	require.NoError(t, c.Del(ldap.NewDelRequest(moved, nil)))
	got, _ = s.Entry(group)
	require.Empty(t, got.Get("member"))
}

// QUIRKS LDAP-48, LDAP-49
func TestWhatActiveDirectoryRefuses(t *testing.T) {
	s, c := ad(t, Options{Protected: []string{"ou=disabled,dc=example,dc=org"}})
	jane := person(t, s, c, "jane")
	admins := "CN=Domain Admins,CN=Users," + s.BaseDN()
	m := ldap.NewModifyRequest(admins, nil)
	m.Add("member", []string{jane})
	wantWin(t, c.Modify(m), winNoRights)
	wantWin(t, c.ModifyDN(ldap.NewModifyDNRequest(jane, "CN=jane", true, s.In(Disabled))), winNoRights)
	wantWin(t, c.ModifyDN(ldap.NewModifyDNRequest(jane, "CN=provhub", true, "CN=Users,"+s.BaseDN())), winExists)
	wantWin(t, c.Modify(replace(jane, "displayName", "")), winConversion)
	wantWin(t, c.Modify(replace(jane, "nosuch", "x")), winNoSuchType)
	wantWin(t, c.Modify(replace(jane, "groupType", "2")), winNotInClass)
	wantWin(t, c.Modify(replace(jane, "sn", strings.Repeat("x", 65))), winRange)
	wantWin(t, c.Modify(replace(jane, "sn", "x", "y")), winSingleValue)
	wantWin(t, c.Modify(replace(jane, "manager", "CN=nobody,"+s.BaseDN())), winDanglingLink)
	wantWin(t, c.Modify(replace(jane, "objectGUID", "x")), winIllegalModify)
	wantWin(t, c.Del(ldap.NewDelRequest(s.In(People), nil)), winNonLeaf)
	wantWin(t, c.Del(ldap.NewDelRequest("CN=nobody,"+s.BaseDN(), nil)), winNoObject)
	wantWin(t, c.Add(addRequest("CN=x,dc=other,dc=org", "objectClass", "user")), winReferral)
	wantWin(t, c.Add(addRequest("nonsense", "objectClass", "user")), winBadName)
	require.NoError(t, c.Del(ldap.NewDelRequest(s.In(People), []ldap.Control{ldap.NewControlSubtreeDelete()})))
}

// QUIRKS LDAP-51
func TestSubCodesOfAFailedLogon(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	s, c := ad(t, Options{Passwords: PasswordPolicy{MaxFailures: 3}, Clock: func() time.Time { return now }})
	dn := person(t, s, c, "jane")
	require.NoError(t, s.SetPassword(dn, "Secret-123"))
	for _, tt := range []struct {
		data, attr, value, password string
	}{
		{logonDisabled, "userAccountControl", "514", "Secret-123"},
		{logonMustChange, "pwdLastSet", "0", "Secret-123"},
		{logonAccountEnd, "accountExpires", filetime(now.Add(-time.Hour)), "Secret-123"},
		{"", "accountExpires", filetime(now.Add(time.Hour)), "Secret-123"},
		{logonWrong, "sn", "x", "wrong"},
		{logonWrong, "sn", "x", "wrong"},
		{logonWrong, "sn", "x", "wrong"},
		{logonLocked, "sn", "x", "Secret-123"},
	} {
		require.NoError(t, s.Set(dn, "userAccountControl", "512"))
		if tt.attr != "sn" {
			require.NoError(t, s.SetPassword(dn, "Secret-123"))
		}
		require.NoError(t, s.Set(dn, "accountExpires", neverExpires))
		require.NoError(t, s.Set(dn, tt.attr, tt.value))
		err := dial(t, s, s.URL()).Bind(dn, tt.password)
		if tt.data == "" {
			require.NoError(t, err)
			continue
		}
		wantWin(t, err, winBadLogon)
		require.ErrorContains(t, err, "data "+tt.data+",")
	}
	require.ErrorContains(t, dial(t, s, s.URL()).Bind("CN=nobody,"+s.BaseDN(), "x"), "data "+logonNoUser+",")
	require.NoError(t, c.Modify(replace(dn, "lockoutTime", "0")))
	for _, name := range []string{`EXAMPLE\jane`, "jane@example.org", dn} {
		require.NoError(t, dial(t, s, s.URL()).Bind(name, "Secret-123"), name)
	}
}

// Every error of the table goes out the way Active Directory words it.
func TestErrorsOfTheTable(t *testing.T) {
	s, c := ad(t, Options{})
	jane := person(t, s, c, "jane")
	for win := range winErrors {
		clear := inject(t, s, Fault{Kind: Refuse, Win32: uint32(win)})
		wantWin(t, c.Modify(replace(jane, "sn", "x")), win)
		clear()
	}
}

func TestPagesOfActiveDirectory(t *testing.T) {
	s, c := ad(t, Options{SizeLimit: 3})
	for i := range 7 {
		person(t, s, c, fmt.Sprintf("p%d", i))
	}
	r := ldap.NewSearchRequest(s.In(People), ldap.ScopeSingleLevel, 0, 0, 0, false, "(objectClass=user)", []string{"cn"}, nil)
	res, err := c.Search(r)
	wantCode(t, err, ldap.LDAPResultSizeLimitExceeded)
	require.Len(t, res.Entries, 3)
	paging := ldap.NewControlPaging(1000)
	r.Controls = []ldap.Control{paging}
	res, err = c.Search(r)
	require.NoError(t, err)
	require.Len(t, res.Entries, 3, "MaxPageSize")
	paging.SetCookie(ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging).Cookie)
	_, err = admin(t, s).Search(r)
	wantWin(t, err, winBadCookie) // QUIRKS LDAP-5
	res, err = c.Search(r)
	require.NoError(t, err)
	require.Len(t, res.Entries, 3)
}

func TestBindIsNeededFirst(t *testing.T) {
	s, _ := ad(t, Options{})
	_, err := dial(t, s, s.URL()).Search(ldap.NewSearchRequest(s.BaseDN(), 0, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	wantWin(t, err, winBindFirst)
}
