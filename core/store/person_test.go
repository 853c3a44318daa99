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

// parked makes one operation that was parked after some attempts.
func parked(t *testing.T, o *store.Org) store.OpRow {
	t.Helper()
	apply(t, o, creates("p1", "crm", "1"))
	op := send(t, o, lease(t, o, 1))[0]
	finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpParked, Now: now, CountAttempt: true, StepsDone: 1,
		Err: connector.Errorf(connector.CodeInvalidValue, "refused"), Attempt: &store.Attempt{StartedAt: now, Outcome: connector.OutcomeFailed}})
	return op
}

func TestAPersonRetriesBesideARunningWorker(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		worker, helpdesk := storetest.Open(t, url), storetest.Open(t, url)
		release, err := worker.Work(t.Context(), "serve")
		require.NoError(t, err)
		defer release()
		op := parked(t, worker)
		require.NoError(t, helpdesk.RetryOperation(t.Context(), op.ID[:4], "bob", now))
		again := lease(t, worker, 1)[0]
		require.Equal(t, []any{0, 1}, []any{again.Attempts, again.StepsDone}, "its attempts are forgotten, what was done is not")
		err = helpdesk.RetryOperation(t.Context(), op.ID, "bob", now)
		require.ErrorIs(t, err, store.ErrState)
		require.ErrorContains(t, err, "is leased; only one that is parked or retry can be changed like that")
		require.Contains(t, actions(t, worker), "bob operation.retry crm/1")
	})
}

func TestAPersonSkips(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		op := parked(t, o)
		before := must(o.Generation(t.Context()))
		require.ErrorIs(t, o.SkipOperation(t.Context(), op.ID, "", "why", now), store.ErrState, "nobody")
		require.NoError(t, o.SkipOperation(t.Context(), op.ID, "bob", "left last week", now))
		require.Equal(t, store.OpSkipped, state(t, o, op.ID))
		require.Greater(t, must(o.Generation(t.Context())), before, "a later plan is another plan")
		require.ErrorIs(t, o.SkipOperation(t.Context(), op.ID, "bob", "", now), store.ErrState)
		require.ErrorIs(t, o.SkipOperation(t.Context(), "nobody", "bob", "", now), store.ErrNotFound)
		entries, err := o.Audit(t.Context(), store.AuditFilter{Action: "operation.skip"})
		require.NoError(t, err)
		require.Contains(t, string(entries[0].Detail), `"why":"left last week"`)
	})
}

func TestAPersonEdits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		op := parked(t, o)
		changes := []plan.Change{{Name: "userName", After: connector.Values{"jane2"}}}
		require.NoError(t, o.EditOperation(t.Context(), op.ID, "bob", changes, now))
		again := lease(t, o, 1)[0]
		require.Equal(t, changes, again.Changes)
		require.Equal(t, []any{1, 0, 0}, []any{again.Edited, again.StepsDone, again.Attempts})
		require.ErrorIs(t, o.EditOperation(t.Context(), op.ID, "bob", changes, now), store.ErrState)
		entries, err := o.Audit(t.Context(), store.AuditFilter{Action: "operation.edit"})
		require.NoError(t, err)
		require.NotContains(t, string(entries[0].Detail), "jane2", "no values in the trail")
	})
}

func TestWhatMayHaveReachedTheTargetIsNotForAPersonToSkip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2"))
		ops := send(t, o, lease(t, o, 2))
		require.ErrorIs(t, o.SkipOperation(t.Context(), ops[0].ID, "bob", "", now), store.ErrState)
		finish(t, o, store.Finish{ID: ops[1].ID, Fence: ops[1].Fence, State: store.OpRetry, NextAttemptAt: now.Add(time.Hour), Continuation: []byte("7"), Now: now})
		require.ErrorIs(t, o.SkipOperation(t.Context(), ops[1].ID, "bob", "", now), store.ErrState)
	})
}

func TestOperationsAreListedAndPaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2", "3"))
		apply(t, o, creates("p2", "erp", "1"))
		finish(t, o, done(send(t, o, lease(t, o, 1))[0]))
		list := func(f store.OpFilter) []string {
			ops, err := o.Operations(t.Context(), f)
			require.NoError(t, err)
			out := []string{}
			for _, op := range ops {
				out = append(out, op.ID)
			}
			return out
		}
		require.Equal(t, []string{"p1-crm-2", "p1-crm-3", "p2-erp-1"}, list(store.OpFilter{}))
		require.Equal(t, []string{"p1-crm-2", "p1-crm-3"}, list(store.OpFilter{Connector: "crm"}))
		require.Equal(t, []string{"p2-erp-1"}, list(store.OpFilter{Anchor: "1"}))
		require.Equal(t, []string{"p1-crm-1"}, list(store.OpFilter{States: []store.OpState{store.OpDone}}))
		require.Equal(t, []string{"p1-crm-1", "p1-crm-2"}, list(store.OpFilter{Plan: "p1", States: []store.OpState{store.OpDone, store.OpReady}, Limit: 2}))
		first, err := o.Operations(t.Context(), store.OpFilter{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, []string{"p1-crm-3"}, list(store.OpFilter{After: first[0].Seq, Limit: 1}))
		_, _, err = o.Operation(t.Context(), "p1")
		require.ErrorIs(t, err, store.ErrAmbiguous)
		_, _, err = o.Operation(t.Context(), "x")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestPostponedOperationsWaitUnlessAPersonSaysOtherwise(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2", "3"))
		sent := send(t, o, lease(t, o, 1))[0]
		until := now.Add(time.Hour)
		require.NoError(t, o.Postpone(t.Context(), []string{"p1-crm-1", "p1-crm-2", "p1-crm-3"}, until, now))
		require.Equal(t, store.OpSent, state(t, o, sent.ID), "it may be there already")
		require.Empty(t, must(o.Lease(t.Context(), "crm", "w1", 9, now.Add(59*time.Minute), time.Minute)))
		require.NoError(t, o.RetryOperation(t.Context(), "p1-crm-2", "alice", now))
		require.Len(t, must(o.Lease(t.Context(), "crm", "w1", 9, now, time.Minute)), 1)
		require.Len(t, must(o.Lease(t.Context(), "crm", "w1", 9, until, time.Minute)), 1)
	})
}
