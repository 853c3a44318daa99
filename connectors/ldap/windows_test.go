package ldap

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// QUIRKS LDAP-51: each error of Active Directory means what it says, whatever
// the LDAP result beside it.
func TestErrorsOfActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp))
	ref := mustCreate(t, target, adUser("jane", "E1"))
	for _, tt := range []struct {
		win32 uint32
		means string
		class connector.Class
	}{
		{0x202B, "wrong domain or partition", connector.ClassInstance},
		{0x2030, "no such object", connector.ClassConflict},
		{0x208D, "no such object", connector.ClassConflict},
		{0x2089, "no parent", connector.ClassConflict},
		{0x2071, "name in use", connector.ClassConflict},
		{0x0524, "name in use", connector.ClassConflict},
		{0x200D, "the value exists", connector.ClassConflict},
		{0x2076, "the value is not there", connector.ClassConflict},
		{0x2077, "illegal modify", connector.ClassPermanent},
		{0x20B1, "system only", connector.ClassPermanent},
		{0x2081, "single value", connector.ClassPermanent},
		{0x2082, "range", connector.ClassPermanent},
		{0x2016, "RDN", connector.ClassPermanent},
		{0x2015, "not a leaf", connector.ClassConflict},
		{0x2024, "administrative limit", connector.ClassPermanent},
		{0x203D, "a control that cannot be decoded", connector.ClassConflict},
		{0x21C7, "SPN in use", connector.ClassConflict},
		{0x21C8, "UPN in use", connector.ClassConflict},
		{0x052D, "password policy", connector.ClassPermanent},
		{0x052C, "password form", connector.ClassPermanent},
		{0x0523, "account name", connector.ClassPermanent},
		{0x0522, "privilege not held", connector.ClassInstance},
		{0x04DC, "the bind was dropped", connector.ClassTransient},
		{0x0057, "error processing control", connector.ClassTransient},
	} {
		t.Run(fmt.Sprintf("%04X %s", tt.win32, tt.means), func(t *testing.T) {
			clear := f.inject(fakeldap.Fault{Kind: fakeldap.Refuse, Ops: []fakeldap.Op{fakeldap.OpModify}, Win32: tt.win32})
			defer clear()
			err := target.Update(context.Background(), connector.Update{Target: ref, Changes: []connector.Change{replace("displayName", "Jane")}})
			e := connector.AsError(err)
			require.NotNil(t, e)
			require.Equal(t, connector.OutcomeFailed, outcome(err), "an answer is an answer")
			require.Equal(t, tt.class, e.Code.Class(), "%v", err)
			require.Contains(t, e.NativeCode, fmt.Sprintf("%08X", tt.win32))
			require.NotContains(t, e.Error(), "DSID")
			require.NotContains(t, e.Error(), "\x00")
		})
	}
	require.NoError(t, target.Update(context.Background(), connector.Update{Target: ref, Changes: []connector.Change{replace("displayName", "Jane")}}), "none of them was for ever")
}

// QUIRKS LDAP-51, Q-11: whatever the reason, one refused bind and no second.
func TestReasonsOfRefusedBinds(t *testing.T) {
	for _, data := range []string{"525", "52e", "530", "531", "532", "533", "701", "773", "775"} {
		t.Run(data, func(t *testing.T) {
			f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
			target := f.open(f.config(corp))
			f.inject(fakeldap.Fault{Kind: fakeldap.BindFails, Data: data})
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					_, err := target.Create(context.Background(), adUser("jane", "E1"))
					if e := connector.AsError(err); e == nil || e.Code != connector.CodeAuthentication || e.Class() != connector.ClassInstance ||
						!strings.Contains(e.NativeCode, "data "+data) {
						t.Errorf("got %v", err)
					}
				})
			}
			wg.Wait()
			require.Equal(t, 1, f.Stats().Binds, "each further one brings the account nearer to being locked")
		})
	}
}

