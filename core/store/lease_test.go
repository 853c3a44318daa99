package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func anchorsOf(ops []store.OpRow) []string {
	out := []string{}
	for _, op := range ops {
		out = append(out, op.Anchor)
	}
	return out
}

func TestUrgentLanesGoFirstThenTheOrderOfThePlan(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("p1", "crm", "1", "2", "3", "4", "5", "6")
		p.Operations[4].Lane, p.Operations[2].Lane = plan.LaneLeaver, plan.LaneRevoke
		apply(t, o, p)
		require.Equal(t, []string{"5", "3", "1"}, anchorsOf(lease(t, o, 3)))
		require.Equal(t, []string{"2", "4", "6"}, anchorsOf(lease(t, o, 10)))
		require.Empty(t, lease(t, o, 10))
		ops, err := o.Lease(t.Context(), "erp", "w1", 10, now, time.Minute)
		require.NoError(t, err)
		require.Empty(t, ops, "another connector")
	})
}

func TestALeaversRetryDoesNotWaitBehindABulkOfRetries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("p1", "crm")
		for i := range 20 {
			p.Operations = append(p.Operations, operation("p1", "crm", fmt.Sprintf("%02d", i)))
		}
		p.Operations[19].Lane = plan.LaneLeaver
		apply(t, o, p)
		var fs []store.Finish
		for i, op := range send(t, o, lease(t, o, 20)) {
			at := now.Add(time.Duration(i) * time.Second)
			if op.Anchor == "19" {
				at = now.Add(time.Minute) // due last of all
			}
			fs = append(fs, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpRetry, NextAttemptAt: at, Now: now})
		}
		finish(t, o, fs...)
		ops, err := o.Lease(t.Context(), "crm", "w1", 2, now.Add(time.Minute), time.Minute)
		require.NoError(t, err)
		require.Equal(t, []string{"19", "00"}, anchorsOf(ops))
	})
}

func TestARetryIsLeasedWhenItIsDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		due := func() time.Time {
			at, _, err := o.NextDue(t.Context(), "crm")
			require.NoError(t, err)
			return at
		}
		require.True(t, due().IsZero())
		apply(t, o, creates("p1", "crm", "1"))
		require.False(t, due().IsZero())
		require.False(t, due().After(now))
		op := send(t, o, lease(t, o, 1))[0]
		require.True(t, due().IsZero(), "under way")
		fail := &connector.Error{Code: connector.CodeUnavailable, Message: "down", RetryAfter: time.Minute}
		finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpRetry, NextAttemptAt: now.Add(time.Minute), Now: now, CountAttempt: true,
			Err: fail, StepsDone: 2, MaybeApplied: true, Attempt: &store.Attempt{StartedAt: now, Outcome: connector.OutcomeFailed, Code: "UNAVAILABLE"}})
		require.Equal(t, now.Add(time.Minute), due())
		require.Empty(t, lease(t, o, 1))
		ops, err := o.Lease(t.Context(), "crm", "w1", 1, now.Add(time.Minute), time.Minute)
		require.NoError(t, err)
		require.Len(t, ops, 1)
		require.Equal(t, fail, ops[0].LastError)
		require.Equal(t, []any{1, 2, true}, []any{ops[0].Attempts, ops[0].StepsDone, ops[0].MaybeApplied})
		require.Greater(t, ops[0].Fence, op.Fence)
	})
}

func TestNextDueCountsWhatIsOpen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2", "3"))
		ops := send(t, o, lease(t, o, 2))
		finish(t, o, done(ops[0]))
		_, open, err := o.NextDue(t.Context(), "crm")
		require.NoError(t, err)
		require.Equal(t, 2, open)
		counts, err := o.OperationCounts(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string]map[store.OpState]int{"crm": {store.OpReady: 1, store.OpSent: 1, store.OpDone: 1}}, counts)
	})
}

func TestOnlyWhatIsStillLeasedIsSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2"))
		ops := lease(t, o, 2)
		stale := ops[1]
		stale.Fence--
		require.Equal(t, []string{"1"}, anchorsOf(send(t, o, []store.OpRow{ops[0], stale})))
		require.Empty(t, send(t, o, ops[:1]), "sent already")
		require.Equal(t, store.OpLeased, state(t, o, ops[1].ID))
	})
}

