package cycle

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// merger is two sources, hr and acme, that feed one connector.
type merger struct{ hr, acme *lab }

func newMerger(t *testing.T, org *store.Org, policy plan.Policy, more mapping.Rules, hr, acme []string) merger {
	m := merger{newLabOn(t, org, hr...), newLabOn(t, org, acme...)}
	m.acme.cycle.Source.Name = "acme"
	for _, l := range []*lab{m.hr, m.acme} {
		l.connector("crm", policy, more).Sources = []string{"hr", "acme"}
	}
	m.acme.ledger = m.hr.ledger
	return m
}

// holds returns the account of one person.
func (m merger) holds(source, anchor string) identity.Account {
	key := identity.Key{Source: source, Kind: identity.Person, Anchor: anchor}
	as, err := m.hr.store.ConnectorAccounts(m.hr.Context(), "crm", []identity.Key{key})
	require.NoError(m.hr, err)
	return as[key.Account("crm")]
}

func TestTwoPopulationsInOneTarget(t *testing.T) { // QUIRKS HR-7
	storetest.Each(t, func(t *testing.T, org *store.Org) {
		m := newMerger(t, org, plan.Policy{RevokeOnLeave: true}, mapping.Rules{},
			[]string{"1001 name=ann mail=ann@x.test", "1002 name=bo mail=bo@x.test"}, []string{"1001 name=cy mail=cy@y.test", "7 name=di mail=di@y.test"})
		require.Equal(t, "crm/create/join 1001; crm/create/join 1002", brief(m.hr.sync()))
		require.Equal(t, "crm/create/join 1001; crm/create/join 7", brief(m.acme.sync()))
		require.Equal(t, "cy", connector.Text(m.holds("acme", "1001").Applied.Get("userName")[0]), "the same anchor in both")
		require.Empty(t, brief(m.hr.sync()))

		m.hr.people("1002 name=bo mail=bo@x.test")
		require.Equal(t, "crm/disable/gone 1001", brief(m.hr.sync()))
		require.Empty(t, brief(m.acme.sync()), "nobody of the other source is touched")
		require.Equal(t, connector.IsEnabled, m.holds("acme", "1001").Enabled)

		m.acme.file.broken = errors.New("the line is cut")
		_, err := m.acme.try()
		require.ErrorContains(t, err, "the line is cut")
		m.hr.people("1002 name=bo mail=bo@x.test title=Boss", "1003 name=ed mail=ed@x.test")
		require.Equal(t, "crm/create/join 1003", brief(m.hr.sync()), "while the other one is down")
	})
}

func TestARuleThatChangedLooksAtEverybodyOfEachSourceOnce(t *testing.T) {
	rule := func(expr string) mapping.Rules {
		return mapping.Rules{Attributes: []mapping.AttributeRule{{To: "userName", From: mapping.Rule{Expr: expr, Place: "provhub.yaml:1"}}}}
	}
	m := newMerger(t, storetest.New(t), plan.Policy{}, rule("person.name"), []string{"1 name=ann"}, []string{"1 name=cy", "2 name=di"})
	m.hr.sync()
	m.acme.sync()
	for _, l := range []*lab{m.hr, m.acme} {
		l.connector("crm", plan.Policy{}, rule(`source + "-" + person.name`)).Sources = []string{"hr", "acme"}
	}
	require.Equal(t, "crm/update/change 1", brief(m.hr.sync()))
	require.Equal(t, "crm/update/change 1; crm/update/change 2", brief(m.acme.sync()))
	require.Equal(t, "acme-cy", connector.Text(m.holds("acme", "1").Applied.Get("userName")[0]))
	m.hr.sync()
	require.Zero(t, m.hr.report.Evaluated)
	m.acme.sync()
	require.Zero(t, m.acme.report.Evaluated)
}

