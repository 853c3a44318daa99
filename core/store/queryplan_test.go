package store_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// wholeOrg is a step of a query plan that reads all rows of an org in a table
// which grows with it.
var wholeOrg = regexp.MustCompile(`^(SCAN|SEARCH) (identity|account|grant_edge|operation|attempt|audit|o|n|i|a|x|g)( USING (COVERING )?INDEX \w+ \(org_id=\?\))?$`)

// A worker's writes must cost the same in an org of a thousand people and in one
// of a million.
func TestNoWriteWalksAWholeOrg(t *testing.T) {
	require.Regexp(t, wholeOrg, "SEARCH operation USING INDEX operation_seq (org_id=?)")
	require.Regexp(t, wholeOrg, "SCAN o")
	o := storetest.New(t)
	live(t, o)
	plans, err := store.QueryPlans(t.Context(), o)
	require.NoError(t, err)
	require.Greater(t, len(plans), 30)
	for q, steps := range plans {
		for _, step := range steps {
			require.NotRegexp(t, wholeOrg, step, q)
		}
	}
}
