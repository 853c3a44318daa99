package store_test

import (
	"crypto/sha256"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestTheIndexHoldsEverybodyOnceWithTheirHash(t *testing.T) {
	hashOf := func(anchor string) (h identity.Hash) {
		sum := sha256.Sum256([]byte(anchor))
		copy(h[:], sum[:])
		return h
	}
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		var ids []identity.Identity
		want := map[string]identity.Hash{}
		for n := range 3000 {
			i := person(n)
			i.Hash = hashOf(i.Anchor)
			if n%100 == 0 {
				i.Kind = identity.Group
			}
			ids = append(ids, i)
			want[string(i.Kind)+"/"+i.Anchor] = i.Hash
		}
		for n, first := range []byte{0x00, 0x7f, 0x80, 0xff} { // at the edges of the halves
			i := person(9000 + n)
			i.Hash = identity.Hash{first}
			ids = append(ids, i)
			want["person/"+i.Anchor] = i.Hash
		}
		read(t, o, ids)
		got := map[string]identity.Hash{}
		yields := 0
		require.NoError(t, o.Index(t.Context(), "hr", func(kind identity.Kind, anchor []byte, hash identity.Hash) error {
			yields++
			got[string(kind)+"/"+string(anchor)] = hash
			return nil
		}))
		require.Equal(t, want, got)
		require.Equal(t, len(want), yields, strconv.Itoa(yields)+" were yielded")
	})
}
