package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// QUIRKS LDAP-4: who is renamed stays who they are to groups and people that name
// them, which a delta does not tell.
func TestWhoIsRenamedIsNamedStill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		staff := append(members("1", "2", "3"), group("a", "A", "n-1", "n-2"), group("b", "B", "n-1", "n-a"))
		staff[2].Reference = "n-1"
		read(t, o, staff)
		renamed := func(partial bool, names ...string) { // anchor, name, anchor, name …
			r, err := o.BeginReading(ctx, "hr")
			require.NoError(t, err)
			var ids []identity.Identity
			for i := 0; i < len(names); i += 2 {
				id := members(names[i])[0]
				id.Name = names[i+1]
				ids = append(ids, id)
			}
			require.NoError(t, r.Stage(ctx, ids))
			_, err = r.Commit(ctx, store.ReadingEnd{Snapshot: "s", Now: now, Partial: partial})
			require.NoError(t, err)
		}
		held := func() map[string][]string {
			m, err := o.GroupsOf(ctx, "hr", []string{"1", "2", "3"}, true)
			require.NoError(t, err)
			return m
		}
		manager := func() string {
			ids, err := o.Identities(ctx, "hr", identity.Person, []string{"3"})
			require.NoError(t, err)
			anchors, err := o.AnchorsNamed(ctx, "hr", []string{ids["3"].Reference})
			require.NoError(t, err)
			return anchors[ids["3"].Reference]
		}
		before := map[string][]string{"1": {"a", "b"}, "2": {"a", "b"}}
		require.Equal(t, before, held())
		require.Equal(t, "1", manager())

		renamed(true, "1", "new")
		require.Equal(t, before, held())
		require.Equal(t, "1", manager())
		require.Contains(t, pending(t, o), "3", "who names somebody renamed is looked at")

		renamed(true, "1", "n-2", "2", "new")
		require.Equal(t, before, held(), "two who exchange their names")
		require.Equal(t, "1", manager())

		var forgotten []string
		require.NoError(t, o.Index(ctx, "hr", func(kind identity.Kind, anchor []byte, hash identity.Hash) error {
			if hash == (identity.Hash{}) {
				forgotten = append(forgotten, string(kind)+" "+string(anchor))
			}
			return nil
		}))
		require.ElementsMatch(t, []string{"group a", "group b", "person 3"}, forgotten, "the next whole reading takes over what they say")

		renamed(false, "2", "other")
		require.Equal(t, map[string][]string{"1": {"a", "b"}}, held(), "a whole reading has told of the groups")
	})
}
