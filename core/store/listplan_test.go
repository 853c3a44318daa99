package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// Lists must cost the same in a queue of a thousand operations and in one of a
// million: each query goes in by an index, by more than the org.
func TestNoListWalksAWholeQueue(t *testing.T) {
	o := storetest.New(t)
	seen := 0
	for _, l := range lists(smallQueue) {
		if l.name == "counts of all" {
			continue // it is asked for by tests only
		}
		plans, err := store.ReadPlans(t.Context(), o, func() error { return l.read(t.Context(), o) })
		require.NoError(t, err, l.name)
		for q, steps := range plans {
			for _, step := range steps {
				// That index holds only what failed, and MIN reads the first entry of its own.
				if strings.Contains(step, "operation_failed") || strings.Contains(q, "SELECT MIN(connector)") {
					continue
				}
				require.NotRegexp(t, wholeOrg, step, "%s: %s", l.name, q)
			}
			seen++
		}
	}
	require.Greater(t, seen, 40)
}

func TestSomebodyIsFoundByTheAnchorWithoutALookAtEverybody(t *testing.T) {
	o := storetest.New(t)
	live(t, o)
	plans, err := store.ReadPlans(t.Context(), o, func() error {
		found, err := o.FindIdentities(t.Context(), "1", 5)
		require.Len(t, found, 1)
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, plans)
	for q, steps := range plans {
		for _, step := range steps {
			require.NotRegexp(t, wholeOrg, step, q)
		}
	}
}
