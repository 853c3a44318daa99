package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// What is staged comes back beside what is stored, and takes nothing over.
func TestAReadingTellsWhatItWouldChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		who := func(anchor, boss, name string) identity.Identity {
			return identity.Identity{Key: hr(anchor), State: identity.Active, Position: "hr.csv:" + anchor, Reference: boss,
				Hash: identity.Hash([]byte(name + "0123456789abcdef")), Attributes: identity.Attributes{"name": name}}
		}
		read(t, o, []identity.Identity{who("1", "", "a"), who("2", "1", "b"), who("3", "1", "c"), who("4", "9", "d")})
		r, err := o.BeginReading(t.Context(), "hr")
		require.NoError(t, err)
		require.NoError(t, r.Stage(t.Context(), []identity.Identity{who("2", "3", "x"), who("5", "2", "e")}))
		var got []string
		require.NoError(t, r.Changes(t.Context(), func(before, after identity.Identity) error {
			require.Equal(t, before.Key, after.Key)
			got = append(got, after.Anchor+" "+before.Attributes.Text("name")+before.Reference+"→"+after.Attributes.Text("name")+after.Reference)
			require.Equal(t, after.Anchor == "5", before.Rev == 0)
			return nil
		}))
		require.Equal(t, []string{"2 b1→x3", "5 →e2"}, got)
		managers, err := r.References(t.Context(), []string{"1", "2", "3", "5", "9"}, false)
		require.NoError(t, err)
		require.Equal(t, map[string]store.Referring{"1": {"1", ""}, "2": {"2", "3"}, "3": {"3", "1"}, "5": {"5", "2"}}, managers, "staged before stored, and nobody for 9")
		require.NoError(t, r.Discard(t.Context()))
		named, err := o.NamedBy(t.Context(), "hr", []string{"1", "9", "4"})
		require.NoError(t, err)
		require.Equal(t, map[string]int{"1": 2, "9": 1}, named)
	})
}
