package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// name reserves a login for an anchor.
func name(anchor, value string) plan.NameReservation {
	return plan.NameReservation{AccountKey: crm(anchor), Reservation: mapping.Reservation{Attribute: "userName", Value: value}}
}

// QUIRKS HR-17
func TestTwoPlansNeverGiveTheSameName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		taken := func(value, anchor string) bool {
			return must(o.NameTaken(t.Context(), "crm", "userName", value, "hr", anchor))
		}
		p := creates("p1", "crm", "1")
		p.Names = []plan.NameReservation{name("1", "jdoe")}
		save(t, o, p, store.PlanProposed)
		require.False(t, taken("jdoe", "2"), "a plan that is not applied reserves nothing")
		apply(t, o, p)
		require.True(t, taken("jdoe", "2"))
		require.False(t, taken("jdoe", "1"), "its own")
		require.False(t, must(o.NameTaken(t.Context(), "erp", "userName", "jdoe", "hr", "2")), "another connector")

		p = creates("p2", "crm", "2", "3")
		p.Names = []plan.NameReservation{name("2", "jdoe"), name("3", "x"), name("3", "x")}
		save(t, o, p, store.PlanProposed)
		_, err := o.ApplyPlan(t.Context(), "p2", "alice", now)
		var drift *store.DriftError
		require.True(t, errors.As(err, &drift))
		require.Equal(t, []string{"the userName chosen for 2 belongs to another account of crm now"}, drift.What)
		require.False(t, taken("x", "2"), "nothing of the plan stayed")

		p = creates("p3", "crm", "2", "3")
		p.Names = []plan.NameReservation{name("2", "y"), name("3", "y")}
		save(t, o, p, store.PlanProposed)
		_, err = o.ApplyPlan(t.Context(), "p3", "alice", now)
		require.ErrorAs(t, err, &drift, "twice in one plan")
	})
}

// QUIRKS HR-17
func TestNamesThatAccountsHoldAreTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		carryOut(t, o) // userName "u1", before anybody asked for names
		taken := func(value, anchor string) bool {
			return must(o.NameTaken(t.Context(), "crm", "userName", value, "hr", anchor))
		}
		require.True(t, taken("u1", "2"))
		require.False(t, taken("u1", "1"))
		apply(t, o, creates("p2", "crm", "2"))
		carryOut(t, o)
		require.True(t, taken("u2", "1"), "and after")
	})
}

// QUIRKS HR-18
func TestANameIsKeptForAWhileAfterItWasGivenUp(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url, store.WithNameRetention(24*time.Hour))
		p := creates("p1", "crm", "1")
		p.Names = []plan.NameReservation{name("1", "u1")}
		apply(t, o, p)
		carryOut(t, o)
		gone := creates("p2", "crm", "1")
		gone.Operations[0].Kind, gone.Operations[0].AccountRev = plan.Delete, 1
		apply(t, o, gone)
		op := send(t, o, lease(t, o, 1))[0]
		f := done(op)
		f.Account = &identity.Account{Absent: true, Ownership: identity.Created}
		require.Empty(t, finish(t, o, f))
		taken := func() bool { return must(o.NameTaken(t.Context(), "crm", "userName", "u1", "hr", "2")) }
		require.True(t, taken())
		require.False(t, must(o.NameTaken(t.Context(), "crm", "userName", "u1", "hr", "1")), "who had it may have it again")
		later := func(hash string, after time.Duration) {
			p := emptyPlan(hash, 0)
			save(t, o, p, store.PlanProposed)
			_, err := o.ApplyPlan(t.Context(), hash, "alice", now.Add(after))
			require.NoError(t, err)
		}
		later("p3", 23*time.Hour)
		require.True(t, taken())
		later("p4", 25*time.Hour)
		require.False(t, taken())
	})
}

func TestARenamedAccountGivesItsOldNameUp(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url, store.WithNameRetention(time.Hour))
		require.False(t, must(o.NameTaken(t.Context(), "crm", "userName", "u1", "hr", "2")))
		apply(t, o, creates("p1", "crm", "1"))
		carryOut(t, o)
		p := creates("p2", "crm", "1")
		p.Operations[0].AccountRev = 1
		apply(t, o, p)
		f := done(send(t, o, lease(t, o, 1))[0])
		f.Account.Applied = connector.Attributes{{Name: "userName", Values: connector.Values{"Jane.Smith"}}}
		require.Empty(t, finish(t, o, f))
		require.True(t, must(o.NameTaken(t.Context(), "crm", "userName", "jane.smith", "hr", "2")))
		require.True(t, must(o.NameTaken(t.Context(), "crm", "userName", "u1", "hr", "2")), "kept")
		save(t, o, emptyPlan("p3", 0), store.PlanProposed)
		_, err := o.ApplyPlan(t.Context(), "p3", "alice", now.Add(2*time.Hour))
		require.NoError(t, err)
		require.False(t, must(o.NameTaken(t.Context(), "crm", "userName", "u1", "hr", "2")))
		require.True(t, must(o.NameTaken(t.Context(), "crm", "userName", "jane.smith", "hr", "2")))
	})
}
