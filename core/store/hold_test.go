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

// QUIRKS Q-32: deletes that stand in the queue do not go out, others do; what may have
// gone out already is told.
func TestALegalHoldTakesDeletesOutOfTheQueue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		read(t, o, people("1", "2"))
		p := withRevs(creates("p1", "crm", "1", "2"))
		for _, c := range []string{"wiki", "door"} {
			p.Operations = append(p.Operations, withRevs(creates("p1", c, "1")).Operations...)
		}
		for i := range p.Operations {
			if p.Operations[i].Connector != "door" {
				p.Operations[i].Kind = plan.Delete
			}
		}
		apply(t, o, p)
		sent, err := o.Take(t.Context(), "wiki", "w", 1, now, time.Minute)
		require.NoError(t, err)
		hold := &identity.Hold{By: "olga", Reason: "case 1", Since: now}
		held, err := o.SetHold(t.Context(), hr("1"), hold, "olga", "case 1", now)
		require.NoError(t, err)
		require.Equal(t, []string{"p1-crm-1"}, idsOf(held.Stopped))
		require.Equal(t, []string{sent[0].ID}, idsOf(held.UnderWay))
		require.Equal(t, store.OpSuperseded, state(t, o, "p1-crm-1"))
		require.Equal(t, store.OpReady, state(t, o, "p1-door-1"), "what is no delete goes out")
		require.Equal(t, store.OpReady, state(t, o, "p1-crm-2"), "nobody else's")

		read(t, o, people("1"))
		ids := must(o.Holds(t.Context()))
		require.Len(t, ids, 1, "a reading does not end it")
		require.Equal(t, hold, ids[0].Hold)
		require.NotContains(t, idsOf(lease(t, o, 9)), "p1-crm-1")

		_, err = o.SetHold(t.Context(), hr("2"), nil, "olga", "closed", now)
		require.ErrorIs(t, err, store.ErrState)
		_, err = o.SetHold(t.Context(), hr("9"), hold, "olga", "case 1", now)
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = o.SetHold(t.Context(), hr("1"), nil, "olga", "closed", now)
		require.NoError(t, err)
		require.Empty(t, must(o.Holds(t.Context())))
		require.Subset(t, actions(t, o), []string{"olga identity.hold 1", "olga identity.release 1"})
	})
}

func idsOf(ops []store.OpRow) []string {
	ids := []string{}
	for _, op := range ops {
		ids = append(ids, op.ID)
	}
	return ids
}
