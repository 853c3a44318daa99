package daemon_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
)

// A stop in mid-run begins nothing more, ends what is under way and leaves nothing in
// doubt; the next node goes on.
func TestStopInMidRun(t *testing.T) {
	each(t, []string{"crm"}, func(t *testing.T, l *lab) {
		rows, want := staff(1500)
		l.people(rows...)
		n := l.start("a")
		l.within(60*time.Second, "it sends", func() bool { return len(l.accounts("crm")) > 100 })
		began := time.Now()
		n.close()
		require.Less(t, time.Since(began), 45*time.Second)
		had := len(l.accounts("crm"))
		require.Less(t, had, 1500, "it was stopped in mid-run")

		next := l.open("b")
		counts, err := next.hub.State().OperationCounts(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[store.OpState]int{store.OpDone: had, store.OpReady: 1500 - had}, counts["crm"])
		next.run("b")
		l.eventually("crm", want)
		next.drained()
	})
}

// What does not end in time is given up, and looked up by the next node.
func TestStopDoesNotWaitForEver(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm")
	var rows []string
	want := map[string]bool{}
	for i := range 5 {
		rows, want[fmt.Sprintf("p%d", i)] = append(rows, fmt.Sprintf("%d,p%d,here", i, i)), true
	}
	l.people(rows...)
	l.timeout = "10m"
	db := l.db("crm")
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil) // nobody else writes meanwhile
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `INSERT INTO app_user (login) VALUES ('lock')`)
	require.NoError(t, err)
	n := l.start("a")
	l.within(90*time.Second, "something is under way", func() bool {
		counts, err := n.State().OperationCounts(t.Context())
		require.NoError(t, err)
		return counts["crm"][store.OpSent] > 0
	})
	began := time.Now()
	n.close()
	require.Less(t, time.Since(began), 50*time.Second)
	require.NoError(t, tx.Rollback())
	l.start("b")
	l.eventually("crm", want)
}
