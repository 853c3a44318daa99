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

var now = time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)

// creates makes a plan that creates an account for each anchor.
func creates(hash, connectorName string, anchors ...string) *plan.Plan {
	p := &plan.Plan{Hash: hash, Inputs: plan.Inputs{Source: "hr", Config: "c1"}}
	for _, a := range anchors {
		p.Operations = append(p.Operations, operation(hash, connectorName, a))
	}
	return p
}

func operation(hash, connectorName, anchor string) plan.Operation {
	return plan.Operation{
		ID: fmt.Sprintf("%s-%s-%s", hash, connectorName, anchor), Kind: plan.Create, Lane: plan.LaneNormal, Reason: "joined",
		AccountKey: identity.AccountKey{Source: "hr", Connector: connectorName, Kind: identity.Person, Anchor: anchor},
		Changes:    []plan.Change{{Name: "userName", After: connector.Values{"u" + anchor}, Rule: "provhub.yaml:3"}},
		Enabled:    connector.IsEnabled,
	}
}

func apply(t testing.TB, o *store.Org, p *plan.Plan) int {
	t.Helper()
	_, err := o.SavePlan(t.Context(), p, store.PlanProposed, "alice", now)
	require.NoError(t, err)
	ready, err := o.ApplyPlan(t.Context(), p.Hash, "alice", now)
	require.NoError(t, err)
	return ready
}

func TestAnOperationGoesFromPlanToLedger(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		require.Equal(t, 2, apply(t, o, creates("p1", "crm", "1001", "1002")))
		ops, err := o.Lease(ctx, "crm", "w1", 10, now, time.Minute)
		require.NoError(t, err)
		require.Len(t, ops, 2)
		require.Equal(t, operation("p1", "crm", "1001"), ops[0].Operation)
		kept, err := o.MarkSent(ctx, ops, now)
		require.NoError(t, err)
		require.Len(t, kept, 2)
		account := identity.Account{
			Ref: connector.Ref{Type: "user", ID: "u-1"}, Ownership: identity.Created, Enabled: connector.IsEnabled,
			Applied: connector.Attributes{{Name: "userName", Values: connector.Values{"u1001"}}}, LastSuccessAt: now,
			Grants: []identity.Grant{{Entitlement: "staff", Reason: "everyone"}},
		}
		fenced, err := o.Finish(ctx, []store.Finish{{
			ID: kept[0].ID, Fence: kept[0].Fence, State: store.OpDone, CountAttempt: true, Account: &account, Now: now, StepsDone: 2,
			Attempt: &store.Attempt{StartedAt: now, Took: time.Second, Outcome: connector.OutcomeApplied},
		}})
		require.NoError(t, err)
		require.Empty(t, fenced)
		got, err := o.Accounts(ctx, "hr", identity.Person, []string{"1001", "1002"})
		require.NoError(t, err)
		key := identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: "1001"}
		account.AccountKey, account.Rev = key, 1
		require.Equal(t, map[identity.AccountKey]identity.Account{key: account}, got)
		op, attempts, err := o.Operation(ctx, "p1-crm-1001")
		require.NoError(t, err)
		require.Equal(t, store.OpDone, op.State)
		require.Equal(t, []store.Attempt{{N: 1, StartedAt: now, Took: time.Second, Outcome: connector.OutcomeApplied}}, attempts)
		n, err := o.AuditVerify(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}
