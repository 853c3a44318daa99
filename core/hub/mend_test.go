package hub_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// deskLab is a hub with 600 parked operations, 300 for each of two causes.
func deskLab(t *testing.T) *lab {
	t.Helper()
	l := newLab(t, labConnector{name: "app01"})
	l.with(func(context.Context, *hub.Hub) {}) // makes the state
	require.NoError(t, storetest.FillQueue(t.Context(), "sqlite:"+l.path("state.db"), storetest.Queue{
		Operations: 6_000, Connectors: 2, Causes: 2, ParkedEvery: 10, RetryEvery: 10_000, ReadyEvery: 10_000, SkippedEvery: 10_000, LeaverEvery: 10,
	}))
	return l
}

const aCause = "000000000001"

func TestAWholeCauseIsPressedAtOnce(t *testing.T) {
	deskLab(t).with(func(ctx context.Context, h *hub.Hub) {
		helen := h.As("helen")
		cause := func() hub.Selection { return hub.Selection{Filter: &store.OpFilter{Cause: aCause}} }
		m, err := helen.HandOver(ctx, cause(), "look at the certificate")
		require.NoError(t, err)
		require.Equal(t, []int{300, 0, 300}, []int{m.Done, m.Refused, len(m.IDs)})
		m, err = helen.HandOver(ctx, cause(), "once more")
		require.NoError(t, err)
		require.Zero(t, m.Done+m.Refused, "they are there already")
		m, err = h.As("otto").TakeBack(ctx, hub.Selection{IDs: m.IDs}, "")
		require.NoError(t, err)
		require.Zero(t, m.Done)

		m, err = helen.Retry(ctx, cause(), "the certificate is renewed")
		require.NoError(t, err)
		require.Equal(t, 300, m.Done)
		m, err = helen.Retry(ctx, cause(), "the certificate is renewed")
		require.NoError(t, err)
		require.Zero(t, m.Done, "whoever comes second finds nothing left")

		presses, err := h.State().Audit(ctx, store.AuditFilter{Action: "operations.retry"})
		require.NoError(t, err)
		require.Len(t, presses, 2)
		require.Equal(t, []string{"helen", aCause}, []string{presses[0].Actor, presses[0].Object})
		require.JSONEq(t, `{"done": 300, "refused": 0, "why": "the certificate is renewed", "cause": "`+aCause+`"}`, string(presses[0].Detail))
		each, err := h.State().Audit(ctx, store.AuditFilter{Action: "operation.retry", Limit: 1_000})
		require.NoError(t, err)
		require.Len(t, each, 300, "and each account's history has it")
		causes, err := h.State().Causes(ctx, store.CauseFilter{})
		require.NoError(t, err)
		require.Len(t, causes.Causes, 1, "the other cause is as it was")
	})
}

func TestAPressSaysWhatWasNotPossible(t *testing.T) {
	deskLab(t).with(func(ctx context.Context, h *hub.Hub) {
		ids := make([]string, 30)
		for i := range ids {
			ids[i] = fmt.Sprintf("%07d-0000-5000-8000-000000000000", i) // every tenth is parked, one is to be tried again, the others are done
		}
		state, err := h.State().ConnectorState(ctx, "app01")
		require.NoError(t, err)
		state.PausedBy = "otto: maintenance"
		require.NoError(t, h.State().SetConnectorState(ctx, state, "otto", h.Now()))
		m, err := h.Retry(ctx, hub.Selection{IDs: ids}, "")
		require.NoError(t, err)
		require.Equal(t, []int{4, 26, 20}, []int{m.Done, m.Refused, len(m.Why)})
		require.Contains(t, m.Why[0].Why, "is done; only one that is parked or retry can be changed like that")
		require.Equal(t, map[string]string{"app01": "paused by otto: maintenance"}, m.Standing)

		_, err = h.Skip(ctx, hub.Selection{IDs: ids}, "")
		require.ErrorContains(t, err, "a reason is needed")
		_, err = h.HandOver(ctx, hub.Selection{IDs: ids}, "")
		require.ErrorContains(t, err, "a note is needed")
		require.ErrorContains(t, h.Adopt(ctx, ids[13], ""), "a reason is needed")
		require.ErrorContains(t, h.Adopt(ctx, ids[13], "why"), "nothing to take over")
		_, err = h.Retry(ctx, hub.Selection{Filter: &store.OpFilter{States: []store.OpState{store.OpDone}}}, "")
		require.ErrorContains(t, err, "only")
	})
}

func TestAnEditKeepsTheTypeOfTheValue(t *testing.T) {
	deskLab(t).with(func(ctx context.Context, h *hub.Hub) {
		id := "0000003-" // the first parked one
		_, err := h.Edit(ctx, id, []hub.Edit{{Name: "phone", Values: []string{"1"}}})
		require.ErrorContains(t, err, `does not change "phone"; it changes email, title, department`)
		_, err = h.Edit(ctx, id, []hub.Edit{{Name: "email", Values: []string{"jo@example.org"}}, {Name: "title"}})
		require.NoError(t, err)
		op, _, err := h.State().Operation(ctx, id)
		require.NoError(t, err)
		require.Equal(t, store.OpReady, op.State)
		require.Equal(t, connector.Values{"jo@example.org"}, op.Changes[0].After)
		require.Empty(t, op.Changes[1].After, "cleared")
		_, err = h.Edit(ctx, id, []hub.Edit{{Name: "email", Values: []string{"ann@example.org"}}})
		require.ErrorIs(t, err, store.ErrState)
		_, anchor, err := h.AnchorOf(ctx, "p1003")
		require.NoError(t, err)
		require.Equal(t, "p1003", anchor)
		_, _, err = h.AnchorOf(ctx, "nobody@example.org")
		require.ErrorContains(t, err, "nobody has the anchor")
	})
}
