package ldap

import (
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// QUIRKS LDAP-2
func TestFiltersAreBuiltFromParts(t *testing.T) {
	for _, tt := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, "(objectClass=*)"},
		{Equal("uid", "a*)(uid=*"), `(uid=a\2a\29\28uid=\2a)`},
		{Equal("cn", `a\b`+"\x00"), `(cn=a\5cb\00)`},
		{EqualBytes("objectGUID", []byte{0, 0x2a, 0xff}), `(objectGUID=\00\2a\ff)`},
		{Present("mail"), "(mail=*)"},
		{AtLeast("modifyTimestamp", "20260331220000Z"), "(modifyTimestamp>=20260331220000Z)"},
		{AtMost("n", "7"), "(n<=7)"},
		{Not(Equal("a", "b")), "(!(a=b))"},
		{And(), "(objectClass=*)"},
		{And(Equal("a", "1")), "(a=1)"},
		{And(Equal("a", "1"), Or(Equal("b", "2"), Equal("b", "3"))), "(&(a=1)(|(b=2)(b=3)))"},
		{Or(), "(|)"},
	} {
		require.NoError(t, tt.f.err)
		require.Equal(t, tt.want, tt.f.String())
	}
	require.Error(t, And(Equal("a", "b"), Not(Equal("a)(b", "x"))).err, "an attribute that is none")
	_, err := ParseFilter("(objectClass=person")
	require.ErrorContains(t, err, "is not a filter")
	f, err := ParseFilter("(&(objectClass=person)(!(cn=x)))")
	require.NoError(t, err)
	require.Equal(t, "(&(objectClass=person)(!(cn=x)))", f.String())
}

// FuzzEqual: whatever the value, the filter is one comparison with that value.
func FuzzEqual(f *testing.F) {
	for _, s := range []string{"", "*", "a*)(uid=*", "\\", "\x00", "(", "Zoë", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, text := range []string{Equal("cn", value).String(), EqualBytes("cn", []byte(value)).String()} {
			p, err := goldap.CompileFilter(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if p.Tag != goldap.FilterEqualityMatch || p.Children[1].Data.String() != value {
				t.Errorf("%q became %q with tag %d", value, text, p.Tag)
			}
		}
	})
}
