package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// A plan of a push that waited for a person is not applied by a node, or a process, that
// goes by other rules: what it would do is not what anybody wants any more.
func TestAPushThatWaitedIsNotAppliedByOtherRules(t *testing.T) {
	l := newLab(t, labConnector{name: "crm", more: "    on: {leave: delete}\n"})
	l.deletes = "{percent: 0.5}"
	l.people("1,ann,Clerk,,active,,", "2,bo,Clerk,,active,,")
	l.mustSync()
	var row store.PlanRow
	l.with(func(ctx context.Context, h *hub.Hub) {
		r, err := h.Push(ctx, hub.PushRequest{Source: "hr", Record: map[string]any{"id": "2", "login": "bo", "title": "Clerk", "manager": "", "status": "left", "start": "", "end": ""}}, hub.DrainOptions{})
		require.NoError(t, err)
		require.Len(t, r.Plans, 1)
		require.Equal(t, store.PlanHeld, r.Plans[0].Status)
		require.NoError(t, h.State().ApprovePlan(ctx, r.Plans[0].Plan.Hash, store.Approval{By: "ann", Reason: "looked at", At: l.now, Until: l.now.Add(4 * time.Hour)}))
		row, err = h.State().Plan(ctx, r.Plans[0].Plan.Hash)
		require.NoError(t, err)
	})
	was := l.sources[0].connectors[0].more
	l.sources[0].connectors[0].more = "    on: {leave: disable}\n"
	l.with(func(ctx context.Context, h *hub.Hub) {
		var drift *store.DriftError
		require.ErrorAs(t, h.ApplyApproved(ctx, row), &drift)
		require.ErrorContains(t, drift, "the rules or the policy of connector crm are others")
	})
	require.Empty(t, l.operations(store.OpReady))

	l.sources[0].connectors[0].more = was
	l.with(func(ctx context.Context, h *hub.Hub) { require.NoError(t, h.ApplyApproved(ctx, row)) })
	require.Len(t, l.operations(store.OpReady), 1)
}
