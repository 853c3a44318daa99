package fakeldap

import (
	"net"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// inject switches a fault on for the rest of the test.
func inject(t *testing.T, s *Server, f Fault) (clear func()) {
	t.Helper()
	clear, err := s.Inject(f)
	require.NoError(t, err)
	t.Cleanup(clear)
	return clear
}

func TestFaultsOfWrites(t *testing.T) {
	for _, tt := range []struct {
		fault   Fault
		code    uint16
		effect  bool
		patient time.Duration // 0: long
	}{
		{fault: Fault{Kind: DropAfterWrite}, code: ldap.ErrorNetwork, effect: true},
		{fault: Fault{Kind: LateSuccess, Delay: 150 * time.Millisecond}, code: ldap.ErrorNetwork, effect: true, patient: 50 * time.Millisecond},
		{fault: Fault{Kind: Hang}, code: ldap.ErrorNetwork, patient: 50 * time.Millisecond},
		{fault: Fault{Kind: Reset}, code: ldap.ErrorNetwork},
		{fault: Fault{Kind: Disconnect}, code: ldap.ErrorNetwork},
		{fault: Fault{Kind: Busy}, code: ldap.LDAPResultBusy},
		{fault: Fault{Kind: Unavailable}, code: ldap.LDAPResultUnavailable},
		{fault: Fault{Kind: ReadOnly, URL: "ldap://master.example.org/"}, code: ldap.LDAPResultReferral},
		{fault: Fault{Kind: Refuse, Code: 80, Text: "internal"}, code: ldap.LDAPResultOther},
		{fault: Fault{Kind: Slow, Delay: 10 * time.Millisecond}, effect: true},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			s := start(t, Options{})
			c := admin(t, s)
			if tt.patient > 0 {
				c.SetTimeout(tt.patient)
			}
			tt.fault.Ops, tt.fault.Times = []Op{OpAdd}, 1
			inject(t, s, tt.fault)
			dn := "uid=x," + s.In(People)
			err := c.Add(addRequest(dn, "objectClass", "inetOrgPerson", "uid", "x", "cn", "x", "sn", "x"))
			if tt.code == ldap.LDAPResultSuccess {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
				if tt.code != ldap.ErrorNetwork {
					wantCode(t, err, tt.code)
				}
			}
			time.Sleep(2 * tt.fault.Delay)
			_, exists := s.Entry(dn)
			require.Equal(t, tt.effect, exists)

			again := admin(t, s) // the fault struck once
			require.NoError(t, again.Add(addRequest("uid=y,"+s.In(People), "objectClass", "inetOrgPerson", "uid", "y", "cn", "y", "sn", "y")))
		})
	}
}

func TestFaultsOfListings(t *testing.T) {
	for _, tt := range []struct {
		fault Fault
		code  uint16
	}{
		{Fault{Kind: SizeLimit, Count: 3}, ldap.LDAPResultSizeLimitExceeded},
		{Fault{Kind: TimeLimit, Count: 3}, ldap.LDAPResultTimeLimitExceeded},
		{Fault{Kind: AdminLimit, Count: 3}, ldap.LDAPResultAdminLimitExceeded},
		{Fault{Kind: Truncated, Count: 3}, ldap.ErrorNetwork},
		{Fault{Kind: CookieRefused}, ldap.LDAPResultUnwillingToPerform},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			s := start(t, Options{})
			c := admin(t, s)
			for _, n := range []string{"a", "b", "c", "d", "e"} {
				person(t, s, c, n)
			}
			inject(t, s, tt.fault)
			r := ldap.NewSearchRequest(s.In(People), ldap.ScopeSingleLevel, 0, 0, 0, false, "(objectClass=*)", nil, nil)
			_, err := c.SearchWithPaging(r, 2)
			require.Error(t, err)
			if tt.code != ldap.ErrorNetwork {
				wantCode(t, err, tt.code)
			}
			if tt.fault.Kind != Truncated {
				st := s.Stats()
				require.GreaterOrEqual(t, st.Entries, 2)
				require.Less(t, st.Entries, 5)
			}
		})
	}
}

