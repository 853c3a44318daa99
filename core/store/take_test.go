package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// QUIRKS Q-2: sent is committed, and after a crash it is in doubt.
func TestWhatIsTakenIsCommittedAsSentAtOnce(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		var commits []string
		o := storetest.Open(t, url, store.WithCommittedHook(func(_ int, name string) { commits = append(commits, name) }))
		apply(t, o, creates("p1", "crm", "1", "2", "3"))
		commits = nil
		ops, err := o.Take(t.Context(), "crm", "w1", 2, now, time.Minute)
		require.NoError(t, err)
		require.Equal(t, []string{"take"}, commits)
		require.Equal(t, []string{"1", "2"}, anchorsOf(ops))
		for _, op := range ops {
			require.Equal(t, store.OpSent, op.State)
			require.Equal(t, store.OpSent, state(t, o, op.ID))
		}
		require.Equal(t, store.OpReady, state(t, o, "p1-crm-3"))
		require.Empty(t, send(t, o, ops), "sent already")
		require.Empty(t, finish(t, o, done(ops[0])))
		pop, err := o.Population(t.Context(), "crm", "hr", now)
		require.NoError(t, err)
		require.Equal(t, 3, pop.Last24h["create"], "what is done still counts for the day it was sent")

		unknown, ready, err := o.Recover(t.Context(), "w2", now.Add(2*time.Minute))
		require.NoError(t, err)
		require.Equal(t, []int{1, 0}, []int{unknown, ready}, "a crash leaves in doubt what was taken")
		require.Equal(t, []string{ops[1].ID}, finish(t, o, done(ops[1])), "its lease is lost")
	})
}

// What cannot be committed is neither taken nor may it be sent.
func TestATakeThatFailsTakesNothing(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		fail := true
		o := storetest.Open(t, url, store.WithCommitHook(func(_ int, name string) error {
			if fail && name == "take" {
				return errPower
			}
			return nil
		}))
		apply(t, o, creates("p1", "crm", "1"))
		ops, err := o.Take(t.Context(), "crm", "w1", 9, now, time.Minute)
		require.ErrorIs(t, err, errPower)
		require.Empty(t, ops)
		require.Equal(t, store.OpReady, state(t, o, "p1-crm-1"))
		fail = false
		ops, err = o.Take(t.Context(), "crm", "w1", 9, now, time.Minute)
		require.NoError(t, err)
		require.Len(t, ops, 1)
	})
}

// A worker that gives the operation back spares reading it; the trail tells the same.
func TestTheTrailTellsTheSameOfAnOperationGivenOrRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1", "2"))
		ops := send(t, o, lease(t, o, 2))
		given := done(ops[0])
		given.Operation = &ops[0].Operation
		require.Empty(t, finish(t, o, given, done(ops[1])))
		entries, err := o.Audit(t.Context(), store.AuditFilter{Action: "operation.done"})
		require.NoError(t, err)
		require.Len(t, entries, 2)
		require.Contains(t, string(entries[0].Detail), `"changed":["`)
		require.Equal(t, strings.ReplaceAll(string(entries[0].Detail), "p1-crm-1", "p1-crm-2"), string(entries[1].Detail))
	})
}