// QUIRKS LDAP-21, LDAP-49: the name in the target container is taken.
func TestRenamesInActiveDirectoryMeetOthers(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp))
	ctx := context.Background()
	jane, jack := mustCreate(t, target, adUser("jane", "E1")), mustCreate(t, target, adUser("jack", "E2"))
	_, err := target.Rename(ctx, connector.Rename{Target: jack, NewName: "jane"})
	e := connector.AsError(err)
	require.Equal(t, connector.CodeAlreadyExists, e.Code, "%v", err)
	require.Equal(t, []string{"commonName"}, e.Attributes)
	require.Equal(t, jane.ID, e.Conflicting.ID)
	require.Equal(t, "jack", get(t, target, jack).Attributes.Text("commonName"))

	g := mustCreate(t, target, connector.Create{Type: "group", Attributes: attrs("name", "staff"), Correlate: connector.Correlation{Attribute: "name", Value: "staff"}})
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: jack, Entitlement: g}))
	now, err := target.Rename(ctx, connector.Rename{Target: jack, NewName: "Jack O'Hara, Dr."})
	require.NoError(t, err)
	require.Equal(t, jack.ID, now.ID, "QUIRKS LDAP-4")
	require.Len(t, get(t, target, jack).Grants, 1, "QUIRKS LDAP-50: the server keeps its links")
}

// QUIRKS LDAP-49: away, and back to where it came from.
func TestDisablingByMovingInActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp, `"users"`, `"disable": [{"kind": "bits", "attribute": "userAccountControl", "bits": 2},
		{"kind": "move", "container": "ou=disabled,{base}", "origin": "extensionAttribute1"}], "users"`))
	require.NoError(t, f.Load("dn: cn=jane,"+f.In(fakeldap.Disabled)+"\nobjectClass: user\nsAMAccountName: jane.old\n"))
	ref := mustCreate(t, target, adUser("jane", "E1"))
	disable(t, target, ref, false, connector.OutcomeApplied)
	away := get(t, target, ref)
	require.True(t, dn(t, away.Ref.Name).Within(dn(t, f.In(fakeldap.Disabled))), away.Ref.Name)
	require.Equal(t, "514", f.entry(away.Ref.Name).First("userAccountControl"))
	disable(t, target, ref, false, connector.OutcomeUnchanged)
	disable(t, target, ref, true, connector.OutcomeApplied)
	back := get(t, target, ref)
	require.True(t, dn(t, back.Ref.Name).Equal(dn(t, cn(f, "jane"))), back.Ref.Name)
	require.Equal(t, "512", f.entry(back.Ref.Name).First("userAccountControl"))
	require.Empty(t, f.entry(back.Ref.Name).Get("extensionAttribute1"))
}

// QUIRKS LDAP-20: a referral is told and not followed.
func TestReferralsAreNotFollowed(t *testing.T) {
	elsewhere := newFake(t, fakeldap.Options{})
	for _, flavor := range []fakeldap.Flavor{fakeldap.OpenLDAP, fakeldap.ActiveDirectory} {
		f := newFake(t, fakeldap.Options{Flavor: flavor})
		target := f.open(f.config(map[fakeldap.Flavor]string{fakeldap.OpenLDAP: usual, fakeldap.ActiveDirectory: corp}[flavor]))
		f.inject(fakeldap.Fault{Kind: fakeldap.ReadOnly, URL: elsewhere.PlainURL() + "/" + f.BaseDN()})
		_, err := target.Create(context.Background(), anyone(flavor, 1))
		require.True(t, connector.IsCode(err, connector.CodeConfiguration), "%v", err)
		require.Equal(t, connector.OutcomeFailed, outcome(err))
		require.Zero(t, elsewhere.Stats().Connections, "the password would have gone to another host")
	}
}

