package ldap

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func mustDN(t testing.TB, text string) DN {
	d, err := ParseDN(text)
	require.NoError(t, err)
	return d
}

// QUIRKS LDAP-1
func TestNamesAreEscaped(t *testing.T) {
	people := mustDN(t, "ou=people,dc=example,dc=org")
	for value, want := range map[string]string{
		"jdoe":                "cn=jdoe",
		"Doe, Jane":           `cn=Doe\, Jane`,
		` a `:                 `cn=\ a\ `,
		" ":                   `cn=\ `,
		"#1":                  `cn=\#1`,
		`a"b+c;d<e>f\g=h`:     `cn=a\"b\+c\;d\<e\>f\\g\=h`,
		"line\nbreak\x00\x7f": `cn=line\0abreak\00\7f`,
		"Zoë Ж":               "cn=Zoë Ж",
		"half \xff":           `cn=half \ff`,
		"\u0085":              `cn=\c2\85`,
		"a,ou=admins":         `cn=a\,ou\=admins`,
		"\uFFFD":              "cn=\uFFFD",
	} {
		d := people.Child(NewRDN("cn", value))
		require.Equal(t, want+",ou=people,dc=example,dc=org", d.String())
		back := mustDN(t, d.String())
		require.Equal(t, value, back.RDN().Value("CN"), "%q came back", value)
		require.True(t, back.Parent().Equal(people))
	}
}

// QUIRKS LDAP-3
func TestNamesAreComparedAsTheServerDoes(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"uid=jdoe,ou=People,dc=Example,dc=org", "UID=JDoe, OU=people , dc=example,DC=ORG", true},
		{`cn=Doe\, Jane,dc=x`, `cn=Doe\2c Jane,dc=x`, true},
		{`cn=Doe\2C  Jane,dc=x`, `cn=doe\, jane,dc=x`, true},
		{"cn=Zoe\u0308,dc=x", "cn=Zoë,dc=x", true},
		{`cn=Z\c3\b6,dc=x`, "cn=ZÖ,dc=x", true},
		{"cn=a+sn=b,dc=x", "sn=B+cn=A,dc=x", true},
		{"cn=straße,dc=x", "cn=strasse,dc=x", false},
		{`cn=a\,dc\=x`, "cn=a,dc=x", false},
		{"cn=a,dc=x", "cn=a,dc=x,dc=y", false},
		{"cn=a,dc=x", "uid=a,dc=x", false},
	} {
		a, b := mustDN(t, tt.a), mustDN(t, tt.b)
		require.Equal(t, tt.same, a.Equal(b), "%s and %s", tt.a, tt.b)
		require.Equal(t, tt.same, a.Key() == b.Key(), "%s and %s", tt.a, tt.b)
	}
}

func TestNamesStandInATree(t *testing.T) {
	base := mustDN(t, "ou=people,dc=example,dc=org")
	require.True(t, mustDN(t, "uid=a,OU=People,dc=example,dc=org").Within(base))
	require.True(t, base.Within(base))
	require.True(t, base.Within(DN{}))
	require.False(t, mustDN(t, `uid=a\,ou\=people,dc=example,dc=org`).Within(base))
	require.False(t, mustDN(t, "dc=example,dc=org").Within(base))
	require.Equal(t, "", DN{}.String())
	require.True(t, DN{}.Parent().IsRoot())
	require.Nil(t, DN{}.RDN())
	for _, bad := range []string{"people", "=x", "ou=people,", `cn=\`, `cn=\zz`, "o u=x", "cn=a,,dc=b"} {
		_, err := ParseDN(bad)
		require.Error(t, err, bad)
	}
}

func TestAnyValueMakesOneName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := string(rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "value"))
		text := DN{}.Child(NewRDN("dc", "x")).Child(NewRDN("cn", value)).String()
		back, err := ParseDN(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := back.RDN().Value("cn"); got != value || len(back.rdns) != 2 {
			t.Fatalf("%q became %q by way of %q", value, got, text)
		}
		if strings.ContainsAny(text, "\x00\n\r") {
			t.Fatalf("%q holds control characters", text)
		}
	})
}

func FuzzParseDN(f *testing.F) {
	for _, s := range []string{"", "cn=a,dc=b", `cn=Doe\, Jane+sn=Doe,dc=b`, `cn=\ff\fe`, "cn=#0401ff,dc=x", `cn= \ a \ ;dc=x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDN(s)
		if err != nil {
			return
		}
		back, err := ParseDN(d.String())
		if err != nil || !back.Equal(d) {
			t.Errorf("%q: %q is read as %q, %v", s, d.String(), back.String(), err)
		}
		if !d.Within(d.Parent()) || len(d.rdns) > 0 && d.Parent().Within(d) {
			t.Errorf("%q does not stand below its parent", s)
		}
	})
}
