package store_test

import (
	"strconv"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// A new ledger is looked at once it has grown, so that its lookups go by index
// long before the server would look by itself.
func TestPostgresIsToldThatTheLedgerGrew(t *testing.T) {
	url := storetest.PostgresURL(t)
	o := storetest.Open(t, url)
	db, err := sqlx.Open("pgx", url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	known := func() (n int) {
		require.NoError(t, db.Get(&n, `SELECT reltuples FROM pg_class WHERE oid = 'account'::regclass`))
		return n
	}
	var anchors []string
	for n := range 1200 {
		anchors = append(anchors, strconv.Itoa(n))
	}
	apply(t, o, creates("p1", "crm", anchors...))
	require.Less(t, known(), 1000)
	for ops := send(t, o, lease(t, o, 200)); len(ops) > 0; ops = send(t, o, lease(t, o, 200)) {
		var fs []store.Finish
		for _, op := range ops {
			fs = append(fs, done(op))
		}
		require.Empty(t, finish(t, o, fs...))
	}
	require.GreaterOrEqual(t, known(), 1000)
}
