package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestAnAccountComesBackAsItWasFinished(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		op := send(t, o, lease(t, o, 1))[0]
		a := identity.Account{
			Ref:       connector.Ref{Type: "user", ID: "cn=Jane,dc=x", Name: "jane", Version: `W/"7"`},
			Ownership: identity.Adopted, Enabled: connector.IsDisabled, DisabledAt: now, LastSuccessAt: now, LastError: "was locked",
			Applied: connector.Attributes{
				{Name: "all", Values: connector.Values{"x<&>", int64(1) << 60, 1.5, true, connector.Date("2026-01-02"), now, []byte{0, 255},
					connector.Ref{ID: "m"}, map[string]any{"a": "b"}}},
				{Name: "none"},
			},
			Grants: []identity.Grant{{Entitlement: "a", Reason: "rule 1"}, {Entitlement: "b"}},
		}
		f := done(op)
		f.Account = &a
		require.Empty(t, finish(t, o, f))
		a.AccountKey, a.Rev = crm("1"), 1
		got := must(o.Accounts(t.Context(), "hr", identity.Person, []string{"1"}))
		require.Equal(t, a, got[crm("1")])
	})
}

func TestGrantsFollowTheAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		grants := func(rev int64, want ...identity.Grant) {
			t.Helper()
			p := creates("p"+string('0'+rune(rev)), "crm", "1")
			p.Operations[0].AccountRev = rev
			apply(t, o, p)
			f := done(send(t, o, lease(t, o, 1))[0])
			f.Account.Grants = want
			require.Empty(t, finish(t, o, f))
			got := must(o.Accounts(t.Context(), "hr", identity.Person, []string{"1"}))[crm("1")]
			require.Equal(t, want, got.Grants)
			require.Equal(t, rev+1, got.Rev)
		}
		grants(0, identity.Grant{Entitlement: "a", Reason: "x"}, identity.Grant{Entitlement: "b"}, identity.Grant{Entitlement: "c"})
		grants(1, identity.Grant{Entitlement: "a", Reason: "y"}, identity.Grant{Entitlement: "c"}, identity.Grant{Entitlement: "d"})
		grants(2)
	})
}

func TestOneTransactionForAllOutcomes(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		fail := false
		o := storetest.Open(t, url, store.WithCommitHook(func(_ int, name string) error {
			if fail && name == "finish" {
				return errPower
			}
			return nil
		}))
		apply(t, o, creates("p1", "crm", "1", "2"))
		ops := send(t, o, lease(t, o, 2))
		before := actions(t, o)
		fail = true
		_, err := o.Finish(t.Context(), []store.Finish{done(ops[0]), done(ops[1])})
		require.ErrorIs(t, err, errPower)
		require.Equal(t, before, actions(t, o))
		require.Empty(t, must(o.Accounts(t.Context(), "hr", identity.Person, []string{"1", "2"})))
		fail = false
		require.Empty(t, finish(t, o, done(ops[0]), done(ops[1])))
		require.Len(t, must(o.Accounts(t.Context(), "hr", identity.Person, []string{"1", "2"})), 2)
	})
}

func TestFencedOnesAreNamedAndTheOthersAreWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2"))
		ops := send(t, o, lease(t, o, 2))
		stale := done(ops[0])
		stale.Fence += 7
		fenced := finish(t, o, stale, done(ops[1]), done(ops[1]), store.Finish{ID: "nobody", State: store.OpDone, Now: now})
		require.Equal(t, []string{ops[0].ID, ops[1].ID, "nobody"}, fenced, "twice the same is once too often")
		require.Equal(t, store.OpSent, state(t, o, ops[0].ID))
		require.Equal(t, store.OpDone, state(t, o, ops[1].ID))
		require.Equal(t, []string{ops[1].ID}, finish(t, o, done(ops[1])), "finished already")
	})
}

func TestAttemptsAreKeptAndCountedOnlyWhenAsked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		for i := range 3 {
			op := send(t, o, must(o.Lease(t.Context(), "crm", "w1", 1, now.Add(time.Duration(i)*time.Minute), time.Minute)))[0]
			answer := strings.Repeat("ä", 2000) + "\x00\xff"
			finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpRetry, CountAttempt: i != 1, Now: now,
				NextAttemptAt: now.Add(time.Duration(i+1) * time.Minute), Err: connector.Errorf(connector.CodeUnavailable, "down"),
				Attempt: &store.Attempt{StartedAt: now, Outcome: connector.OutcomeFailed, Class: connector.ClassTransient, Code: "UNAVAILABLE", Answer: answer}})
		}
		op, attempts, err := o.Operation(t.Context(), "p1-crm-1")
		require.NoError(t, err)
		require.Equal(t, 2, op.Attempts)
		require.Len(t, attempts, 3)
		require.Equal(t, 3, attempts[2].N)
		require.Equal(t, strings.Repeat("ä", 1024), attempts[0].Answer, "2 kB of whole characters")
		found, err := o.Operations(t.Context(), store.OpFilter{Code: "UNAVAILABLE"})
		require.NoError(t, err)
		require.Len(t, found, 1)
	})
}

