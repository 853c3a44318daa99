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

// QUIRKS HR-11
func TestWhatAPersonDecidesEntersTheQueueParked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("p1", "crm", "1001", "1002")
		p.Operations[0].Park = "an existing account matches"
		require.Equal(t, 1, apply(t, o, p), "the other is ready")
		op, _, err := o.Operation(t.Context(), p.Operations[0].ID)
		require.NoError(t, err)
		require.Equal(t, store.OpParked, op.State)
		require.Equal(t, "an existing account matches", op.LastError.Message)
		leased, err := o.Lease(t.Context(), "crm", "w", 10, now, time.Minute)
		require.NoError(t, err)
		require.Len(t, leased, 1)
		require.NoError(t, o.RetryOperation(t.Context(), op.ID, "alice", now))
		leased, err = o.Lease(t.Context(), "crm", "w", 10, now, time.Minute)
		require.NoError(t, err)
		require.Len(t, leased, 1)
	})
}

func TestApplyRemembersWhomItCouldNotWorkOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		reading, err := o.BeginReading(t.Context(), "hr")
		require.NoError(t, err)
		key := identity.Key{Source: "hr", Kind: identity.Person, Anchor: "1001"}
		require.NoError(t, reading.Stage(t.Context(), []identity.Identity{{Key: key, State: identity.Active}}))
		generation, err := reading.Commit(t.Context(), store.ReadingEnd{Snapshot: "s", Now: now})
		require.NoError(t, err)
		pending := func() (n int) {
			require.NoError(t, o.Pending(t.Context(), "hr", func(identity.Identity) error { n++; return nil }))
			return n
		}
		p := &plan.Plan{Hash: "p1", Inputs: plan.Inputs{Source: "hr", Generation: generation},
			Faults: []plan.Note{{AccountKey: identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: "1001"}, Code: "x", Text: "y"}}}
		apply(t, o, p)
		require.Equal(t, 1, pending(), "the fault keeps it pending")
		apply(t, o, &plan.Plan{Hash: "p2", Inputs: plan.Inputs{Source: "hr", Generation: generation}})
		require.Zero(t, pending())
	})
}

func TestObservedAccountsAreInTheLedger(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		key := identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: "1001"}
		seen := identity.Account{AccountKey: key, Ref: connector.Ref{Type: "user", ID: "x9"}, Enabled: connector.IsEnabled}
		for range 2 {
			require.NoError(t, o.Observe(t.Context(), []identity.Account{seen}, now))
		}
		got, err := o.Accounts(t.Context(), "hr", identity.Person, []string{"1001"})
		require.NoError(t, err)
		seen.Ownership, seen.Rev = identity.Observed, 1
		require.Equal(t, map[identity.AccountKey]identity.Account{key: seen}, got)
		refs := map[string]string{}
		require.NoError(t, o.Holdings(t.Context(), "crm", func(a identity.Account) error {
			refs[a.Ref.ID] = a.Anchor
			return nil
		}))
		require.Equal(t, map[string]string{"x9": "1001"}, refs)
	})
}