// QUIRKS LDAP-61, LDAP-63
func TestAccountsOf389(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.DS389, Unique: []string{"uid", "mail"}})
	target := f.open(f.config(usual, `"openldap-overlays"`, `"389ds"`))
	ctx := context.Background()
	c := create("jane", "E1", "mail", "jane@example.org")
	c.Credential = connector.NewSecret("kT9!vq-Zr4#mWx7")
	ref := mustCreate(t, target, c)
	at := "uid=jane," + f.In(fakeldap.People)
	require.True(t, f.CheckPassword(at, "kT9!vq-Zr4#mWx7"))
	disable(t, target, ref, false, connector.OutcomeApplied)
	require.Equal(t, "true", strings.ToLower(f.entry(at).First("nsAccountLock")))
	require.False(t, f.CheckPassword(at, "kT9!vq-Zr4#mWx7"))
	disable(t, target, ref, false, connector.OutcomeUnchanged)
	disable(t, target, ref, true, connector.OutcomeApplied)
	require.True(t, f.CheckPassword(at, "kT9!vq-Zr4#mWx7"))

	_, err := target.Create(ctx, create("jack", "E2", "mail", "JANE@example.org"))
	require.True(t, connector.IsCode(err, connector.CodeAlreadyExists), "constraintViolation of the uniqueness plug-in: %v", err)
	require.NoError(t, f.Rename(at, "uid=jane.doe,"+f.In(fakeldap.People)))
	require.Equal(t, "jane.doe", get(t, target, ref).Attributes.Text("userName"), "nsUniqueId stays")
}

// QUIRKS LDAP-25: what the published schema says is required is a hint, and the config's
// word counts; how many values an attribute has is the config's alone.
func TestThePublishedSchemaIsAHint(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.DS389})
	surname := `{"name": "surname", "attribute": "sn"}`
	for text, want := range map[string]connector.Attr{
		surname: {Required: true},
		`{"name": "surname", "attribute": "sn", "required": false}`: {Required: false},
		`{"name": "surname", "attribute": "sn", "multi": true}`:     {Required: true, Multi: true},
	} {
		schema, err := f.open(f.config(usual, `"openldap-overlays"`, `"389ds"`, surname, text)).Schema(context.Background())
		require.NoError(t, err)
		got, ok := schema[0].Attr("surname")
		require.True(t, ok)
		require.Equal(t, []bool{want.Required, want.Multi}, []bool{got.Required, got.Multi}, text)
	}
}

// QUIRKS LDAP-47: when somebody last signed in is read and never written, so that no plan
// compares it.
func TestTheLastSignInIsNeverWritten(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	schema, err := f.open(f.config(corp, `{"name": "displayName"}`, `{"name": "displayName"}, {"name": "lastLogon"}, {"name": "lastLogonTimestamp"}`)).Schema(context.Background())
	require.NoError(t, err)
	for _, name := range []string{"lastLogon", "lastLogonTimestamp"} {
		a, ok := schema[0].Attr(name)
		require.True(t, ok, name)
		require.True(t, a.ReadOnly, name)
		require.Equal(t, connector.TypeTimestamp, a.Type, name)
	}
}

// slapd 2.5 answers noSuchAttribute to a permissive delete whose last value is
// not there, and removes nothing: those who are members must go all the same.
func TestRevokingFromThoseWhoAreNoMembers(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	target := f.open(f.config(usual, `"users"`, `"overrides": {"permissive_modify": "always"}, "users"`))
	ctx := context.Background()
	g := mustCreate(t, target, group("staff"))
	var refs []connector.Ref
	for i := range 40 {
		refs = append(refs, mustCreate(t, target, anyone(fakeldap.OpenLDAP, i)))
		if i%2 == 0 {
			require.NoError(t, target.Grant(ctx, connector.Grant{Principal: refs[i], Entitlement: g}))
		}
	}
	var wg sync.WaitGroup
	got := make([]connector.Outcome, len(refs))
	for i, ref := range refs {
		wg.Go(func() {
			got[i] = outcome(target.Revoke(ctx, connector.Revoke{Principal: ref, Entitlement: g}))
		})
	}
	wg.Wait()
	for i, o := range got {
		want := connector.OutcomeUnchanged
		if i%2 == 0 {
			want = connector.OutcomeApplied
		}
		require.Equal(t, want, o, i)
		require.Empty(t, get(t, target, refs[i]).Grants)
	}
}
