package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// lockout is a plan, made at a time, that disables people in crm.
func lockout(t *testing.T, o *store.Org, hash string, cause plan.Cause, at time.Time, anchors ...string) []store.OpRow {
	t.Helper()
	p := creates(hash, "crm", anchors...)
	for i := range p.Operations {
		op := &p.Operations[i]
		op.Kind, op.Cause, op.Lane, op.IdentityRev = plan.Disable, cause, plan.LaneLeaver, 2
	}
	_, err := o.SavePlan(t.Context(), p, store.PlanProposed, "alice", at)
	require.NoError(t, err)
	var rows []store.OpRow
	for _, op := range p.Operations {
		row, _, err := o.Operation(t.Context(), op.ID)
		require.NoError(t, err)
		rows = append(rows, row)
	}
	return rows
}

// readAt commits a reading made at a time.
func readAt(t *testing.T, o *store.Org, at time.Time, state identity.State, anchors []string, vanished ...string) {
	t.Helper()
	r, err := o.BeginReading(t.Context(), "hr")
	require.NoError(t, err)
	changed := people(anchors...)
	for i := range changed {
		changed[i].State = state
	}
	require.NoError(t, r.Stage(t.Context(), changed))
	end := store.ReadingEnd{Snapshot: "s", Now: at}
	for _, a := range vanished {
		end.Vanished = append(end.Vanished, hr(a))
	}
	_, err = r.Commit(t.Context(), end)
	require.NoError(t, err)
}

// QUIRKS Q-33: from the reading that told of it, whichever plan carries it out in the end.
func TestALockoutCountsFromTheReadingThatToldOfIt(t *testing.T) {
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		readAt(t, o, day(0), identity.Active, []string{"1", "2", "3", "4", "5", "6"})
		readAt(t, o, day(1), identity.Leaver, []string{"1", "2"}, "3")
		readAt(t, o, day(2), identity.Leaver, []string{"1"}, "2") // something else of 1 changed; 2 left the file, too
		require.NoError(t, o.SetStates(t.Context(), []identity.Identity{{Key: hr("4"), State: identity.Leaver, Rev: 1}}, day(2)))
		readAt(t, o, day(2), identity.Suspended, []string{"5"})
		for anchor, want := range map[string]time.Time{"1": day(1), "2": day(1), "3": day(1), "4": day(2), "5": day(2)} {
			require.Equal(t, want, lockout(t, o, "p"+anchor, plan.CauseLeave, day(3), anchor)[0].ToldAt, anchor)
		}
		require.Equal(t, day(1), lockout(t, o, "again", plan.CauseLeave, day(4), "1")[0].ToldAt, "a newer plan is about the same leaving")
		require.Zero(t, lockout(t, o, "scope", plan.CauseOutOfScope, day(3), "6")[0].ToldAt, "nobody left")
		require.Equal(t, day(3), lockout(t, o, "who", plan.CauseLeave, day(3), "9")[0].ToldAt, "since when is not known")
		readAt(t, o, day(5), identity.Active, []string{"1"})
		readAt(t, o, day(6), identity.Leaver, []string{"1"})
		require.Equal(t, day(6), lockout(t, o, "twice", plan.CauseLeave, day(7), "1")[0].ToldAt, "left, back, left again")
	})
}

// QUIRKS Q-33: until the target has done it; shown is what was done.
func TestLockoutsAreSummedUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		anchors := []string{"1", "2", "3", "4", "5"}
		readAt(t, o, now, identity.Active, anchors)
		readAt(t, o, now, identity.Leaver, anchors)
		lockout(t, o, "p1", plan.CauseLeave, now.Add(time.Second), anchors...)
		_, err := o.ApplyPlan(t.Context(), "p1", "alice", now)
		require.NoError(t, err)
		require.Equal(t, store.Lockouts{}, must(o.Lockouts(t.Context(), "crm", now)), "none is done")
		for i, op := range send(t, o, lease(t, o, 5)) {
			f := done(op)
			f.Now = now.Add([]time.Duration{time.Second, 2 * time.Second, 3 * time.Second, time.Minute}[min(i, 3)])
			if i == 4 {
				f.State, f.Account = store.OpParked, nil
			}
			require.Empty(t, finish(t, o, f))
		}
		want := store.Lockouts{N: 4, Median: 3 * time.Second, P95: time.Minute, Longest: time.Minute}
		require.Equal(t, want, must(o.Lockouts(t.Context(), "crm", now)))
		require.Zero(t, must(o.Lockouts(t.Context(), "crm", now.Add(time.Hour))).N, "long ago")
		require.Zero(t, must(o.Lockouts(t.Context(), "wiki", now)).N)

		back := lockout(t, o, "p2", plan.CauseLeave, now.Add(time.Hour), "1")[0]
		require.Equal(t, now.Add(time.Hour), back.ToldAt, "locked out already: others have enabled the account since")
	})
}
