package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// from makes p a plan of another source.
func from(source string, p *plan.Plan) *plan.Plan {
	p.Inputs.Source = source
	for i := range p.Operations {
		p.Operations[i].Source = source
	}
	return p
}

// gives finishes op as done, with what the target calls the account.
func gives(op store.OpRow, id string) store.Finish {
	f := done(op)
	f.Account = &identity.Account{AccountKey: op.AccountKey, Ref: connector.Ref{Type: "user", ID: id}, Ownership: identity.Created, Enabled: connector.IsEnabled}
	return f
}

func TestTheSameAnchorInTwoSourcesIsTwoAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		apply(t, o, from("acme", creates("p2", "crm", "1")))
		ops := send(t, o, lease(t, o, 9))
		require.Len(t, ops, 2, "both are open at once")
		require.Empty(t, finish(t, o, gives(ops[0], "u1"), gives(ops[1], "u2")))
		for source, id := range map[string]string{"hr": "u1", "acme": "u2"} {
			accounts := must(o.Accounts(t.Context(), source, identity.Person, []string{"1"}))
			require.Len(t, accounts, 1)
			require.Equal(t, id, accounts[hrOf(source, "1").Account("crm")].Ref.ID)
			pop, err := o.Population(t.Context(), "crm", source, now)
			require.NoError(t, err)
			require.Equal(t, 1, pop.Accounts, "guards count each source for itself")
			require.Equal(t, 1, pop.Last24h["create"])
		}
		require.Equal(t, []store.Feed{{Connector: "crm", Source: "acme", Accounts: 1}, {Connector: "crm", Source: "hr", Accounts: 1}}, must(o.Feeds(t.Context())))
	})
}

func hrOf(source, anchor string) identity.Key {
	return identity.Key{Source: source, Kind: identity.Person, Anchor: anchor}
}

// Whatever a plan did not see, and whatever a target answers.
func TestNoAccountIsOwnedTwice(t *testing.T) { // QUIRKS HR-2
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		ops := send(t, o, lease(t, o, 9))
		require.Empty(t, finish(t, o, gives(ops[0], "u1")))
		apply(t, o, from("acme", creates("p2", "crm", "7")))
		ops = send(t, o, lease(t, o, 9))
		require.Empty(t, finish(t, o, gives(ops[0], "u1")))
		op, _, err := o.Operation(t.Context(), "p2-crm-7")
		require.NoError(t, err)
		require.Equal(t, store.OpParked, op.State)
		require.ErrorContains(t, op.LastError, "the account of hr/1; two people cannot share an account")
		require.Empty(t, must(o.Accounts(t.Context(), "acme", identity.Person, []string{"7"})))
	})
}

// Two that come back in one batch with one account are told apart as well.
func TestNoAccountIsOwnedTwiceInOneBatch(t *testing.T) { // QUIRKS HR-2
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		apply(t, o, from("acme", creates("p2", "crm", "7")))
		ops := send(t, o, lease(t, o, 9))
		require.Empty(t, finish(t, o, gives(ops[0], "u1"), gives(ops[1], "u1")))
		require.Equal(t, store.OpDone, state(t, o, ops[0].ID))
		require.Equal(t, store.OpParked, state(t, o, ops[1].ID))
	})
}

func TestAnAccountGoesOverToAnotherSource(t *testing.T) { // QUIRKS HR-8
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		ops := send(t, o, lease(t, o, 9))
		require.Empty(t, finish(t, o, gives(ops[0], "u1")))
		late := creates("p2", "crm", "1")
		late.Operations[0].Kind, late.Operations[0].AccountRev = plan.Disable, 1
		over := from("acme", creates("p3", "crm", "7"))
		over.Operations[0].Kind, over.Operations[0].Replaces = plan.Adopt, hr("1")
		apply(t, o, over)
		ops = send(t, o, lease(t, o, 9))
		apply(t, o, late)
		require.Empty(t, finish(t, o, gives(ops[0], "u1")))
		require.Equal(t, store.OpDone, state(t, o, "p3-crm-7"))
		require.Equal(t, store.OpSuperseded, state(t, o, "p2-crm-1"), "what was still to be done for the former owner must not hit the new one")
		require.True(t, must(o.Accounts(t.Context(), "hr", identity.Person, []string{"1"}))[crm("1")].Absent)
		require.Equal(t, "u1", must(o.Accounts(t.Context(), "acme", identity.Person, []string{"7"}))[hrOf("acme", "7").Account("crm")].Ref.ID)
		require.Contains(t, actions(t, o), "provhub account.relink crm/7")
	})
}

func TestTheRulesOfOneSourceAreForgottenWithoutThoseOfTheOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		rules := func(hash, source string, of map[string]string) {
			p := from(source, emptyPlan(hash, 0))
			p.Rules = of
			apply(t, o, p)
		}
		rules("p1", "hr", map[string]string{"crm": "a", "erp": "b"})
		rules("p2", "acme", map[string]string{"crm": "a"})
		rules("p3", "hr", map[string]string{"erp": "b"})
		require.Equal(t, map[string]string{"crm": "", "erp": "b"}, must(o.Rules(t.Context(), "hr")), "should it come back, it must look at everyone")
		require.Equal(t, map[string]string{"crm": "a"}, must(o.Rules(t.Context(), "acme")))
		rules("p4", "hr", nil)
		require.Equal(t, map[string]string{"crm": "", "erp": ""}, must(o.Rules(t.Context(), "hr")))
	})
}

// keysOf are people of a source.
func keysOf(source string, anchors ...string) (keys []identity.Key) {
	for _, a := range anchors {
		keys = append(keys, hrOf(source, a))
	}
	return keys
}
