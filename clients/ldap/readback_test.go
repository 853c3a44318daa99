package ldap

import (
	"fmt"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// What an add brings back is what a read finds, however the name is spelled and however
// many are under way.
func TestAddAndReadOnARealServer(t *testing.T) {
	c := open(t, options(t))
	base := unit(t, c)
	read := []string{"objectClass", "uid", "cn", "entryUUID", "entryCSN", "modifyTimestamp", "noSuchAttribute"}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			uid := fmt.Sprintf(` Döe, "Jane" #%d+<\>`, i) + "x"
			dn := base.Child(NewRDN("UID", uid))
			e, err := c.AddAndRead(t.Context(), dn, person(uid), read)
			if err != nil || e == nil {
				t.Errorf("%v, %v", e, err)
				return
			}
			found, err := c.Find(t.Context(), Search{Base: dn, Scope: ScopeBase, Attributes: read})
			if err != nil || len(found) != 1 {
				t.Errorf("%v, %v", found, err)
				return
			}
			if fmt.Sprint(*e) != fmt.Sprint(found[0]) || len(e.First("entryUUID")) != 36 {
				t.Errorf("%v is not %v", *e, found[0])
			}
		})
	}
	wg.Wait()
	dn := base.Child(NewRDN("uid", "twice"))
	_, err := c.AddAndRead(t.Context(), dn, person("twice"), read)
	require.NoError(t, err)
	e, err := c.AddAndRead(t.Context(), dn, person("twice"), read)
	require.True(t, connector.IsCode(err, connector.CodeAlreadyExists), "%v", err)
	require.Nil(t, e)
	for _, cn := range c.pool.conns {
		require.Empty(t, cn.readBacks.of, "nothing is kept")
	}
}

func TestReadBacks(t *testing.T) {
	added := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 9, nil, "AddResponse")
	entry := func(tag byte) *ber.Packet {
		b := entryOperation("UID=A, dc=x").Bytes()
		b[0] = tag
		return octets(string(b))
	}
	dn := mustDN(t, "uid=a,dc=x")
	for _, tc := range []struct {
		name     string
		controls []*ber.Packet
		found    bool
	}{
		{"no controls", nil, false},
		{"as the RFC has it", []*ber.Packet{sequence(octets(OIDPostRead), entry(tagEntry))}, true},
		{"as OpenLDAP has it", []*ber.Packet{sequence(octets("1.2.3")), sequence(octets(OIDPostRead), entry(tagSequence))}, true},
		{"without an entry", []*ber.Packet{sequence(octets(OIDPostRead), octets(""))}, false},
		{"what is no entry", []*ber.Packet{sequence(octets(OIDPostRead), octets("\x30\x7fx"))}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, m := newReadBacks(), []byte(wire(added, tc.controls...))
			require.False(t, r.take(operationOf(m), m), "the answer is go-ldap's")
			require.Empty(t, r.of, "nobody expects it")
			r.expect(dn.Key())
			require.False(t, r.take(operationOf(m), m))
			require.Equal(t, tc.found, r.claim(dn.Key()) != nil)
			require.Empty(t, r.of)
		})
	}
}