func TestSearchReferencesComeAmongTheEntries(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	inject(t, s, Fault{Kind: References, Count: 1, URL: "ldap://other.example.org/dc=other"})
	res, err := c.Search(ldap.NewSearchRequest(s.BaseDN(), ldap.ScopeSingleLevel, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	require.NoError(t, err)
	require.Equal(t, []string{"ldap://other.example.org/dc=other"}, res.Referrals)
	require.Len(t, res.Entries, 4)
}

func TestRespelledNamesMeanTheSame(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	name := `uid=doe\, jane,` + s.In(People)
	require.NoError(t, c.Add(addRequest(name, "objectClass", "inetOrgPerson", "uid", "doe, jane", "cn", "x", "sn", "x")))
	inject(t, s, Fault{Kind: Respelled})
	got := find(t, s, c, "(sn=x)")[0].DN
	require.NotEqual(t, name, got)
	want, err := ldap.ParseDN(name)
	require.NoError(t, err)
	same, err := ldap.ParseDN(got)
	require.NoError(t, err)
	require.True(t, want.EqualFold(same), got)
}

func TestAReplicaLagsBehind(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	inject(t, s, Fault{Kind: ReplicaLag, Delay: 2 * time.Second})
	person(t, s, c, "jane")
	require.Empty(t, find(t, s, c, "(uid=jane)"))
	require.Eventually(t, func() bool { return len(find(t, s, c, "(uid=jane)")) == 1 }, 30*time.Second, 10*time.Millisecond)
}

func TestAFaultChoosesWhom(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	clear := inject(t, s, Fault{Kind: Busy, Below: "uid=x," + s.In(People), Ops: []Op{OpAdd, OpDelete}, Skip: 1})
	dn := person(t, s, c, "x") // passes
	wantCode(t, c.Del(ldap.NewDelRequest(dn, nil)), ldap.LDAPResultBusy)
	require.NoError(t, c.Del(ldap.NewDelRequest(person(t, s, c, "y"), nil)))
	clear()
	clear()
	require.NoError(t, c.Del(ldap.NewDelRequest(dn, nil)))

	_, err := s.Inject(Fault{Kind: "nonsense"})
	require.ErrorContains(t, err, `no fault "nonsense"`)
	_, err = s.Inject(Fault{Kind: Refuse})
	require.ErrorContains(t, err, "needs Do, or Code or Win32")
	_, err = s.Inject(Fault{Kind: Refuse, Win32: 0x52D})
	require.ErrorContains(t, err, "only Active Directory")
	_, err = s.Inject(Fault{Kind: Busy, Below: "x"})
	require.ErrorContains(t, err, "no DN")
}

func TestOncePerDN(t *testing.T) {
	s := start(t, Options{})
	inject(t, s, Fault{Kind: DropAfterWrite, Ops: []Op{OpAdd}, OncePerDN: true})
	add := func(name string) error {
		return admin(t, s).Add(addRequest("uid="+name+","+s.In(People), "objectClass", "inetOrgPerson", "uid", name, "cn", "x", "sn", "x"))
	}
	require.Error(t, add("a"))
	require.Error(t, add("b"))
	wantCode(t, add("a"), ldap.LDAPResultEntryAlreadyExists)
}

func TestADoorHasFaultsOfItsOwn(t *testing.T) {
	s := start(t, Options{})
	door, err := s.Door(Fault{Kind: Busy})
	require.NoError(t, err)
	through := dial(t, s, door.URL())
	require.NoError(t, through.Bind(s.AdminDN(), s.AdminPassword()))
	wantCode(t, through.Del(ldap.NewDelRequest(s.In(Disabled), nil)), ldap.LDAPResultBusy)
	require.NoError(t, admin(t, s).Del(ldap.NewDelRequest(s.In(Disabled), nil)))
	require.Empty(t, find(t, s, through, "(ou=disabled)"), "it is the same directory")

	require.NoError(t, door.Shut())
	_, err = net.Dial("tcp", door.URL()[len("ldaps://"):])
	require.ErrorContains(t, err, "refused")
}

func TestMeanwhileOthersChangeThings(t *testing.T) {
	s := start(t, Options{})
	c := admin(t, s)
	dn := person(t, s, c, "jane")
	inject(t, s, Fault{Kind: Meanwhile, Times: 1, Do: func() { require.NoError(t, s.Rename(dn, "uid=jane,"+s.In(Disabled))) }})
	require.Equal(t, dn, find(t, s, c, "(uid=jane)")[0].DN)
	wantCode(t, c.Del(ldap.NewDelRequest(dn, nil)), ldap.LDAPResultNoSuchObject)
}

func TestPasswordPolicyAnswers(t *testing.T) {
	s := start(t, Options{Passwords: PasswordPolicy{MaxFailures: 2, History: 2}})
	c := admin(t, s)
	dn := person(t, s, c, "jane")
	set := func(password string) error {
		_, err := c.PasswordModify(ldap.NewPasswordModifyRequest(dn, "", password))
		return err
	}
	bind := func(password string) (int64, error) {
		r := ldap.NewSimpleBindRequest(dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()})
		res, err := dial(t, s, s.URL()).SimpleBind(r)
		if res == nil {
			return -1, err
		}
		for _, ctl := range res.Controls {
			if p, ok := ctl.(*ldap.ControlBeheraPasswordPolicy); ok {
				return int64(p.Error), err
			}
		}
		return -1, err
	}
	wantCode(t, set("short"), ldap.LDAPResultConstraintViolation)
	require.NoError(t, set("Long-enough-1"))
	require.NoError(t, set("Long-enough-2"))
	wantCode(t, set("Long-enough-1"), ldap.LDAPResultConstraintViolation)
	_, err := bind("Long-enough-2")
	require.NoError(t, err)
	for range 2 {
		_, err = bind("wrong")
		wantCode(t, err, ldap.LDAPResultInvalidCredentials)
	}
	code, err := bind("Long-enough-2")
	wantCode(t, err, ldap.LDAPResultInvalidCredentials)
	require.Equal(t, int64(policyAccountLocked), code)
	require.False(t, s.CheckPassword(dn, "Long-enough-2"))
	require.NoError(t, set("Long-enough-3"), "a new password ends the lock")
	require.True(t, s.CheckPassword(dn, "Long-enough-3"))

	require.NoError(t, s.Set(dn, "pwdAccountLockedTime", "000001010000Z"))
	_, err = bind("Long-enough-3")
	wantCode(t, err, ldap.LDAPResultInvalidCredentials)
}
