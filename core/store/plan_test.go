package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func save(t testing.TB, o *store.Org, p *plan.Plan, status store.PlanStatus) (existed bool) {
	t.Helper()
	existed, err := o.SavePlan(t.Context(), p, status, "alice", now)
	require.NoError(t, err)
	return existed
}

func status(t testing.TB, o *store.Org, hash string) store.PlanStatus {
	t.Helper()
	p, err := o.Plan(t.Context(), hash)
	require.NoError(t, err)
	return p.Status
}

func TestAPlanComesBackAsItWasSaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("abc1", "crm", "1", "2", "3")
		p.Operations[1].Changes = []plan.Change{{Name: "birth", Before: connector.Values{connector.Date("1980-02-29")}, After: nil, Rule: "x:1"}}
		p.Verdicts = []plan.Verdict{{Connector: "crm", Guarded: "create", Count: 3, Limit: "max 2", Window: "run", Text: "too many"}}
		p.Notes = []plan.Note{{AccountKey: crm("9"), Code: plan.NoteProtected, Text: "left alone"}}
		p.Faults = []plan.Note{{AccountKey: crm("8"), Code: "fault", Text: "no name"}}
		p.Rules = map[string]string{"crm": "r1"}
		require.False(t, save(t, o, p, store.PlanHeld))
		require.True(t, save(t, o, p, store.PlanHeld))
		row, err := o.Plan(t.Context(), "abc")
		require.NoError(t, err)
		require.Equal(t, store.PlanRow{Hash: "abc1", Inputs: p.Inputs, Status: store.PlanHeld, Rules: p.Rules, Counts: plan.Counts{plan.Create: 3},
			Verdicts: p.Verdicts, Notes: p.Notes, Faults: p.Faults, CreatedAt: now}, row)
		var got []plan.Operation
		require.NoError(t, o.PlanOperations(t.Context(), "abc1", func(op store.OpRow) error {
			require.Equal(t, store.OpPlanned, op.State)
			got = append(got, op.Operation)
			return nil
		}))
		require.Equal(t, p.Operations, got)
		open, err := o.Operations(t.Context(), store.OpFilter{})
		require.NoError(t, err)
		require.Empty(t, open, "what is only planned is not in the queue")
		require.Equal(t, []string{"alice plan.save abc1"}, actions(t, o), "saved once")
	})
}

func TestPlansAreFoundByTheBeginningOfTheirHash(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		for _, h := range []string{"abc1", "abc2", "abc"} {
			save(t, o, emptyPlan(h, 0), store.PlanProposed)
		}
		_, err := o.Plan(t.Context(), "ab")
		require.ErrorIs(t, err, store.ErrAmbiguous)
		p, err := o.Plan(t.Context(), "abc")
		require.NoError(t, err, "a whole hash that is the beginning of others")
		require.Equal(t, "abc", p.Hash)
		for _, h := range []string{"d", ""} {
			_, err = o.Plan(t.Context(), h)
			require.ErrorIs(t, err, store.ErrNotFound)
		}
		ps, err := o.Plans(t.Context(), 2)
		require.NoError(t, err)
		require.Len(t, ps, 2)
	})
}

func TestANewerPlanOfTheSourceTakesTheOldersPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		save(t, o, creates("p1", "crm", "1"), store.PlanProposed)
		other := creates("p2", "erp", "1")
		other.Inputs.Source = "contractors"
		save(t, o, other, store.PlanProposed)
		save(t, o, creates("p3", "crm", "1"), store.PlanProposed)
		require.Equal(t, store.PlanSuperseded, status(t, o, "p1"))
		require.Equal(t, store.PlanProposed, status(t, o, "p2"))
		_, err := o.ApplyPlan(t.Context(), "p1", "alice", now)
		require.ErrorIs(t, err, store.ErrPlanState)
		require.ErrorContains(t, err, "a newer plan of source hr takes its place")
		require.True(t, save(t, o, creates("p1", "crm", "1"), store.PlanProposed), "the same inputs are back")
		require.Equal(t, store.PlanProposed, status(t, o, "p1"))
		require.Equal(t, store.PlanSuperseded, status(t, o, "p3"))
		require.Equal(t, 1, apply(t, o, creates("p1", "crm", "1")))
	})
}

