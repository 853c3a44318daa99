package hub_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// A plan about somebody who has changed in the directory since is refused, before
// anything is sent; what changed about others does not matter.
func TestAPlanIsRefusedWhenItsPeopleChangedInTheDirectory(t *testing.T) {
	for _, way := range []string{"auto", "timestamp"} {
		t.Run(way, func(t *testing.T) {
			d := newDirectoryAt(t, polled(way))
			d.add("ann", "1")
			d.add("bo", "2")
			d.sync()
			plan := func() string {
				ps, err := d.hub.Plan(t.Context(), hub.PlanOptions{})
				require.NoError(t, err)
				return ps[0].Plan.Hash
			}
			d.retitle("ann", "Clerk")
			hash := plan()
			d.retitle("bo", "Chief")
			n, err := d.hub.Apply(t.Context(), hash)
			require.NoError(t, err, "nobody else stops it")
			require.Equal(t, 1, n)
			d.sync()

			d.retitle("ann", "Cook")
			hash = plan()
			d.retitle("ann", "Chef")
			_, err = d.hub.Apply(t.Context(), hash)
			var drift *store.DriftError
			require.ErrorAs(t, err, &drift)
			require.ErrorContains(t, err, "1 of those it is about have changed in the source directory since, such as 1")
			what, _ := d.sync()
			require.Equal(t, "update 1", what)

			if way == "timestamp" {
				return // who is gone is told by the next whole reading
			}
			d.add("cy", "3")
			hash = plan()
			require.NoError(t, d.client.Delete(t.Context(), d.dn("cy")))
			_, err = d.hub.Apply(t.Context(), hash)
			require.ErrorAs(t, err, &drift, "nobody gets an account who is gone by now")
		})
	}
}

// A preview shows people with the groups that they are in, also through others, and
// takes nothing over.
func TestPreviewShowsGroupsOfADirectory(t *testing.T) {
	d := newDirectory(t)
	d.add("ann", "1")
	d.add("bo", "2")
	sales := d.group("sales", d.dn("ann"))
	d.group("everybody", sales, d.dn("bo"))
	for _, tc := range []struct {
		anchor string
		want   []string
	}{{"1", []string{"everybody", "sales"}}, {"2", []string{"everybody"}}} {
		seen, err := d.hub.Preview(t.Context(), "directory", tc.anchor, 1)
		require.NoError(t, err)
		require.Len(t, seen, 1)
		require.Equal(t, tc.want, seen[0].Attributes["groups"])
	}
	all, err := d.hub.Preview(t.Context(), "directory", "", 10)
	require.NoError(t, err)
	require.Len(t, all, 2)
	views, err := d.hub.Sources(t.Context())
	require.NoError(t, err)
	require.Zero(t, views[0].People, "nothing was taken over")
}
