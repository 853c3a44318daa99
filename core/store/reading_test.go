package store_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestAnIdentityComesBackAsItWasRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		in := identity.Identity{
			Key: hr("1001"), State: identity.PreHire, DueAt: now.Add(time.Hour), Position: "hr.csv:7", Reference: "1000",
			Hash: identity.Hash([]byte("\x00\x01\xff3456789abcdef")),
			Attributes: identity.Attributes{
				"text": "Zoë \"R&D\" <b>\u2028\\", "empty": "", "yes": true, "whole": int64(-7), "big": int64(1) << 62, "real": 5.0, "tiny": 1e-300,
				"list": []string{"a", "", "ü"}, "none": []string{},
			},
		}
		read(t, o, []identity.Identity{in})
		got, err := o.Identities(t.Context(), "hr", identity.Person, []string{"1001", "1002"})
		require.NoError(t, err)
		in.FirstSeen, in.Rev = now, 1
		require.Equal(t, map[string]identity.Identity{"1001": in}, got)
	})
}

func TestAttributesThatCannotBeStoredAreNamed(t *testing.T) {
	o := storetest.New(t)
	r, err := o.BeginReading(t.Context(), "hr")
	require.NoError(t, err)
	err = r.Stage(t.Context(), []identity.Identity{{Key: hr("1"), Position: "hr.csv:2", Attributes: identity.Attributes{"age": 7}}})
	require.ErrorContains(t, err, "hr.csv:2: attribute age: a int cannot be stored")
	require.NoError(t, r.Discard(t.Context()))
}

func TestGenerationMovesOnlyWhenSomebodyChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		require.EqualValues(t, 1, read(t, o, people("1", "2")))
		before, err := o.Identities(t.Context(), "hr", identity.Person, []string{"1", "2"})
		require.NoError(t, err)
		require.EqualValues(t, 1, read(t, o, nil), "nobody changed")
		after, err := o.Identities(t.Context(), "hr", identity.Person, []string{"1", "2"})
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.EqualValues(t, 2, read(t, o, people("2")))
		require.EqualValues(t, 3, read(t, o, nil, "1"))
		g, err := o.Generation(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 3, g)
	})
}

func TestWhoVanishesIsGoneAndMayComeBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		read(t, o, people("1", "2"))
		read(t, o, nil, "1")
		read(t, o, nil, "1") // vanished already: nothing to change
		one := func() identity.Identity {
			got, err := o.Identities(t.Context(), "hr", identity.Person, []string{"1"})
			require.NoError(t, err)
			return got["1"]
		}
		require.Equal(t, identity.Gone, one().State)
		require.Equal(t, now, one().AbsentSince)
		require.EqualValues(t, 2, one().Rev)
		require.Equal(t, []string{"2"}, present(t, o))
		s, err := o.SourceState(t.Context(), "hr")
		require.NoError(t, err)
		require.Equal(t, 1, s.People)
		read(t, o, people("1"))
		require.Equal(t, identity.Active, one().State)
		require.True(t, one().AbsentSince.IsZero())
		require.EqualValues(t, 3, one().Rev)
		require.Equal(t, []string{"1", "2"}, present(t, o))
	})
}

// present lists the index of the source.
func present(t *testing.T, o *store.Org) []string {
	t.Helper()
	var out []string
	require.NoError(t, o.Index(t.Context(), "hr", func(_ identity.Kind, anchor []byte, hash identity.Hash) error {
		require.Equal(t, "0123456789abcdef", string(hash[:]))
		out = append(out, string(anchor))
		return nil
	}))
	return out
}

