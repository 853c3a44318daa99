package ldap

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// QUIRKS LDAP-24, LDAP-46
func TestValuesOfDirectories(t *testing.T) {
	at := time.Date(2026, 4, 1, 0, 0, 0, 0, time.FixedZone("CEST", 7200))
	require.Equal(t, "20260331220000Z", FormatTime(at))
	for in, want := range map[string]time.Time{
		"20260331220000Z": at.UTC(), "20260401000000+0200": at.UTC(), "20260331220000.5Z": at.UTC().Add(500 * time.Millisecond), "202603312200Z": at.UTC(),
	} {
		got, err := ParseTime(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	_, err := ParseTime("yesterday")
	require.Error(t, err)

	require.Equal(t, "116444736000000000", FormatFileTime(time.Unix(0, 0)))
	require.Equal(t, FileTimeNever, FormatFileTime(time.Time{}))
	for _, never := range []string{"0", FileTimeNever} {
		got, err := ParseFileTime(never)
		require.NoError(t, err)
		require.True(t, got.IsZero())
	}
	got, err := ParseFileTime(FormatFileTime(at))
	require.NoError(t, err)
	require.Equal(t, at.UTC(), got)
	for _, bad := range []string{"", "-1", "x"} {
		_, err := ParseFileTime(bad)
		require.Error(t, err, bad)
	}

	require.Equal(t, "TRUE", FormatBool(true))
	for in, want := range map[string]bool{"TRUE": true, "true": true, "FALSE": false, "False": false} {
		got, err := ParseBool(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = ParseBool("yes")
	require.Error(t, err)
}

func TestGUIDs(t *testing.T) {
	b := []byte{0xe0, 0x04, 0x25, 0x3f, 0x89, 0x4f, 0xd3, 0x11, 0x9a, 0x0c, 0x03, 0x05, 0xe8, 0x2c, 0x33, 0x01}
	text, err := GUIDText(b)
	require.NoError(t, err)
	require.Equal(t, "3f2504e0-4f89-11d3-9a0c-0305e82c3301", text)
	for _, in := range []string{text, "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "3f2504e04f8911d39a0c0305e82c3301"} {
		back, err := GUIDBytes(in)
		require.NoError(t, err)
		require.Equal(t, b, back)
	}
	for _, bad := range []string{"", "3f2504e0", "zf2504e0-4f89-11d3-9a0c-0305e82c3301"} {
		_, err := GUIDBytes(bad)
		require.Error(t, err, bad)
	}
	_, err = GUIDText([]byte("short"))
	require.Error(t, err)
}

func TestRangesOfValues(t *testing.T) {
	for in, want := range map[string]struct {
		name   string
		next   int
		ranged bool
	}{
		"member": {"member", 0, false}, "member;range=0-1499": {"member", 1500, true}, "member;range=1500-*": {"member", 0, true},
		"userCertificate;binary": {"userCertificate;binary", 0, false}, "cn;lang-de;range=0-9": {"cn;lang-de", 10, true},
	} {
		name, next, ranged := cutRange(in)
		require.Equal(t, want.name, name, in)
		require.Equal(t, want.next, next, in)
		require.Equal(t, want.ranged, ranged, in)
	}
}