func TestOldSupersededPlansGiveTheirOperationsUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		for i := range 10 {
			p := creates(fmt.Sprintf("p%d", i), "crm", "1")
			_, err := o.SavePlan(t.Context(), p, store.PlanHeld, "alice", now.Add(time.Duration(i)*time.Hour))
			require.NoError(t, err)
		}
		operations := func(hash string) (n int) {
			require.NoError(t, o.PlanOperations(t.Context(), hash, func(store.OpRow) error { n++; return nil }))
			return n
		}
		require.Zero(t, operations("p0"))
		require.Equal(t, 1, operations("p8"))
		require.Equal(t, plan.Counts{plan.Create: 1}, must(o.Plan(t.Context(), "p0")).Counts)
		require.Equal(t, 1, apply(t, o, creates("p0", "crm", "1")), "made again, it has them again")
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAHeldPlanWaitsForApproval(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("p1", "crm", "1")
		save(t, o, p, store.PlanHeld)
		_, err := o.ApplyPlan(t.Context(), "p1", "alice", now)
		require.ErrorIs(t, err, store.ErrPlanState)
		require.ErrorContains(t, err, "held by a guard")
		a := store.Approval{By: "bob", Reason: "reorganisation", At: now, Until: now.Add(time.Hour)}
		require.ErrorIs(t, o.ApprovePlan(t.Context(), "p1", store.Approval{By: "bob", At: now}), store.ErrPlanState, "no end")
		require.ErrorIs(t, o.ApprovePlan(t.Context(), "p1", store.Approval{At: now, Until: a.Until}), store.ErrPlanState, "no name")
		require.NoError(t, o.ApprovePlan(t.Context(), "p1", a))
		require.True(t, save(t, o, p, store.PlanHeld), "the next cycle makes the same plan")
		require.Equal(t, store.PlanApproved, status(t, o, "p1"))
		_, err = o.ApplyPlan(t.Context(), "p1", "alice", now.Add(time.Hour+time.Second))
		require.ErrorIs(t, err, store.ErrPlanState)
		require.ErrorContains(t, err, "the approval of plan p1 by bob ended at 2026-03-31T10:00:00Z; if the plan is still right: provhub plan approve p1")
		a.Until = now.Add(3 * time.Hour)
		require.NoError(t, o.ApprovePlan(t.Context(), "p1", a))
		ready, err := o.ApplyPlan(t.Context(), "p1", "alice", now.Add(2*time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, ready)
		row := must(o.Plan(t.Context(), "p1"))
		require.Equal(t, store.PlanApplied, row.Status)
		require.Equal(t, "bob", row.ApprovedBy)
		require.ErrorIs(t, o.ApprovePlan(t.Context(), "p1", a), store.ErrPlanState)
		require.ErrorIs(t, o.RejectPlan(t.Context(), "p1", "bob", "", now), store.ErrPlanState)
		_, err = o.ApplyPlan(t.Context(), "p1", "alice", now)
		require.ErrorContains(t, err, "applied at 2026-03-31T11:00:00Z already")
	})
}

func TestARejectedPlanStaysRejected(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("p1", "crm", "1")
		save(t, o, p, store.PlanHeld)
		require.ErrorIs(t, o.RejectPlan(t.Context(), "p1", "", "wrong", now), store.ErrPlanState)
		require.NoError(t, o.RejectPlan(t.Context(), "p1", "bob", "wrong file", now))
		require.True(t, save(t, o, p, store.PlanHeld))
		_, err := o.ApplyPlan(t.Context(), "p1", "alice", now)
		require.ErrorIs(t, err, store.ErrPlanState)
		require.ErrorContains(t, err, "rejected by bob")
		require.Equal(t, []string{"alice plan.save p1", "bob plan.reject p1"}, actions(t, o))
	})
}

func TestTheSamePlanFromAnotherSnapshotKnowsTheNewOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("p1", "crm", "1")
		p.Inputs.Snapshot = "old"
		save(t, o, p, store.PlanProposed)
		p.Inputs.Snapshot = "new"
		require.True(t, save(t, o, p, store.PlanProposed))
		require.Equal(t, "new", must(o.Plan(t.Context(), "p1")).Inputs.Snapshot)
	})
}
