package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestFindings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx, noon := t.Context(), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		row := func(connector, id, situation string) store.FindingRow {
			return store.FindingRow{Connector: connector, Kind: identity.Person, TargetID: id, Situation: situation, Reaction: "report", Object: "jo", Text: "what", Body: json.RawMessage(`{}`)}
		}
		require.NoError(t, o.SaveFindings(ctx, []store.FindingRow{row("crm", "a/1", "orphan"), row("crm", "b", "drifted"), row("wiki", "c", "orphan")}, noon))
		later := noon.Add(time.Hour)
		require.NoError(t, o.SaveFindings(ctx, []store.FindingRow{row("crm", "a/1", "orphan"), row("wiki", "c", "unlinked")}, later))

		all, err := o.Findings(ctx, store.FindingFilter{})
		require.NoError(t, err)
		require.Len(t, all, 3)
		require.Equal(t, []time.Time{noon, later}, []time.Time{all[0].FirstSeen, all[0].LastSeen}, "it is so since noon")
		require.Equal(t, later, all[2].FirstSeen, "another situation begins anew")

		first, err := o.Findings(ctx, store.FindingFilter{Limit: 1})
		require.NoError(t, err)
		rest, err := o.Findings(ctx, store.FindingFilter{After: first[0].Key()})
		require.NoError(t, err)
		require.Equal(t, all[1:], rest)

		n, err := o.ResolveFindingsBefore(ctx, "crm", []string{"drifted", "enabled_again", "missing"}, later, later)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.NoError(t, o.ResolveFindings(ctx, "wiki", identity.Person, []string{"c", "d"}, later))
		counts, err := o.FindingCounts(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]map[string]int{"crm": {"orphan": 1}}, counts)
		all, err = o.Findings(ctx, store.FindingFilter{Resolved: true, Connector: "wiki"})
		require.NoError(t, err)
		require.Equal(t, later, all[0].ResolvedAt)
	})
}

// What was seen goes into the ledger only while the ledger is as it was compared
// with, and the next plan looks at it.
func TestCorrectAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		g := read(t, o, people("1001", "1002"))
		p := creates("p1", "crm", "1001", "1002")
		p.Inputs.Generation = g
		for i := range p.Operations {
			p.Operations[i].IdentityRev = 1
		}
		apply(t, o, p)
		carryOut(t, o)
		require.Empty(t, pending(t, o))

		byID, err := o.AccountsByTarget(ctx, "crm", identity.Person, []string{"id-1001", "id-9"})
		require.NoError(t, err)
		require.Len(t, byID, 1)
		a := byID["id-1001"]
		ids := map[string]string{}
		require.NoError(t, o.EachTargetID(ctx, "crm", identity.Person, func(key identity.Key, id string) error {
			ids[key.Anchor] = id
			return nil
		}))
		require.Equal(t, map[string]string{"1001": "id-1001", "1002": "id-1002"}, ids)
		ours, err := o.Entitlements(ctx, "crm")
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"staff": true}, ours)

		a.Enabled, a.Grants = connector.IsDisabled, nil
		a.Applied = connector.Attributes{{Name: "userName", Values: connector.Values{"other"}}}
		stale := a
		stale.Rev--
		done, err := o.CorrectAccounts(ctx, []store.Correction{{Account: stale, Why: "stale"}, {Account: a, Why: "changed in the target: userName"}}, "alice", now)
		require.NoError(t, err)
		require.Equal(t, []identity.AccountKey{a.AccountKey}, done)
		require.Equal(t, []string{"1001"}, pending(t, o))
		has, err := o.ConnectorAccounts(ctx, "crm", keysOf("hr", "1001"))
		require.NoError(t, err)
		got := has[a.AccountKey]
		require.Equal(t, a.Rev+1, got.Rev)
		require.Equal(t, []any{a.Enabled, a.Applied, 0}, []any{got.Enabled, got.Applied, len(got.Grants)})
		require.Contains(t, actions(t, o), "alice account.correct crm/1001")
		require.NoError(t, o.Reconsider(ctx, []identity.AccountKey{{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: "1002"}}))
		require.Equal(t, []string{"1001", "1002"}, pending(t, o))
	})
}