func TestDroppedAndDiscardedRowsAreNotTakenOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		r, err := o.BeginReading(t.Context(), "hr")
		require.NoError(t, err)
		require.NoError(t, r.Stage(t.Context(), people("1", "2", "3", "2")), "twice the same is one row")
		require.NoError(t, r.Discard(t.Context()))
		require.NoError(t, r.Discard(t.Context()), "twice is fine")
		_, err = r.Commit(t.Context(), store.ReadingEnd{Now: now})
		require.ErrorContains(t, err, "ended already")

		r, err = o.BeginReading(t.Context(), "hr")
		require.NoError(t, err)
		require.NoError(t, r.Stage(t.Context(), people("4", "5")))
		_, err = r.Commit(t.Context(), store.ReadingEnd{Drop: []identity.Key{hr("5")}, Now: now})
		require.NoError(t, err)
		require.Equal(t, []string{"4"}, present(t, o))
	})
}

// QUIRKS HR-26
func TestReportsOfAChangedManagerArePending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		staff := people("1", "2", "3", "9")
		staff[1].Reference, staff[2].Reference = "1", "9"
		g := read(t, o, staff)
		apply(t, o, emptyPlan("p1", g))
		require.Empty(t, pending(t, o))
		read(t, o, people("1"))
		require.Equal(t, []string{"1", "2"}, pending(t, o))
		got, err := o.Identities(t.Context(), "hr", identity.Person, []string{"2"})
		require.NoError(t, err)
		require.EqualValues(t, 1, got["2"].Rev, "the report's own record has not changed")
		read(t, o, nil, "9")
		require.Equal(t, []string{"1", "2", "3", "9"}, pending(t, o))
	})
}

func TestPendingEndsWithTheAppliedPlanAndNotBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		g := read(t, o, people("b", "a", "c"))
		require.Equal(t, []string{"a", "b", "c"}, pending(t, o))
		_, err := o.SavePlan(t.Context(), emptyPlan("p1", g), store.PlanProposed, "alice", now)
		require.NoError(t, err)
		require.Len(t, pending(t, o), 3, "a stored plan is not an applied one")
		_, err = o.ApplyPlan(t.Context(), "p1", "alice", now)
		require.NoError(t, err)
		require.Empty(t, pending(t, o))
		require.NoError(t, o.SetFaults(t.Context(), "hr", []plan.Note{{AccountKey: crm("b"), Code: "fault", Text: "no e-mail"}}))
		require.Equal(t, []string{"b"}, pending(t, o))
		require.NoError(t, o.SetFaults(t.Context(), "hr", nil))
		require.Empty(t, pending(t, o))
	})
}

func crm(anchor string) identity.AccountKey {
	return identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: anchor}
}

func TestTimersMakeIdentitiesDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		staff := people("1", "2", "3")
		staff[0].DueAt, staff[1].DueAt = now, now.Add(time.Second)
		apply(t, o, emptyPlan("p1", read(t, o, staff)))
		due := func() []string {
			return anchors(t, func(y func(identity.Identity) error) error { return o.Due(t.Context(), "hr", now, y) })
		}
		require.Equal(t, []string{"1"}, due())
		require.NoError(t, o.SetStates(t.Context(), []identity.Identity{{Key: hr("1"), State: identity.Leaver, Rev: 1}}, now))
		require.Empty(t, due())
		require.Equal(t, []string{"1"}, pending(t, o))
		got, err := o.Identities(t.Context(), "hr", identity.Person, []string{"1"})
		require.NoError(t, err)
		require.Equal(t, identity.Leaver, got["1"].State)
		require.EqualValues(t, 2, got["1"].Rev)
		err = o.SetStates(t.Context(), []identity.Identity{{Key: hr("2"), Rev: 1}, {Key: hr("nobody")}}, now)
		require.ErrorIs(t, err, store.ErrNotFound)
		require.Equal(t, []string{"1"}, pending(t, o), "all or none")
	})
}

func TestAllCoversThePresentAndTheAbsentWithAnAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		read(t, o, people("1", "2", "3"))
		apply(t, o, withRevs(creates("p1", "crm", "1", "2")))
		carryOut(t, o)
		read(t, o, nil, "2", "3")
		all := anchors(t, func(y func(identity.Identity) error) error { return o.All(t.Context(), "hr", y) })
		require.Equal(t, []string{"1", "2"}, all)
	})
}