func TestAWorkerThatLostItsLeaseWritesNothing(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		slow, quick := storetest.Open(t, url), storetest.Open(t, url)
		apply(t, slow, creates("p1", "crm", "1", "2", "3"))
		ops := lease(t, slow, 3)
		sent := send(t, slow, ops[:2])
		later := now.Add(2 * time.Minute) // the leases have ended
		unknown, ready, err := quick.Recover(t.Context(), "w2", later)
		require.NoError(t, err)
		require.Equal(t, []int{2, 1}, []int{unknown, ready})
		require.Empty(t, send(t, slow, ops[2:]), "taken back before it was sent")
		require.Equal(t, []string{sent[0].ID}, finish(t, slow, done(sent[0])), "its outcome is for the other worker to find out")
		none, err := slow.Accounts(t.Context(), "hr", identity.Person, []string{"1"})
		require.NoError(t, err)
		require.Empty(t, none)
		_, attempts, err := slow.Operation(t.Context(), sent[0].ID)
		require.NoError(t, err)
		require.Empty(t, attempts)

		doubtful, err := quick.Unknown(t.Context(), "crm", "w2", 10, later, time.Minute)
		require.NoError(t, err)
		require.Equal(t, []string{"1", "2"}, anchorsOf(doubtful))
		require.True(t, doubtful[0].MaybeApplied)
		again, err := slow.Unknown(t.Context(), "crm", "w1", 10, later, time.Minute)
		require.NoError(t, err)
		require.Empty(t, again, "settled by one worker at a time")
		require.Empty(t, finish(t, quick, done(doubtful[0])))
		require.Equal(t, store.OpDone, state(t, slow, sent[0].ID))
		again, err = slow.Unknown(t.Context(), "crm", "w1", 10, later.Add(2*time.Minute), time.Minute)
		require.NoError(t, err)
		require.Equal(t, []string{"2"}, anchorsOf(again), "that lease ended, too")
		require.Equal(t, []string{doubtful[1].ID}, finish(t, quick, done(doubtful[1])))
	})
}

func TestRecoverTakesAllLeasesWithTheWorkingRoleAndEndedOnesWithout(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url)
		apply(t, o, creates("p1", "crm", "1", "2"))
		send(t, o, lease(t, o, 2)[:1])
		unknown, ready, err := o.Recover(t.Context(), "w2", now)
		require.NoError(t, err)
		require.Zero(t, unknown+ready, "the leases still run")
		release, err := o.Work(t.Context(), "test")
		require.NoError(t, err)
		defer release()
		unknown, ready, err = o.Recover(t.Context(), "w2", now)
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, []int{unknown, ready})
		require.Equal(t, []string{"2"}, anchorsOf(lease(t, o, 5)), "nothing goes out for an account in doubt")
	})
}

func TestWorkersShareTheQueueWithoutTakingTheSameTwice(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		const workers, each = 4, 25
		var all []string
		for i := range workers * each {
			all = append(all, fmt.Sprintf("%03d", i))
		}
		apply(t, storetest.Open(t, url), creates("p1", "crm", all...))
		got := make(chan store.OpRow, workers*each)
		errs := make(chan error, workers)
		for w := range workers {
			o := storetest.Open(t, url)
			go func() { errs <- drainInto(t, o, fmt.Sprintf("w%d", w), got) }()
		}
		for range workers {
			require.NoError(t, <-errs)
		}
		close(got)
		seen := map[string]bool{}
		for op := range got {
			require.False(t, seen[op.Anchor], "%s went out twice", op.Anchor)
			seen[op.Anchor] = true
		}
		require.Len(t, seen, workers*each)
		n, err := storetest.Open(t, url).AuditVerify(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2+workers*each, n)
	})
}

// drainInto is a worker: it takes, sends and finishes until nothing is left.
func drainInto(t *testing.T, o *store.Org, owner string, got chan<- store.OpRow) error {
	for {
		ops, err := o.Lease(t.Context(), "crm", owner, 3, now, time.Minute)
		if err != nil || len(ops) == 0 {
			return err
		}
		if ops, err = o.MarkSent(t.Context(), ops, now); err != nil {
			return err
		}
		var fs []store.Finish
		for _, op := range ops {
			got <- op
			fs = append(fs, done(op))
		}
		if fenced, err := o.Finish(t.Context(), fs); err != nil || len(fenced) > 0 {
			return fmt.Errorf("fenced %v: %w", fenced, err)
		}
	}
}
