package ldap

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

func TestConformanceOfActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	other := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	connectortest.Run(t, connectortest.Target{
		Definition: Definition, Durable: true, Secrets: f.secrets(),
		Config:       f.config(corp),
		Other:        other.config(corp),
		Values:       map[string][]any{"userName": {"u%d"}, "accountExpires": {time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 2, 12, 30, 0, 0, time.UTC)}},
		WrongSecrets: map[string]connector.Secret{secretPassword: connector.NewSecret("wrong-Qx7vM2")},
		WeakPassword: "short",
		Login: func(_ context.Context, o connector.Object, password string) (bool, error) {
			return f.CheckPassword(o.Ref.Name, password), nil
		},
	})
}

func adUser(name, anchor string, more ...any) connector.Create {
	return connector.Create{Type: "user", Enabled: connector.IsEnabled,
		Attributes: attrs(append([]any{"commonName", name, "userName", name, "employeeNumber", anchor}, more...)...),
		Correlate:  connector.Correlation{Attribute: "employeeNumber", Value: anchor}}
}

func cn(f *fake, name string) string { return "cn=" + name + "," + f.In(fakeldap.People) }

// QUIRKS LDAP-43: disabled, password, enabled; a crash at any point leaves an
// account that nobody can use, and the next try goes on from there.
func TestCreatingInActiveDirectoryIsResumable(t *testing.T) {
	for name, fault := range map[string]fakeldap.Fault{
		"the answer to the add is lost":      {Kind: fakeldap.DropAfterWrite, Ops: []fakeldap.Op{fakeldap.OpAdd}},
		"the password is refused for now":    {Kind: fakeldap.Busy, Ops: []fakeldap.Op{fakeldap.OpModify}},
		"the answer to the password is lost": {Kind: fakeldap.DropAfterWrite, Ops: []fakeldap.Op{fakeldap.OpModify}},
		"enabling is refused for now":        {Kind: fakeldap.Unavailable, Ops: []fakeldap.Op{fakeldap.OpModify}, Skip: 1},
		"the answer to enabling is lost":     {Kind: fakeldap.DropAfterWrite, Ops: []fakeldap.Op{fakeldap.OpModify}, Skip: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
			target := f.open(f.config(corp))
			c := adUser("jane", "E1")
			c.Credential = connector.NewSecret("kT9!vq-Zr4#mWx7")
			fault.Times = 1
			f.inject(fault)
			_, err := target.Create(context.Background(), c)
			require.False(t, outcome(err).Done(), "%v", err)
			require.NotEqual(t, connector.OutcomeFailed, outcome(err), "something of it is there: %v", err)
			c.MaybeApplied = true
			ref, err := target.Create(context.Background(), c)
			require.Equal(t, connector.Unchanged, err)
			require.Equal(t, "512", f.entry(cn(f, "jane")).First("userAccountControl"))
			require.True(t, f.CheckPassword(cn(f, "jane"), "kT9!vq-Zr4#mWx7"))
			require.Equal(t, connector.IsEnabled, get(t, target, connector.Ref{Type: "user", ID: ref.ID}).Enabled)
		})
	}
}

// QUIRKS LDAP-41, LDAP-42: our bit, and no other; an account that is disabled
// already is not enabled by disabling it.
func TestUserAccountControlKeepsForeignBits(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp))
	ctx := context.Background()
	ref := mustCreate(t, target, adUser("jane", "E1"))
	require.NoError(t, f.Set(cn(f, "jane"), "userAccountControl", "66048")) // 512 and "password never expires"
	for _, on := range []bool{false, true} {
		for _, want := range []connector.Outcome{connector.OutcomeApplied, connector.OutcomeUnchanged} {
			disable(t, target, ref, on, want)
			require.Equal(t, map[bool]string{false: "66050", true: "66048"}[on], f.entry(cn(f, "jane")).First("userAccountControl"))
		}
	}
	// Somebody else sets a bit between our read and our write: theirs is not lost.
	clear := f.inject(fakeldap.Fault{Kind: fakeldap.Meanwhile, Times: 1, Do: func() { _ = f.Set(cn(f, "jane"), "userAccountControl", "66176") }})
	err := target.SetEnabled(ctx, connector.SetEnabled{Target: ref})
	require.True(t, connector.IsCode(err, connector.CodeVersionConflict), "%v", err)
	clear()
	require.Equal(t, "66176", f.entry(cn(f, "jane")).First("userAccountControl"))
	disable(t, target, ref, false, connector.OutcomeApplied)
	require.Equal(t, "66178", f.entry(cn(f, "jane")).First("userAccountControl"))
}