func TestReplanMakesTheIdentityPending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := withRevs(creates("p1", "crm", "1"))
		p.Inputs.Generation = read(t, o, people("1", "2"))
		apply(t, o, p)
		require.Empty(t, pending(t, o))
		op := send(t, o, lease(t, o, 1))[0]
		finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpSuperseded, Replan: true, Now: now})
		require.Equal(t, []string{"1"}, pending(t, o))
		// A plan made before does not make it forgotten.
		apply(t, o, emptyPlan("p2", p.Inputs.Generation))
		require.Equal(t, []string{"1"}, pending(t, o))
		apply(t, o, emptyPlan("p3", must(o.Generation(t.Context()))))
		require.Empty(t, pending(t, o))
	})
}

func TestPendingWorkIsAskedAfter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		op := send(t, o, lease(t, o, 1))[0]
		finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpUnknown, NextAttemptAt: now.Add(time.Minute), Continuation: []byte("job\x007"), Now: now})
		at, open, err := o.NextDue(t.Context(), "crm")
		require.NoError(t, err)
		require.Equal(t, now.Add(time.Minute), at)
		require.Equal(t, 1, open)
		later := now.Add(time.Minute)
		require.Equal(t, later, must(o.DueAt(t.Context(), "crm")))
		require.Empty(t, must(o.Accepted(t.Context(), "crm", "w1", 5, now, now, time.Minute)), "not yet")
		require.Empty(t, must(o.Unknown(t.Context(), "crm", "w1", 5, later, time.Minute)), "it is not in doubt")
		ops := must(o.Accepted(t.Context(), "crm", "w1", 5, later, later, time.Minute))
		require.True(t, must(o.DueAt(t.Context(), "crm")).IsZero(), "it is being asked after")
		require.Equal(t, []byte("job\x007"), ops[0].Continuation)
		require.Empty(t, finish(t, o, done(ops[0])))
		op, _, err = o.Operation(t.Context(), op.ID)
		require.NoError(t, err)
		require.Nil(t, op.Continuation)
	})
}

func TestWhatAWorkerCannotDoIsRefused(t *testing.T) {
	o := storetest.New(t)
	for text, f := range map[string]store.Finish{
		"a worker cannot make it skipped":      {ID: "x", State: store.OpSkipped},
		"a worker may only ask for a new plan": {ID: "x", State: store.OpSuperseded},
		"needs the time of the next attempt":   {ID: "x", State: store.OpRetry},
		"a worker cannot make it leased":       {ID: "x", State: store.OpLeased},
	} {
		_, err := o.Finish(t.Context(), []store.Finish{f})
		require.ErrorContains(t, err, text)
	}
}

func TestOpenOperationsSayWhetherTheyCanBeReplaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2", "3"))
		ops := lease(t, o, 2)
		send(t, o, ops[:1])
		finish(t, o, store.Finish{ID: ops[1].ID, Fence: ops[1].Fence, State: store.OpParked, Now: now})
		got := must(o.OpenOperations(t.Context(), keysOf("hr", "1", "2", "3", "4")))
		require.Equal(t, map[identity.AccountKey]plan.OpenOperation{
			crm("1"): {Operation: operation("p1", "crm", "1"), Sent: true, Doubt: true},
			crm("2"): {Operation: operation("p1", "crm", "2"), Parked: true},
			crm("3"): {Operation: operation("p1", "crm", "3")},
		}, got)
	})
}

func TestAccountsDisabledLongAgoAreFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2", "3", "4"))
		for i, op := range send(t, o, lease(t, o, 4)) {
			f := done(op)
			f.Account.DisabledAt = now.Add(time.Duration(i) * time.Hour)
			f.Account.Absent = i == 1
			if i == 3 {
				f.Account.DisabledAt = time.Time{}
			}
			finish(t, o, f)
		}
		var got []string
		require.NoError(t, o.AccountsDisabledBefore(t.Context(), "crm", "hr", now.Add(2*time.Hour), func(k identity.AccountKey) error {
			got = append(got, k.Anchor)
			return nil
		}))
		require.Equal(t, []string{"1"}, got)
	})
}
