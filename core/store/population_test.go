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

// QUIRKS HR-9
func TestPopulationCountsAsTheGuardsDo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		v := func(s string) connector.Values { return connector.Values{s} }
		p := creates("p1", "crm", "1", "2", "3", "4", "5")
		p.Operations[1].Kind = plan.Update
		p.Operations[1].Changes = []plan.Change{{Name: "mail", Before: v("a"), After: v("b")}, {Name: "name", Before: v("a"), After: v("b"), Naming: true},
			{Name: "same", Before: v("a"), After: v("a")}, {Name: "phone", Before: v("a")}}
		p.Operations[2].Kind = plan.Update
		p.Operations[2].Changes = []plan.Change{{Name: "mail", Before: v("c"), After: v("d")}}
		p.Operations[3].Kind, p.Operations[3].Cause, p.Operations[3].Changes = plan.Disable, plan.CauseOutOfScope, nil
		p.Operations[3].Grants = []plan.GrantChange{{Grant: identity.Grant{Entitlement: "a"}, Remove: true}, {Grant: identity.Grant{Entitlement: "b"}}}
		p.Operations[4].Connector = "erp"
		apply(t, o, p)
		count := func(at time.Duration) map[plan.Guarded]int {
			pop, err := o.Population(t.Context(), "crm", "hr", now.Add(at))
			require.NoError(t, err)
			return pop.Last24h
		}
		want := map[plan.Guarded]int{"create": 1, "update": 2, "disable": 1, plan.GuardRevoke: 1, plan.GuardClear: 1, plan.GuardRename: 1,
			plan.GuardOutOfScope: 1, plan.GuardAttribute: 2}
		require.Equal(t, want, count(0), "what waits will go out")
		require.Equal(t, want, count(48*time.Hour), "however long it waits")
		for guarded, n := range want {
			guards := plan.Guards{Run: map[plan.Guarded]plan.Limit{guarded: {Max: n - 1}}}
			if n > 1 {
				require.Len(t, guards.Check("crm", p.Operations, plan.Population{}), 1, guarded)
			}
			guards.Run[guarded] = plan.Limit{Max: n}
			require.Empty(t, guards.Check("crm", p.Operations, plan.Population{}), guarded)
		}
		carryOut(t, o)
		require.Equal(t, want, count(23*time.Hour))
		require.Empty(t, count(25*time.Hour))
		pop, err := o.Population(t.Context(), "crm", "hr", now)
		require.NoError(t, err)
		require.Equal(t, 4, pop.Accounts)
	})
}
