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

// fails finishes the next operations with these errors, one each.
func fails(t *testing.T, o *store.Org, state store.OpState, at time.Time, errs ...*connector.Error) {
	t.Helper()
	for i, op := range send(t, o, must(o.Lease(t.Context(), "crm", "w1", len(errs), at, time.Minute))) {
		finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: state, Now: at, NextAttemptAt: at.Add(time.Minute), Err: errs[i], CountAttempt: true})
	}
}

func TestWhatDiffersFromOnePersonToTheNextIsNoCause(t *testing.T) {
	grants := plan.Operation{Grants: []plan.GrantChange{{Grant: identity.Grant{Entitlement: "sales"}}}}
	for _, c := range []struct{ name, message, want string }{
		{"quoted values", `the value "jo" of login is taken, not 'ann'`, `the value “…” of login is taken, not “…”`},
		{"an apostrophe is none", `the hub's account can't`, `the hub's account can't`},
		{"mail addresses", `jo.doe@example.org is used by ann@example.org`, `… is used by …`},
		{"numbers and ids", `row 4711 of 7 failed: 0b5c2f0e-9d1a-4a36-b1de-000000000001 deadbeef0123`, `row … of … failed: … …`},
		{"names in a directory", `cn=Jo,ou=x does not exist`, `… does not exist`},
		{"how often it was tried", `given up after 9 attempts: no answer`, `no answer`},
		{"the group that is granted stays", `there is no group called "sales" yet`, `there is no group called "sales" yet`},
		{"another group does not", `there is no group called "staff" yet`, `there is no group called “…” yet`},
	} {
		require.Equal(t, c.want, store.CommonText(&grants, c.message), c.name)
	}
}

func TestOperationsAreGroupedByWhatTheyFailFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		p := creates("p1", "crm", "1", "2", "3", "4", "5")
		p.Operations[3].Kind, p.Operations[3].Lane = plan.Disable, plan.LaneLeaver
		apply(t, o, p)
		short := func(who string) *connector.Error {
			return &connector.Error{Code: connector.CodeInvalidValue, Message: fmt.Sprintf("login %q is too short", who), Attributes: []string{"login"}}
		}
		leaver := connector.Errorf(connector.CodePermission, "may not")
		leaver.Scope = connector.ScopeObject
		fails(t, o, store.OpParked, now, leaver) // the leaver goes first
		fails(t, o, store.OpParked, now.Add(time.Minute), short("a"), short("b"))
		fails(t, o, store.OpRetry, now.Add(2*time.Minute), short("c"), connector.Errorf(connector.CodeTimeout, "slow"))

		found := must(o.Causes(t.Context(), store.CauseFilter{})).Causes
		require.Len(t, found, 3)
		require.Equal(t, []any{"crm", "PERMISSION", 1, 1, map[plan.Kind]int{plan.Disable: 1}}, []any{found[0].Connector, found[0].Code, found[0].Count, found[0].Leavers, found[0].Kinds}, "leavers first")
		many := found[1]
		require.Equal(t, []any{3, 0, "login “…” is too short", []string{"login"}}, []any{many.Count, many.Leavers, many.Message, many.Attributes})
		require.Equal(t, map[store.OpState]int{store.OpParked: 2, store.OpRetry: 1}, many.States)
		require.Equal(t, []time.Time{now.Add(time.Minute), now.Add(2 * time.Minute)}, []time.Time{many.First, many.Last})
		require.Len(t, many.Examples, 3)
		require.Equal(t, many.Key, must(o.CauseKey(t.Context(), many.Key[:5])))
		_, err := o.CauseKey(t.Context(), "zzz")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = o.CauseKey(t.Context(), "")
		require.ErrorIs(t, err, store.ErrNotFound)

		one := must(o.Causes(t.Context(), store.CauseFilter{Limit: 1}))
		require.Equal(t, []int{1, 2}, []int{len(one.Causes), one.More})
		require.Len(t, must(o.Causes(t.Context(), store.CauseFilter{Code: "TIMEOUT"})).Causes, 1)
		require.Empty(t, must(o.Causes(t.Context(), store.CauseFilter{Connector: "erp"})).Causes)
		require.Len(t, must(o.Causes(t.Context(), store.CauseFilter{States: []store.OpState{store.OpRetry}})).Causes, 2)

		// It fails for the same thing again: since when does not move.
		fails(t, o, store.OpParked, now.Add(time.Hour), short("longer name"), connector.Errorf(connector.CodeTimeout, "given up after 5 attempts: slow"))
		again := must(o.Causes(t.Context(), store.CauseFilter{})).Causes
		require.Equal(t, []any{many.Key, 3, many.First, many.Last}, []any{again[1].Key, again[1].Count, again[1].First, again[1].Last})
		require.Equal(t, found[2].Key, again[2].Key, "given up for what it was tried again for")

		// What is tried again fails no more, until it does.
		_, err = o.RetryOperations(t.Context(), []string{again[1].Examples[0].ID}, store.Press{By: "bob", Now: now})
		require.NoError(t, err)
		require.Equal(t, 2, must(o.Causes(t.Context(), store.CauseFilter{Key: many.Key})).Causes[0].Count)
	})
}
