package ldap

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSubschemaIsRead(t *testing.T) {
	s := ParseSubschema([]string{
		"( 2.5.4.41 NAME 'name' DESC 'it\\27s (odd)' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
		"( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )",
		"( 2.16.840.1.113730.3.1.241 NAME 'displayName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )",
		"( 1.3.6.1.1.16.4 NAME 'entryUUID' EQUALITY UUIDMatch SYNTAX 1.3.6.1.1.16.1 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
		"( 9.9 NAME 'loop' SUP loop )", "nonsense", "( 1.2.3 DESC 'without a name' )", "( ", "",
	}, []string{
		"( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( userPassword $ description ) )",
		"( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
		"( 2.16.840.1.113730.3.2.2 NAME 'inetOrgPerson' SUP person STRUCTURAL MAY ( displayName $ 2.5.4.3 ) X-ORIGIN 'RFC 2798' )",
	})
	cn := s.Attribute("commonName")
	require.Equal(t, []string{"cn", "commonName"}, cn.Names)
	require.Equal(t, "caseIgnoreMatch", cn.Equality)
	require.Equal(t, 32768, cn.MaxLength)
	require.False(t, cn.Single)
	require.True(t, s.Attribute("DISPLAYNAME;lang-de").Single)
	require.True(t, s.Attribute("entryUUID").ReadOnly)
	require.True(t, s.Attribute("entryUUID").Operation)
	require.NotNil(t, s.Attribute("loop"))
	require.Nil(t, s.Attribute("nosuch"))

	for attribute, want := range map[string][2]bool{"commonName": {true, true}, "sn": {true, true}, "displayName": {true, false}, "objectClass": {true, true}, "mail": {false, false}} {
		may, must := s.Allows([]string{"inetOrgPerson"}, attribute)
		require.Equal(t, want, [2]bool{may, must}, attribute)
	}
	require.Equal(t, []string{"posixAccount"}, s.Unknown([]string{"person", "posixAccount"}))
}

// FuzzSubschema: whatever a server publishes, reading it ends.
func FuzzSubschema(f *testing.F) {
	f.Add("( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )")
	f.Add("( 1 NAME 'x' SUP ( a $ b ) MUST ( ")
	f.Add("(((((")
	f.Fuzz(func(t *testing.T, text string) {
		s := ParseSubschema([]string{text}, []string{text})
		for name := range s.attributes {
			s.Attribute(name)
		}
		for name := range s.classes {
			s.Allows([]string{name}, "cn")
		}
	})
}