// QUIRKS LDAP-44, LDAP-51
func TestNamesInActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp))
	ctx := context.Background()
	for _, bad := range []string{"a/b", "a\"b", "a@b", "jane.", "this-name-is-far-too-long"} {
		f.ResetStats()
		_, err := target.Create(ctx, adUser(bad, "E0"))
		require.True(t, connector.IsCode(err, connector.CodeInvalidValue), "%s: %v", bad, err)
		require.Equal(t, []string{"userName"}, connector.AsError(err).Attributes)
		require.Zero(t, f.Stats().Ops[fakeldap.OpAdd], "refused before it is sent")
	}
	ref := mustCreate(t, target, adUser("jane", "E1", "principalName", "jane@example.org"))
	other := adUser("jane.doe", "E2")
	other.Attributes[1].Values = connector.Values{"jane"}
	_, err := target.Create(ctx, other)
	e := connector.AsError(err)
	require.Equal(t, connector.CodeAlreadyExists, e.Code, "%v", err)
	require.Equal(t, []string{"userName"}, e.Attributes)
	require.Equal(t, ref.ID, e.Conflicting.ID)
	_, err = target.Create(ctx, adUser("jack", "E3", "principalName", "JANE@example.org"))
	e = connector.AsError(err)
	require.Equal(t, connector.CodeAlreadyExists, e.Code, "%v", err)
	require.Equal(t, []string{"principalName"}, e.Attributes)
	require.Contains(t, e.NativeCode, "000021C8")
}

// QUIRKS LDAP-40
func TestPasswordsInActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp))
	ctx := context.Background()
	ref := mustCreate(t, target, adUser("jane", "E1"))
	set := func(target *Target, password string, must bool) error {
		return target.SetCredential(ctx, connector.SetCredential{Target: ref, Credential: connector.NewSecret(password), MustChange: must})
	}
	require.NoError(t, set(target, "Grüße!vq-Zr4#mWx7", true))
	require.Equal(t, "0", f.entry(cn(f, "jane")).First("pwdLastSet"), "it must be changed at the next sign-in")
	require.NoError(t, set(target, "Grüße!vq-Zr4#mWx7", false))
	require.True(t, f.CheckPassword(cn(f, "jane"), "Grüße!vq-Zr4#mWx7"))
	require.True(t, connector.IsCode(set(target, "simple", false), connector.CodePolicy))
	plain := f.open(f.config(corp, `"{url}"`, `"`+f.PlainURL()+`"`, `"bind_dn"`, `"allow_plaintext": ["127.0.0.1"], "bind_dn"`))
	f.ResetStats()
	err := set(plain, "kT9!vq-Zr4#mWx7", false)
	require.True(t, connector.IsCode(err, connector.CodeConfiguration), "%v", err)
	require.Zero(t, f.Stats().Ops[fakeldap.OpModify], "a password is never sent in clear")
	require.NotEmpty(t, Definition.Validate(f.config(corp, `"{url}"`, `"`+f.PlainURL()+`"`, `"bind_dn"`, `"allow_plaintext": ["127.0.0.1"], "bind_dn"`)), "and one is warned")
}

// QUIRKS LDAP-48
func TestProtectedAccountsOfActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp))
	ref := mustCreate(t, target, adUser("admin", "E1"))
	require.NoError(t, f.Set(cn(f, "admin"), "adminCount", "1"))
	f.ResetStats()
	for _, err := range []error{
		target.SetEnabled(context.Background(), connector.SetEnabled{Target: ref}),
		target.Delete(context.Background(), connector.Delete{Target: ref}),
		target.Update(context.Background(), connector.Update{Target: ref, Changes: []connector.Change{replace("displayName", "x")}}),
	} {
		require.True(t, connector.IsCode(err, connector.CodePolicy), "%v", err)
		require.ErrorContains(t, err, "adminCount")
	}
	require.Zero(t, f.Stats().Ops[fakeldap.OpModify]+f.Stats().Ops[fakeldap.OpDelete])
}

// QUIRKS LDAP-46: both spellings of never are no date.
func TestExpiryInActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	target := f.open(f.config(corp))
	ends := time.Date(2027, 3, 31, 22, 0, 0, 0, time.UTC)
	ref := mustCreate(t, target, adUser("jane", "E1", "accountExpires", ends))
	require.Equal(t, "134510040000000000", f.entry(cn(f, "jane")).First("accountExpires"))
	require.Equal(t, []any{ends}, []any(get(t, target, ref).Attributes.Get("accountExpires")))
	for _, never := range []string{"0", "9223372036854775807"} {
		require.NoError(t, f.Set(cn(f, "jane"), "accountExpires", never))
		require.Nil(t, get(t, target, ref).Attributes.Get("accountExpires"))
	}
}
