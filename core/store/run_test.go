package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestRuns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		since, err := o.Counted(ctx, "cycle", "hr", noon)
		require.NoError(t, err)
		require.Equal(t, noon, since, "counting begins")
		_, err = o.LastRun(ctx, "cycle", "hr")
		require.ErrorIs(t, err, store.ErrNotFound)

		first := store.Run{Kind: "cycle", Subject: "hr", StartedAt: noon.Add(time.Second), Slot: noon.Add(time.Minute), Missed: 2, Why: "schedule", Node: "a/1"}
		began, err := o.BeginRun(ctx, first)
		require.NoError(t, err)
		require.True(t, began)
		again := first
		again.StartedAt = noon.Add(2 * time.Second)
		began, err = o.BeginRun(ctx, again)
		require.NoError(t, err)
		require.False(t, began, "the slot was run")
		since, err = o.Counted(ctx, "cycle", "hr", noon.Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, first.Slot, since)

		open, err := o.OpenRuns(ctx)
		require.NoError(t, err)
		require.Equal(t, []store.Run{first}, open)
		first.EndedAt, first.Outcome, first.Summary = noon.Add(time.Minute), store.RunDone, "3 operations"
		require.NoError(t, o.EndRun(ctx, first))
		require.ErrorIs(t, o.EndRun(ctx, first), store.ErrNotFound, "it has ended")

		// One that was asked for has no slot; while it is open, its node goes away.
		asked := store.Run{Kind: "cycle", Subject: "hr", StartedAt: noon.Add(2 * time.Minute), Why: "alice", Node: "a/1"}
		next := store.Run{Kind: "cycle", Subject: "hr", StartedAt: noon.Add(3 * time.Minute), Why: "bob", Node: "b/1"}
		for _, r := range []store.Run{asked, next} {
			began, err = o.BeginRun(ctx, r)
			require.NoError(t, err)
			require.True(t, began)
		}
		_, err = o.BeginRun(ctx, store.Run{Kind: "reconcile", Subject: "crm", StartedAt: noon, Why: "schedule", Node: "a/1"})
		require.NoError(t, err)
		rs, err := o.Runs(ctx, store.RunFilter{Kind: "cycle"})
		require.NoError(t, err)
		asked.EndedAt, asked.Outcome, asked.Summary = next.StartedAt, store.RunInterrupted, "its node went away"
		require.Equal(t, []store.Run{next, asked, first}, rs)
		rs, err = o.Runs(ctx, store.RunFilter{Before: first.StartedAt, Limit: 1})
		require.NoError(t, err)
		require.Len(t, rs, 1)
		require.Equal(t, "crm", rs[0].Subject)
		last, err := o.LastRun(ctx, "cycle", "hr")
		require.NoError(t, err)
		require.Equal(t, next, last)
	})
}