// Nobody gets what somebody of the other source has: not the second in the queue, nor
// the second of two plans made one after the other, nor of two made at the same time.
func TestTwoSourcesClaimOneAccount(t *testing.T) { // QUIRKS HR-2
	const claims = "claims the same mail as hr/1; two people cannot share an account: make the rules or the sources tell them apart"
	hr, acme := []string{"1 name=ann mail=Ann@x.test"}, []string{"9 name=ann mail=ann@X.test", "10 name=di mail=di@y.test"}
	make := func(t *testing.T, org *store.Org) merger {
		return newMerger(t, org, plan.Policy{}, mapping.Rules{}, hr, acme)
	}
	t.Run("sent", func(t *testing.T) {
		m := make(t, storetest.New(t))
		m.hr.sync()
		p := m.acme.sync()
		require.Equal(t, "crm/create/join 10", brief(p))
		require.Equal(t, claims, p.Faults[0].Text)
		m.hr.people("2 name=bo mail=bo@x.test")
		m.hr.cycle.Source.Vanish = plan.Limit{Max: 100}
		require.Equal(t, "crm/create/join 2; crm/disable/gone 1", sorted(brief(m.hr.sync())))
		require.Equal(t, claims, m.acme.sync().Faults[0].Text, "it is asked again in every cycle")
	})
	t.Run("planned", func(t *testing.T) {
		m := make(t, storetest.New(t))
		m.acme.cycle.Others = []*plan.Plan{m.hr.run()}
		p := m.acme.run()
		require.Equal(t, "crm/create/join 10", brief(p))
		require.Equal(t, claims, p.Faults[0].Text)
	})
	t.Run("at once", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, org *store.Org) {
			m := make(t, org)
			first, second := m.hr.run(), m.acme.run()
			require.Equal(t, "crm/create/join 10; crm/create/join 9", brief(second))
			_, err := org.SavePlan(t.Context(), second, store.PlanProposed, "test", m.acme.now)
			require.NoError(t, err)
			m.hr.apply(first)
			_, err = org.ApplyPlan(t.Context(), second.Hash, "test", m.acme.now)
			var drift *store.DriftError
			require.ErrorAs(t, err, &drift)
			require.Equal(t, []string{"crm: 9 claims the same value of mail as hr/1; two people cannot share an account: make the source tell them apart"}, drift.What)
		})
	})
}

// Somebody who goes from one source to the other: their leaving disables the account
// as always, and it is the new one's when a person has said so.
func TestAPersonGoesOverToAnotherSource(t *testing.T) { // QUIRKS HR-8
	storetest.Each(t, func(t *testing.T, org *store.Org) {
		policy := plan.Policy{Match: []string{"mail"}, OnMatch: plan.MatchAdopt}
		m := newMerger(t, org, policy, mapping.Rules{}, []string{"1 name=ann mail=ann@x.test", "2 name=bo mail=bo@x.test"}, []string{"7 name=di mail=di@y.test"})
		target := &directory{}
		for _, l := range []*lab{m.hr, m.acme} {
			c := &l.cycle.Connectors[0]
			c.Target, c.Capabilities = target, askable
		}
		m.hr.sync()
		m.acme.sync()
		target.has("id-1 ann@x.test")

		m.acme.people("7 name=di mail=di@y.test", "8 name=ann mail=ann@x.test")
		p := m.acme.sync()
		require.Empty(t, brief(p))
		require.Equal(t, "the existing account that matches belongs to hr/1; two people cannot share an account", p.Faults[0].Text)

		m.hr.people("2 name=bo mail=bo@x.test")
		m.hr.cycle.Source.Vanish = plan.Limit{Max: 100}
		require.Equal(t, "crm/disable/gone 1", brief(m.hr.sync()))
		p = m.acme.run()
		require.Equal(t, "crm/adopt/return 8", brief(p))
		require.Equal(t, identity.Key{Source: "hr", Kind: identity.Person, Anchor: "1"}, p.Operations[0].Replaces)
		require.Contains(t, p.Operations[0].Park, "belongs to hr/1, who has left")
		m.acme.apply(p)
		_, err := org.RetryOperations(t.Context(), []string{p.Operations[0].ID}, store.Press{By: "alice", Now: m.acme.now})
		require.NoError(t, err)
		m.acme.drain()
		require.Equal(t, "id-1", m.holds("acme", "8").Ref.ID)
		require.True(t, m.holds("hr", "1").Absent)
		require.Empty(t, brief(m.hr.sync()), "the leaver has nothing any more that could be disabled or deleted")
		require.Empty(t, brief(m.acme.sync()))
	})
}

// A source that is taken from a connector leaves its accounts as they are. Whoever of
// them comes over from the other source gets theirs, when a person has said so.
func TestASourceIsTakenFromAConnector(t *testing.T) {
	m := newMerger(t, storetest.New(t), plan.Policy{Match: []string{"mail"}, OnMatch: plan.MatchAdopt}, mapping.Rules{},
		[]string{"1 name=ann mail=ann@x.test"}, []string{"7 name=di mail=di@y.test"})
	target := &directory{}
	for _, l := range []*lab{m.hr, m.acme} {
		c := &l.cycle.Connectors[0]
		c.Target, c.Capabilities = target, askable
	}
	m.hr.sync()
	m.acme.sync()
	target.has("id-acme/7 di@y.test")
	m.hr.cycle.Connectors[0].Sources = []string{"hr"}
	m.acme.cycle.Connectors = nil
	m.acme.people("8 name=ed mail=ed@y.test")
	require.Empty(t, brief(m.acme.sync()))
	require.Equal(t, connector.IsEnabled, m.holds("acme", "7").Enabled, "not disabled silently")
	m.hr.people("1 name=ann mail=ann@x.test", "2 name=di mail=di@y.test")
	p := m.hr.sync()
	require.Equal(t, "crm/adopt/return 2", brief(p))
	require.Contains(t, p.Operations[0].Park, "belongs to acme/7, whose source feeds this connector no more")
}
