package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestHowLongAQueueHasBeenWaiting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		look := func() *store.QueueLook { return must(o.QueueLooks(t.Context()))["crm"] }
		require.Nil(t, look(), "nothing is open")
		for _, p := range []struct {
			hash, anchor string
			lane         plan.Lane
			age          time.Duration
		}{{"p1", "1", plan.LaneUrgent, 4 * time.Hour}, {"p2", "2", plan.LaneLeaver, 3 * time.Hour}, {"p3", "3", plan.LaneNormal, 2 * time.Hour}, {"p4", "4", plan.LaneNormal, time.Hour}} {
			pl := creates(p.hash, "crm", p.anchor)
			pl.Operations[0].Lane = p.lane
			_, err := o.SavePlan(t.Context(), pl, store.PlanProposed, "alice", now.Add(-p.age))
			require.NoError(t, err)
			_, err = o.ApplyPlan(t.Context(), p.hash, "alice", now.Add(-p.age))
			require.NoError(t, err)
		}
		ago := func(d time.Duration) time.Time { return now.Add(-d) }
		require.Equal(t, &store.QueueLook{
			Open:    map[store.OpState]store.Count{store.OpReady: {N: 4}},
			Oldest:  map[plan.Lane]time.Time{plan.LaneUrgent: ago(4 * time.Hour), plan.LaneLeaver: ago(3 * time.Hour), plan.LaneNormal: ago(2 * time.Hour)},
			Leavers: store.Count{N: 2}, LeaverSince: ago(4 * time.Hour),
		}, look())

		ops := send(t, o, lease(t, o, 3))
		failed := func(op store.OpRow, s store.OpState, code connector.Code) store.Finish {
			f := store.Finish{ID: op.ID, Fence: op.Fence, State: s, Now: now, Err: &connector.Error{Code: code}}
			if s == store.OpRetry {
				f.NextAttemptAt = now.Add(time.Minute)
			}
			return f
		}
		finish(t, o, failed(ops[0], store.OpParked, connector.CodeInvalidValue), failed(ops[1], store.OpRetry, connector.CodeDependencyMissing),
			failed(ops[2], store.OpRetry, connector.CodeUnavailable))
		require.Equal(t, &store.QueueLook{
			Open:    map[store.OpState]store.Count{store.OpReady: {N: 1}, store.OpParked: {N: 1}, store.OpRetry: {N: 2}},
			Oldest:  map[plan.Lane]time.Time{plan.LaneNormal: ago(time.Hour)},
			Failing: ago(2 * time.Hour), // the one that waits for something else does not fail
			Leavers: store.Count{N: 1}, LeaverSince: ago(3 * time.Hour),
			ParkedLeavers: store.Count{N: 1}, ParkedSince: ago(4 * time.Hour),
		}, look())
	})
}

func TestWhenAnOperationWasLastDone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		require.Zero(t, must(o.LastDone(t.Context(), "crm")))
		apply(t, o, creates("p1", "crm", "1"))
		carryOut(t, o)
		require.Equal(t, now, must(o.LastDone(t.Context(), "crm")))
		require.Zero(t, must(o.LastDone(t.Context(), "wiki")))
	})
}

func TestTheDatabaseHasASize(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		require.Greater(t, must(o.Size(t.Context())), int64(100_000))
	})
}

func TestTransactionsAreObserved(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		seen := map[string]error{}
		o := storetest.Open(t, url, store.WithObserver(func(name string, took time.Duration, err error) {
			require.Positive(t, took)
			seen[name] = err
		}))
		apply(t, o, creates("p1", "crm", "1"))
		carryOut(t, o)
		require.Contains(t, seen, "finish")
		for name, err := range seen {
			require.NoError(t, err, name)
			require.Regexp(t, `^[a-z.]+$`, name)
		}
		require.Error(t, o.EndRun(t.Context(), store.Run{Kind: "cycle", Subject: "hr"}))
		require.ErrorIs(t, seen["run.end"], store.ErrNotFound)
	})
}