// withRevs says that the plan's operations were worked out from first revisions.
func withRevs(p *plan.Plan) *plan.Plan {
	for i := range p.Operations {
		p.Operations[i].IdentityRev = 1
	}
	return p
}

func TestYieldsErrorComesBackAsItIs(t *testing.T) {
	o := storetest.New(t)
	read(t, o, people("1", "2"))
	stop := errors.New("enough")
	yield := func(identity.Identity) error { return stop }
	for name, got := range map[string]error{
		"index":   o.Index(t.Context(), "hr", func(identity.Kind, []byte, identity.Hash) error { return stop }),
		"pending": o.Pending(t.Context(), "hr", yield),
		"all":     o.All(t.Context(), "hr", yield),
	} {
		require.Same(t, stop, got, name)
	}
}

func TestTheStoreMayBeUsedWhileItYields(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		g := read(t, o, people("1", "2"))
		require.NoError(t, o.Pending(t.Context(), "hr", func(i identity.Identity) error {
			return o.SetFaults(t.Context(), "hr", []plan.Note{{AccountKey: crm(i.Anchor), Code: "x"}})
		}))
		apply(t, o, emptyPlan("p1", g))
	})
}

func TestSourceStateIsThatOfTheLastReading(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		_, err := o.SourceState(t.Context(), "hr")
		require.ErrorIs(t, err, store.ErrNotFound)
		r, err := o.BeginReading(t.Context(), "hr")
		require.NoError(t, err)
		group := identity.Identity{Key: identity.Key{Source: "hr", Kind: identity.Group, Anchor: "g"}, State: identity.Active}
		require.NoError(t, r.Stage(t.Context(), append(people("1", "2"), group)))
		report := json.RawMessage(`{"rows":3}`)
		g, err := r.Commit(t.Context(), store.ReadingEnd{Snapshot: "abc", Dated: now, Now: now.Add(time.Minute), Report: report})
		require.NoError(t, err)
		apply(t, o, emptyPlan("p1", g))
		s, err := o.SourceState(t.Context(), "hr")
		require.NoError(t, err)
		require.Equal(t, store.SourceState{Source: "hr", Snapshot: "abc", Dated: now, ReadAt: now.Add(time.Minute), People: 2, Groups: 1,
			AppliedGeneration: g, Report: report, Rev: 1}, s)
	})
}

func TestPeopleAreFoundByAnchorThenByValueThenByPart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		staff := people("1001", "1002", "1003", "1004")
		staff[0].Attributes = identity.Attributes{"mail": "jane@example.org", "name": "Jane Doe"}
		staff[1].Attributes = identity.Attributes{"mail": "j.strasse@example.org", "name": "Jörg Straße"}
		staff[2].Attributes = identity.Attributes{"name": "50%_off", "teams": []string{"R&D"}, "badge": int64(1001)}
		staff[3].Attributes = identity.Attributes{"nickname": "Jane"}
		read(t, o, staff)
		for text, want := range map[string][]string{
			"1001": {"1001"}, "JANE@example.ORG": {"1001"}, "jÖRG STRASSE": {}, "jÖRG straße": {"1002"}, "örg": {"1002"}, "r&d": {"1003"},
			"jane": {"1004"}, "doe": {"1001"}, "50%": {"1003"}, "%": {"1003"}, "nobody": {}, " ": {}, "example": {"1001", "1002"},
		} {
			found, err := o.FindIdentities(t.Context(), text, 10)
			require.NoError(t, err)
			got := []string{}
			for _, i := range found {
				got = append(got, i.Anchor)
			}
			require.Equal(t, want, got, text)
		}
		found, err := o.FindIdentities(t.Context(), "example", 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
	})
}
