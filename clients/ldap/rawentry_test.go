package ldap

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/stretchr/testify/require"
)

// entryMessage makes a SearchResultEntry as go-asn1-ber writes it, which the reader of raw
// entries shares no code with.
func entryMessage(id int64, dn string, attributes ...Attribute) []byte {
	text := func(s string) *ber.Packet {
		return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
	}
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, a := range attributes {
		one := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		one.AppendChild(text(a.Name))
		values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range a.Values {
			values.AppendChild(text(v))
		}
		one.AppendChild(values)
		list.AppendChild(one)
	}
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchResultEntry, nil, "")
	entry.AppendChild(text(dn))
	entry.AppendChild(list)
	m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(entry)
	return m.Bytes()
}

func TestReadEntry(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for _, tc := range []struct {
		name string
		id   int64
		want []Attribute
	}{
		{"no attributes", 1, nil},
		{"values of every length", 7, []Attribute{{Name: "cn", Values: []string{"a", "", long, strings.Repeat("y", 200)}}, {Name: "photo", Values: []string{"\xff\x00"}}}},
		{"an attribute without values", 1 << 30, []Attribute{{Name: "member"}, {Name: "member;range=0-1", Values: []string{"a", "b"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := entryMessage(tc.id, "uid=ann,dc=x", tc.want...)
			require.EqualValues(t, tagEntry, operationOf(m))
			e, err := readEntry(string(m))
			require.NoError(t, err)
			require.Equal(t, rawEntry{dn: "uid=ann,dc=x", attributes: tc.want}, e)
		})
	}
	done := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	done.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 7, ""))
	done.AppendChild(ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchResultDone, nil, ""))
	require.False(t, new(entriesTaken).take(operationOf(done.Bytes()), done.Bytes()), "the end of a search is go-ldap's")
}

// Entries are taken while somebody takes them, whatever the pieces in which they come;
// all else passes unchanged.
func TestTap(t *testing.T) {
	first, second := entryMessage(1, "uid=a,dc=x", Attribute{Name: "cn", Values: []string{strings.Repeat("a", 300)}}), entryMessage(2, "uid=b,dc=x")
	other := []byte{0x30, 0x05, 0x02, 0x01, 0x03, 0x65, 0x00}
	ours, theirs := net.Pipe()
	tap := newTap(ours)
	go func() {
		for _, b := range slicesOf(bytes.Join([][]byte{first, other, second, first, other}, nil), 7) {
			_, _ = theirs.Write(b)
		}
		theirs.Close()
	}()
	read := func(n int) []byte {
		b := make([]byte, n)
		_, err := io.ReadFull(tap, b)
		require.NoError(t, err)
		return b
	}
	require.Equal(t, first, read(len(first)), "nobody takes entries yet")
	taken := &entriesTaken{}
	tap.give(taken)
	require.Equal(t, other, read(len(other)))
	require.Equal(t, other, read(len(other)))
	require.NoError(t, taken.err)
	require.Len(t, taken.entries, 2)
	require.Equal(t, "uid=b,dc=x", taken.entries[0].dn)
	_, err := tap.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func slicesOf(b []byte, n int) (out [][]byte) {
	for len(b) > n {
		out, b = append(out, b[:n]), b[n:]
	}
	return append(out, b)
}

func TestTapRefusesWhatIsNoMessage(t *testing.T) {
	for _, bad := range [][]byte{{0x30, 0x80, 0, 0}, {0x30, 0x85, 1, 1, 1, 1, 1, 1}, {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, {0x30, 0x05, 0x02}, {0x30}} {
		ours, theirs := net.Pipe()
		go func() { _, _ = theirs.Write(bad); theirs.Close() }()
		_, err := newTap(ours).Read(make([]byte, 10))
		require.Error(t, err)
	}
}

// What is cut short anywhere is an error, and never half an entry.
func FuzzReadEntry(f *testing.F) {
	whole := entryMessage(1, "uid=a,dc=x", Attribute{Name: "cn", Values: []string{"a", "b"}})
	f.Add(whole, 0)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		_, _ = readEntry(string(b))
		_ = operationOf(b)
		_ = toldEntry(string(b))
		_ = toldInfo(b)
		if cut > 0 {
			_, err := readEntry(string(whole[:len(whole)-1-cut%(len(whole)-1)]))
			require.Error(t, err)
		}
	})
}
