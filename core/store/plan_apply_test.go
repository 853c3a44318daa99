package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestDriftRefusesThePlanWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		read(t, o, people("1", "2"))
		p := withRevs(creates("p1", "crm", "1", "2"))
		save(t, o, p, store.PlanProposed)
		read(t, o, people("2"))
		_, err := o.ApplyPlan(t.Context(), "p1", "alice", now)
		var drift *store.DriftError
		require.ErrorAs(t, err, &drift)
		require.Equal(t, &store.DriftError{Hash: "p1", Count: 1, What: []string{"the source record of person 2 changed (crm)"}}, drift)
		require.Empty(t, lease(t, o, 10))
		require.Equal(t, store.PlanProposed, status(t, o, "p1"))

		p = withRevs(creates("p2", "crm", "1"))
		p.Operations[0].AccountRev = 4
		save(t, o, p, store.PlanProposed)
		_, err = o.ApplyPlan(t.Context(), "p2", "alice", now)
		require.ErrorAs(t, err, &drift)
		require.Equal(t, []string{"the account of person 1 changed (crm)"}, drift.What)
	})
}

func TestANewerPlanReplacesWhatWasNotSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "ready", "leased", "sent", "retry", "pending", "parked", "unknown"))
		ops := map[string]store.OpRow{}
		for _, op := range lease(t, o, 10) {
			ops[op.Anchor] = op
		}
		var sent []store.OpRow
		for _, a := range []string{"sent", "retry", "pending", "parked", "unknown"} {
			sent = append(sent, ops[a])
		}
		send(t, o, sent)
		end := func(anchor string, f store.Finish) {
			f.ID, f.Fence, f.Now = ops[anchor].ID, ops[anchor].Fence, now
			require.Empty(t, finish(t, o, f))
		}
		end("ready", store.Finish{State: store.OpReady})
		end("retry", store.Finish{State: store.OpRetry, NextAttemptAt: now.Add(time.Hour), MaybeApplied: true})
		end("pending", store.Finish{State: store.OpRetry, NextAttemptAt: now.Add(time.Hour), Continuation: []byte("job 7")})
		end("parked", store.Finish{State: store.OpParked})
		end("unknown", store.Finish{State: store.OpUnknown})

		ready := apply(t, o, creates("p2", "crm", "ready", "leased", "sent", "retry", "pending", "parked", "unknown"))
		require.Equal(t, 4, ready)
		for anchor, want := range map[string]store.OpState{
			"ready": store.OpSuperseded, "leased": store.OpSuperseded, "retry": store.OpSuperseded, "parked": store.OpSuperseded,
			"sent": store.OpSent, "pending": store.OpRetry, "unknown": store.OpUnknown,
		} {
			require.Equal(t, want, state(t, o, "p1-crm-"+anchor), anchor)
			now := store.OpReady
			if want != store.OpSuperseded {
				now = store.OpSuperseded
			}
			require.Equal(t, now, state(t, o, "p2-crm-"+anchor), anchor)
		}
		require.Empty(t, send(t, o, []store.OpRow{ops["leased"]}), "its worker must not send it any more")
		op, _, err := o.Operation(t.Context(), "p2-crm-retry")
		require.NoError(t, err)
		require.True(t, op.MaybeApplied, "what the earlier attempt may have done still counts")
	})
}

func TestADisableOvertakesWhatTheTargetHasAccepted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "accepted", "asked", "sent"))
		ops := map[string]store.OpRow{}
		for _, op := range send(t, o, lease(t, o, 10)) {
			ops[op.Anchor] = op
		}
		for _, a := range []string{"accepted", "asked"} {
			require.Empty(t, finish(t, o, store.Finish{ID: ops[a].ID, Fence: ops[a].Fence, State: store.OpUnknown, MaybeApplied: true, Continuation: []byte("job"), NextAttemptAt: now, Now: now}))
		}
		// A worker is just asking after one of them.
		asking, err := o.Accepted(t.Context(), "crm", "w1", 1, now, now, time.Minute)
		require.NoError(t, err)
		require.Len(t, asking, 1)
		p := creates("p2", "crm", "accepted", "asked", "sent")
		for i := range p.Operations {
			p.Operations[i].Kind, p.Operations[i].Enabled = plan.Disable, connector.IsDisabled
		}
		require.Equal(t, 2, apply(t, o, p))
		require.Equal(t, store.OpSent, state(t, o, "p1-crm-sent"), "whoever sent it has no answer yet")
		for _, a := range []string{"accepted", "asked"} {
			require.Equal(t, store.OpSuperseded, state(t, o, "p1-crm-"+a))
			op, _, err := o.Operation(t.Context(), "p2-crm-"+a)
			require.NoError(t, err)
			require.True(t, op.MaybeApplied)
		}
		f := done(asking[0])
		require.Equal(t, []string{asking[0].ID}, finish(t, o, f), "the answer comes too late")
	})
}

func TestAccountsInFlightAreLookedAtAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		g := read(t, o, people("1", "2", "3"))
		p := withRevs(creates("p1", "crm", "1"))
		p.Inputs.Generation = g
		apply(t, o, p)
		sent := send(t, o, lease(t, o, 1))
		require.Empty(t, pending(t, o))
		// One plan knows that it cannot plan for 1, the next one does not.
		p = emptyPlan("p2", must(o.Generation(t.Context())))
		p.Notes = []plan.Note{{AccountKey: crm("1"), Code: plan.NoteInFlight}, {AccountKey: crm("2"), Code: plan.NoteProtected}}
		apply(t, o, p)
		require.Equal(t, []string{"1"}, pending(t, o))
		p = withRevs(creates("p3", "crm", "1"))
		p.Inputs.Generation = must(o.Generation(t.Context()))
		require.Zero(t, apply(t, o, p))
		require.Equal(t, []string{"1"}, pending(t, o))
		require.Empty(t, finish(t, o, done(sent[0])))
		apply(t, o, emptyPlan("p4", must(o.Generation(t.Context()))))
		require.Empty(t, pending(t, o))
	})
}

func TestOperationsNoLongerWantedAreWithdrawn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		g := read(t, o, people("1", "2"))
		p := withRevs(creates("p1", "crm", "1", "2"))
		p.Inputs.Generation = g
		apply(t, o, p)
		send(t, o, lease(t, o, 1))
		p = emptyPlan("p2", must(o.Generation(t.Context())))
		p.Withdraw = []string{"p1-crm-1", "p1-crm-2"}
		apply(t, o, p)
		require.Equal(t, store.OpSent, state(t, o, "p1-crm-1"), "too late")
		require.Equal(t, store.OpSuperseded, state(t, o, "p1-crm-2"))
		require.Equal(t, []string{"1"}, pending(t, o), "looked at again, since it was too late")
	})
}

// A plan withdraws what it saw in the queue, and no more: what became of it since, and
// what is known of the person since, is looked at again.
func TestAWithdrawalThatCameTooLate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		g := read(t, o, people("done", "doubt", "news", "parked"))
		p := withRevs(creates("p1", "crm", "done", "doubt", "news", "parked"))
		p.Inputs.Generation = g
		apply(t, o, p)
		late := emptyPlan("p2", must(o.Generation(t.Context())))
		late.Inputs.Partial = true
		for _, a := range []string{"done", "doubt", "news", "parked"} {
			late.Withdraw = append(late.Withdraw, "p1-crm-"+a)
		}
		for _, op := range send(t, o, lease(t, o, 2)) {
			if op.Anchor == "done" {
				finish(t, o, done(op))
			} else {
				finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpRetry, NextAttemptAt: now.Add(time.Hour), MaybeApplied: true, Now: now})
			}
		}
		news := people("news")
		news[0].State = identity.Leaver
		apply(t, o, emptyPlan("p3", read(t, o, news)))
		require.Empty(t, pending(t, o), "all is planned")
		apply(t, o, late)
		require.Equal(t, []string{"done", "doubt", "news"}, pending(t, o))
		for anchor, want := range map[string]store.OpState{"done": store.OpDone, "doubt": store.OpRetry, "news": store.OpReady, "parked": store.OpSuperseded} {
			require.Equal(t, want, state(t, o, "p1-crm-"+anchor), anchor)
		}
	})
}

// A plan does not put what was pushed while it was made behind a load: it did not see it.
func TestWhatIsPushedMeanwhileIsNotSlowedDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		g := read(t, o, people("1"))
		whole, push := withRevs(creates("p1", "crm", "1")), withRevs(creates("p2", "crm", "1"))
		push.Operations[0].Lane, push.Inputs.Partial = plan.LaneUrgent, true
		whole.Inputs.Generation, push.Inputs.Generation = g, g
		save(t, o, whole, store.PlanProposed)
		require.Equal(t, 1, apply(t, o, push))
		n, err := o.ApplyUnmoved(t.Context(), "p1", "alice", now)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, store.OpReady, state(t, o, "p2-crm-1"))
		require.Equal(t, []string{"1"}, pending(t, o), "looked at again")

		later := withRevs(creates("p3", "crm", "1"))
		later.Inputs.Generation = must(o.Generation(t.Context()))
		require.Equal(t, 1, apply(t, o, later), "which saw it")
		require.Equal(t, store.OpSuperseded, state(t, o, "p2-crm-1"))
	})
}

// A plan for one person leaves out whoever is referred to otherwise since: nobody would
// look at that again.
func TestAPlanForSomeLeavesOutWhoseManagerChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		staff := people("1", "2")
		staff[1].Reference = "1"
		g := read(t, o, staff)
		p := withRevs(creates("p1", "crm", "2"))
		p.Inputs.Generation, p.Inputs.Partial = g, true
		g = read(t, o, people("1"))
		apply(t, o, emptyPlan("p2", g))
		save(t, o, p, store.PlanProposed)
		require.Empty(t, pending(t, o))
		n, err := o.ApplyUnmoved(t.Context(), "p1", "alice", now)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, []string{"2"}, pending(t, o))
	})
}

func TestAnEmptyPlanIsAppliedOnce(t *testing.T) {
	commits := 0
	o := storetest.New(t, store.WithCommittedHook(func(int, string) { commits++ }))
	rules := func(hash, crm string) *plan.Plan {
		p := emptyPlan(hash, 0)
		p.Rules = map[string]string{"crm": crm}
		return p
	}
	apply(t, o, rules("p1", "a"))
	before := commits
	apply(t, o, rules("p1", "a"))
	require.Equal(t, before, commits, "nothing is written for the same again")
	apply(t, o, rules("p2", "b"))
	require.Equal(t, "b", must(o.Rules(t.Context(), "hr"))["crm"])
	apply(t, o, rules("p1", "a"))
	require.Equal(t, "a", must(o.Rules(t.Context(), "hr"))["crm"], "the rules are as before again")
}
