package ldap

import (
	"context"
	"fmt"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever a directory holds, a synchronization over the wire tells the same entries as a
// listing does, and the same as go-ldap reads, however it is encrypted.
func TestSyncTellsWhatAListingLists(t *testing.T) {
	o := options(t)
	c := open(t, o)
	overStartTLS := o
	overStartTLS.URLs = []string{env(t, "PROVHUB_TEST_LDAP_URL")}
	clients := map[string]*Client{"LDAPS": c, "StartTLS": open(t, overStartTLS)}
	value := rapid.StringMatching(`[a-zA-Zäöü,+"\\#;<>=/ ]{1,20}x`)
	rapid.Check(t, func(r *rapid.T) {
		base := unit(t, c)
		for i := range rapid.IntRange(0, 12).Draw(r, "people") {
			uid := fmt.Sprint(i, value.Draw(r, "uid"))
			p := append(person(uid), Attribute{Name: "description", Values: rapid.SliceOfNDistinct(value, 1, 4, Fold).Draw(r, "description")})
			require.NoError(t, c.Add(t.Context(), base.Child(NewRDN("uid", uid)), p))
		}
		s := Search{Base: base, Filter: Present("objectClass"), Attributes: []string{"*", "entryUUID", "modifyTimestamp"}, PageSize: 5}
		want := map[string]Entry{}
		for _, e := range must(c.Find(t.Context(), s)) {
			want[e.First("entryUUID")] = e
		}
		for how, c := range clients {
			listed := map[string]Entry{}
			end, err := c.List(t.Context(), s, func(e Entry) error { listed[e.First("entryUUID")] = e; return nil })
			require.NoError(t, err)
			require.True(t, end.Complete)
			require.Equal(t, want, listed, how)
			told := map[string]Entry{}
			cookie, err := c.Sync(t.Context(), s, nil, func(x Synced) error { told[x.ID] = x.Entry; return nil })
			require.NoError(t, err)
			require.NotEmpty(t, cookie)
			require.Equal(t, want, told, how)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A consumer that stops ends the synchronization, whatever is still on its way.
func TestSyncStopsAtTheFirstError(t *testing.T) {
	c := open(t, options(t))
	base := unit(t, c)
	for i := range 5 {
		uid := fmt.Sprint("p", i)
		require.NoError(t, c.Add(t.Context(), base.Child(NewRDN("uid", uid)), person(uid)))
	}
	s := Search{Base: base, Filter: Equal("objectClass", "inetOrgPerson")}
	n := 0
	_, err := c.Sync(t.Context(), s, nil, func(Synced) error { n++; return context.DeadlineExceeded })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 1, n)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = c.Sync(ctx, s, nil, func(Synced) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
}

// wire makes an LDAP message around an operation; controls nil: none.
func wire(operation *ber.Packet, controls ...*ber.Packet) string {
	m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(2), ""))
	m.AppendChild(operation)
	if controls != nil {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c)
		}
		m.AppendChild(list)
	}
	return string(m.Bytes())
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func sequence(parts ...*ber.Packet) *ber.Packet {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, x := range parts {
		p.AppendChild(x)
	}
	return p
}

func entryOperation(dn string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(octets(dn))
	p.AppendChild(sequence())
	return p
}

func TestEntriesCarryTheirState(t *testing.T) {
	id := "\x3f\x25\x04\xe0\x4f\x89\x11\xd3\x9a\x0c\x03\x05\xe8\x2c\x33\x01"
	state := func(parts ...*ber.Packet) string { return string(sequence(parts...).Bytes()) }
	modified := ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(goldap.SyncStateModify), "")
	critical := ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, "")
	whole := syncState{state: goldap.SyncStateModify, id: "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}
	withCookie := whole
	withCookie.cookie = []byte("c")
	oid := octets(goldap.ControlTypeSyncState)
	for _, tc := range []struct {
		name     string
		controls []*ber.Packet
		want     syncState
		err      error
	}{
		{"no controls", nil, syncState{}, nil},
		{"another control", []*ber.Packet{sequence(octets("1.2.3"))}, syncState{}, nil},
		{"without a cookie", []*ber.Packet{sequence(oid, octets(state(modified, octets(id))))}, whole, nil},
		{"after another, with criticality and cookie", []*ber.Packet{sequence(octets("1.2.3"), octets("x")), sequence(oid, critical, octets(state(modified, octets(id), octets("c"))))}, withCookie, nil},
		{"an id that is too short", []*ber.Packet{sequence(oid, octets(state(modified, octets(id[1:]))))}, syncState{}, errNoEntry},
		{"no id", []*ber.Packet{sequence(oid, octets(state(modified)))}, syncState{}, errNoEntry},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := toldEntry(wire(entryOperation("uid=a,dc=x"), tc.controls...))
			require.ErrorIs(t, got.err, tc.err)
			require.Equal(t, tc.want, got.state)
			require.Equal(t, "uid=a,dc=x", got.entry.dn)
		})
	}
}

// A flow holds one batch and no more, keeps the order, and leaves the end to go-ldap.
func TestFlow(t *testing.T) {
	quit := make(chan struct{})
	f := &flow{out: make(chan []told), quit: quit}
	one := []byte(wire(entryOperation("uid=a,dc=x")))
	go func() {
		for range 2*toldBatch + 1 {
			f.take(tagEntry, one)
		}
		f.pause()
		close(f.out)
	}()
	var sizes []int
	for b := range f.out {
		sizes = append(sizes, len(b))
	}
	require.Equal(t, []int{toldBatch, toldBatch, 1}, sizes)
	require.False(t, f.take(0x65, nil), "the end of a search is go-ldap's")

	f = &flow{out: make(chan []told), quit: quit}
	close(quit)
	for range 3 * toldBatch {
		require.True(t, f.take(tagEntry, one), "nobody is there any more")
	}
}
