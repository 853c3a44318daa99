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

func TestHowAConnectorDoesLately(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		require.Zero(t, must(o.Recently(t.Context(), "crm", 10)))
		apply(t, o, creates("p1", "crm", "1", "2", "3", "4"))
		ops := send(t, o, lease(t, o, 3))
		finish(t, o, done(ops[0]), done(ops[1]), store.Finish{
			ID: ops[2].ID, Fence: ops[2].Fence, State: store.OpParked, Now: now, Err: &connector.Error{Code: connector.CodeInvalidValue},
		})
		require.Equal(t, store.Recently{Sent: 3, Done: 2, LastAt: now}, must(o.Recently(t.Context(), "crm", 10)))
		require.Equal(t, 1, must(o.Recently(t.Context(), "crm", 1)).Sent, "the last ones only")
		require.Zero(t, must(o.Recently(t.Context(), "wiki", 10)))
	})
}

func TestTheOldestPendingOperation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		oldest := func() time.Time { return must(o.OldestPending(t.Context(), "crm")) }
		require.Zero(t, oldest())
		applyAt := func(hash, anchor string, lane plan.Lane, at time.Time) {
			p := creates(hash, "crm", anchor)
			p.Operations[0].Lane = lane
			_, err := o.SavePlan(t.Context(), p, store.PlanProposed, "alice", at)
			require.NoError(t, err)
			_, err = o.ApplyPlan(t.Context(), hash, "alice", at)
			require.NoError(t, err)
		}
		applyAt("p1", "1", plan.LaneNormal, now)
		applyAt("p2", "2", plan.LaneLeaver, now.Add(time.Hour))
		require.Equal(t, now, oldest(), "whatever its lane")
		op := send(t, o, lease(t, o, 2))
		require.Equal(t, now, oldest(), "under way")
		for _, op := range op {
			f := store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpParked, Now: now, Err: &connector.Error{Code: connector.CodeInvalidValue}}
			if op.Anchor == "2" {
				f.State, f.NextAttemptAt = store.OpRetry, now.Add(2*time.Hour)
			}
			finish(t, o, f)
		}
		require.Equal(t, now.Add(time.Hour), oldest(), "what is parked is not pending")
	})
}

func TestPlansAreListedPageByPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		for i := range 7 {
			p, status := creates(fmt.Sprintf("p%d", i), "crm", "1"), store.PlanProposed
			switch i {
			case 5:
				p.Operations = nil
			case 6: // a held plan is superseded by the next one of its source
				status = store.PlanHeld
			}
			_, err := o.SavePlan(t.Context(), p, status, "alice", now.Add(time.Duration(i)*time.Minute))
			require.NoError(t, err)
		}
		list := func(f store.PlanFilter) (hashes []string) {
			for _, p := range must(o.PlanList(t.Context(), f)) {
				hashes = append(hashes, p.Hash)
			}
			return hashes
		}
		require.Equal(t, []string{"p6", "p5", "p4"}, list(store.PlanFilter{Limit: 3}))
		require.Equal(t, []string{"p3", "p2"}, list(store.PlanFilter{Limit: 2, Before: now.Add(4 * time.Minute)}))
		require.NotContains(t, list(store.PlanFilter{NotEmpty: true}), "p5")
		held := must(o.PlanList(t.Context(), store.PlanFilter{Status: store.PlanHeld, Source: "hr", Limit: 1}))
		require.Equal(t, []store.PlanHead{{Hash: "p6", Source: "hr", Status: store.PlanHeld, Counts: plan.Counts{plan.Create: 1}, Operations: 1,
			CreatedAt: now.Add(6 * time.Minute)}}, held)
		require.Empty(t, list(store.PlanFilter{Source: "other"}))
	})
}

func TestTheTrailIsReadFromItsEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		for i := range 5 {
			require.NoError(t, o.AuditRecord(t.Context(), store.AuditEntry{At: now, Actor: "alice", Action: "note", Object: fmt.Sprint("o", i%2)}))
		}
		seqs := func(f store.AuditFilter, before int64) (out []int64) {
			for _, e := range must(o.AuditNewest(t.Context(), f, before)) {
				out = append(out, e.Seq)
			}
			return out
		}
		require.Equal(t, []int64{5, 4}, seqs(store.AuditFilter{Limit: 2}, 0))
		require.Equal(t, []int64{3, 2, 1}, seqs(store.AuditFilter{}, 4))
		require.Equal(t, []int64{3, 1}, seqs(store.AuditFilter{Object: "o0"}, 5))
		require.Empty(t, seqs(store.AuditFilter{Actor: "bob"}, 0))
	})
}
