package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// group is a group whose members are people, or groups.
func group(anchor, name string, members ...string) identity.Identity {
	return identity.Identity{Key: identity.Key{Source: "hr", Kind: identity.Group, Anchor: anchor}, State: identity.Active, Name: "n-" + anchor,
		Attributes: identity.Attributes{"name": name}, Members: members, Hash: identity.Hash([]byte("0123456789abcdef"))}
}

// members are people whom groups call "n-" and their anchor.
func members(anchors ...string) []identity.Identity {
	out := people(anchors...)
	for i := range out {
		out[i].Name = "n-" + out[i].Anchor
	}
	return out
}

// Whose groups change is looked at again, and nobody else.
func TestMembershipChangesPullPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		g := read(t, o, append(members("1", "2", "3", "4"), group("a", "A", "n-1", "n-2"), group("b", "B", "n-3")))
		settle := func(g int64) {
			p := emptyPlan("p"+string(rune('a'+g)), g)
			_, err := o.SavePlan(ctx, p, store.PlanProposed, "test", now)
			require.NoError(t, err)
			_, err = o.ApplyPlan(ctx, p.Hash, "test", now)
			require.NoError(t, err)
			require.Empty(t, pending(t, o))
		}
		held := func(nested bool) map[string][]string {
			m, err := o.GroupsOf(ctx, "hr", []string{"1", "2", "3", "4"}, nested)
			require.NoError(t, err)
			return m
		}
		settle(g)
		require.Equal(t, map[string][]string{"1": {"a"}, "2": {"a"}, "3": {"b"}}, held(false))

		g = read(t, o, []identity.Identity{group("a", "A", "n-1", "n-4", "n-nobody")})
		require.ElementsMatch(t, []string{"a", "2", "4"}, pending(t, o), "who leaves and who joins")
		settle(g)
		require.Equal(t, map[string][]string{"1": {"a"}, "3": {"b"}, "4": {"a"}}, held(false))

		g = read(t, o, []identity.Identity{group("b", "B renamed", "n-3")})
		require.ElementsMatch(t, []string{"b", "3"}, pending(t, o), "a group with another name")
		settle(g)

		g = read(t, o, []identity.Identity{group("b", "B renamed", "n-3", "n-a")})
		require.ElementsMatch(t, []string{"b", "1", "4"}, pending(t, o), "a group that becomes a member")
		settle(g)
		require.Equal(t, map[string][]string{"1": {"a"}, "3": {"b"}, "4": {"a"}}, held(false))
		require.Equal(t, map[string][]string{"1": {"a", "b"}, "3": {"b"}, "4": {"a", "b"}}, held(true))
	})
}

// A group that is gone is kept with its date, and comes back as it was.
func TestVanishedGroupComesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		read(t, o, append(members("1", "2"), group("a", "A", "n-1", "n-2")))
		r, err := o.BeginReading(ctx, "hr")
		require.NoError(t, err)
		_, err = r.Commit(ctx, store.ReadingEnd{Snapshot: "s2", Vanished: []identity.Key{{Source: "hr", Kind: identity.Group, Anchor: "a"}}, Now: now})
		require.NoError(t, err)
		require.Contains(t, pending(t, o), "2")
		m, err := o.GroupsOf(ctx, "hr", []string{"1", "2"}, true)
		require.NoError(t, err)
		require.Empty(t, m)
		gone, err := o.Identities(ctx, "hr", identity.Group, []string{"a"})
		require.NoError(t, err)
		require.Equal(t, now.UTC(), gone["a"].AbsentSince.UTC())
		all, err := o.Groups(ctx, "hr")
		require.NoError(t, err)
		require.Empty(t, all)

		read(t, o, []identity.Identity{group("a", "A", "n-1", "n-2")})
		m, err = o.GroupsOf(ctx, "hr", []string{"1", "2"}, false)
		require.NoError(t, err)
		require.Equal(t, map[string][]string{"1": {"a"}, "2": {"a"}}, m)
	})
}
