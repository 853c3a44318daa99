package hub_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

var app, other = labConnector{name: "app"}, labConnector{name: "other"}

// down makes a target unreachable; a plugin that cannot start at all is another matter.
const down = `{"faults":[{"do":"fail","calls":["write"],"code":"UNAVAILABLE"}]}`

func TestALeaverWhoLeftWhileAConnectorWasOutOfTheConfigIsDisabledWhenItIsBack(t *testing.T) {
	l := newLab(t, app, other)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	l.sources[0].connectors = []labConnector{app}
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,left,,")
	l.mustSync()
	l.sources[0].connectors = []labConnector{app, other}
	l.mustSync()
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("app"))
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("other"))
}

func TestAConnectorThatMovesToAnotherSourceLooksAtEverybodyThere(t *testing.T) {
	l := newLab(t, app, other)
	l.sources = []labSource{{"hr", []labConnector{app}}, {"lab", []labConnector{other}}}
	l.people("1,ann,Clerk,,active,,")
	l.write("lab.csv", labHeader+"9,zoe,Chemist,,active,,\n")
	l.mustSync()
	l.sources = []labSource{{"hr", []labConnector{app, {name: "third"}}}, {"lab", []labConnector{other}}}
	l.mustSync()
	l.sources = []labSource{{"hr", []labConnector{app}}, {"lab", []labConnector{other, {name: "third"}}}}
	l.mustSync()
	require.Contains(t, l.accounts("third"), "zoe 9 Chemist on")
}

func TestOneSourceThatCannotBeReadDoesNotStopTheOthers(t *testing.T) {
	l := newLab(t, app)
	l.sources = []labSource{{"a", []labConnector{app}}, {"hr", []labConnector{other}}}
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.write("a.csv", labHeader+"9,zoe,Chemist,,active,,\n")
	l.mustSync()
	l.write("a.csv", "")
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,left,,")
	_, err := l.sync(hub.PlanOptions{})
	require.ErrorContains(t, err, "source a")
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("other"))
	require.Equal(t, []string{"zoe 9 Chemist on"}, l.accounts("app"))
}

func TestAPlanCanBeAppliedThoughOneOfItsTargetsNeverAnswered(t *testing.T) {
	broken := labConnector{name: "broken", config: `{journal: "no/such/folder/x"}`}
	l := newLab(t, app, broken)
	l.people("1,ann,Clerk,,active,,")
	l.with(func(ctx context.Context, h *hub.Hub) {
		ps, err := h.Plan(ctx, hub.PlanOptions{})
		require.NoError(t, err)
		require.Len(t, ps[0].Problems, 1)
		n, err := h.Apply(ctx, ps[0].Plan.Hash)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

func TestAPlanForAConnectorThatIsNotInTheConfigAnyMoreIsNotApplied(t *testing.T) {
	l := newLab(t, app, other)
	l.people("1,ann,Clerk,,active,,")
	var hash string
	l.with(func(ctx context.Context, h *hub.Hub) {
		ps, err := h.Plan(ctx, hub.PlanOptions{})
		require.NoError(t, err)
		hash = ps[0].Plan.Hash
	})
	l.sources[0].connectors = []labConnector{app}
	l.with(func(ctx context.Context, h *hub.Hub) {
		_, err := h.Apply(ctx, hash)
		var drift *store.DriftError
		require.ErrorAs(t, err, &drift)
		require.ErrorContains(t, err, "other")
	})
}

func TestABadRowOfSomebodyWhoIsBackDeletesNothing(t *testing.T) {
	for name, back := range map[string][]string{
		"bad date":  {"2,bob,Clerk,,active,2026-99-01,"},
		"no status": {"2,bob,Clerk,,unheard-of,,"},
		"twice":     {"2,bob,Clerk,,active,,", "2,bob,Chief,,active,,"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, labConnector{name: "app", more: "    delete_after: 30d\n"})
			l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
			l.mustSync()
			l.people("1,ann,Clerk,,active,,")
			l.mustSync()
			for range 5 { // in steps that no clock guard minds
				l.now = l.now.AddDate(0, 0, 5)
				l.mustSync()
			}
			require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("app"))
			l.people(append(back, "1,ann,Clerk,,active,,")...)
			l.now = l.now.AddDate(0, 0, 6)
			l.mustSync()
			require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("app"))
			l.mustSync() // the file is unchanged now
			require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("app"))
		})
	}
}

func TestTwoPeopleNeverTakeOverOneAccountInPlansOfDifferentDays(t *testing.T) {
	l := newLab(t, labConnector{name: "app", more: "    match: {by: [userName], then: park}\n"})
	l.existing("app", "ann")
	l.people("1,ann,Clerk,,active,,")
	l.mustSync() // parked
	l.people("1,ann,Clerk,,active,,", "2,ann,Chief,,active,,")
	l.mustSync()
	require.Len(t, l.operations(store.OpParked), 1, "whose account it is, one person cannot say twice")
}

func TestAnAccountThatIsSomebodysIsNotTakenOverWhenTheTargetIsBack(t *testing.T) {
	l := newLab(t, labConnector{name: "app", more: "    match: {by: [userName], then: adopt}\n"})
	l.people("1,ann,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", `{"faults":[{"do":"fail","code":"UNAVAILABLE"}]}`)
	l.people("1,ann,Clerk,,active,,", "2,ann,Chief,,active,,")
	l.mustSync()
	l.write("app.control", `{}`)
	l.mustSync()
	require.Equal(t, []string{"ann 1 Clerk on"}, l.accounts("app"))
}

func TestADisableThatOneRunLeftOutIsPlannedByTheNext(t *testing.T) {
	l := newLab(t, app)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", down)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,left,,")
	l.mustSync()
	_, err := l.sync(hub.PlanOptions{Forbid: []plan.Kind{plan.Disable}})
	require.NoError(t, err)
	l.write("app.control", `{}`)
	l.mustSync()
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("app"))
}

func TestRulesThatGoAndComeBackWhileTheTargetIsDown(t *testing.T) {
	l := newLab(t, app)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", down)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,left,,")
	l.mustSync()
	l.sources[0].connectors[0].more = "    protect: [\"2\"]\n"
	l.mustSync()
	l.sources[0].connectors[0].more = ""
	l.mustSync()
	l.write("app.control", `{}`)
	l.mustSync()
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("app"))
}

func TestOperationsOfAConnectorThatLeftTheConfigAreNotForgotten(t *testing.T) {
	l := newLab(t, app, other)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	l.write("other.control", down)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,left,,")
	l.mustSync()
	l.sources[0].connectors = []labConnector{app}
	r := l.mustSync()
	require.Len(t, r.Drained, 1)
	require.Equal(t, "other", r.Drained[0].Connector)
	require.Equal(t, 1, r.Drained[0].Open)
	require.Contains(t, r.Drained[0].Problem, "not in the config any more")
	l.with(func(ctx context.Context, h *hub.Hub) {
		cs, err := h.Connectors(ctx)
		require.NoError(t, err)
		require.Len(t, cs, 2)
		require.Equal(t, "other", cs[1].Name)
		require.Equal(t, 2, cs[1].Accounts)
	})
	l.write("other.control", `{}`)
	l.sources[0].connectors = []labConnector{app, other}
	l.mustSync()
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk off"}, l.accounts("other"))
}

func TestTwoOrgsInOneStateMeetNowhere(t *testing.T) {
	l := newLab(t, labConnector{name: "app", config: "{journal: app.journal}"})
	l.people("1,ann,Clerk,,active,,")
	l.mustSync()
	l.org = "globex"
	l.people("7,zoe,Clerk,,active,,")
	l.mustSync()
	require.Equal(t, []string{"zoe 7 Clerk on"}, l.accounts("app"))
	l.org = "acme"
	require.Equal(t, []string{"ann 1 Clerk on"}, l.accounts("app"))
}

func TestADisableThatWaitsIsNotForgottenInAnIncompleteReading(t *testing.T) {
	l := newLab(t, labConnector{name: "app", more: "    protect: [\"none\"]\n"})
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,", "3,cid,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", down)
	l.people("1,ann,Clerk,,active,,", "3,cid,Clerk,,active,,")
	l.mustSync() // bob is gone; the disable waits
	l.people("1,ann,Chief,,active,,", ",nobody,Clerk,,active,,", "3,cid,Clerk,,active,,")
	l.sources[0].connectors[0].more = "" // everybody is looked at
	l.mustSync()
	l.people("1,ann,Chief,,active,,", "3,cid,Clerk,,active,,")
	l.write("app.control", `{}`)
	l.mustSync()
	require.Equal(t, []string{"ann 1 Chief on", "bob 2 Clerk off", "cid 3 Clerk on"}, l.accounts("app"))
}

func TestAnOldDeleteDoesNotFireAfterARehire(t *testing.T) { // QUIRKS Q-5
	l := newLab(t, labConnector{name: "app", more: "    on: {leave: delete}\n"})
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", down)
	l.people("1,ann,Clerk,,active,,")
	l.mustSync()
	require.Len(t, l.operations(store.OpRetry, store.OpReady), 1, "the delete waits")
	l.write("app.control", `{}`)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk on"}, l.accounts("app"))
	require.Empty(t, l.operations(store.OpenStates...))
	require.Empty(t, l.operations(store.OpDone)[2:], "nothing but the creates was ever sent")
}

func TestARehireWhileADisableIsInDoubt(t *testing.T) {
	l := newLab(t, app)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", `{"faults":[{"do":"lose_reply","calls":["disable"]},{"do":"fail","calls":["get","list"],"code":"UNAVAILABLE"}]}`)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,left,,")
	l.mustSync()
	require.Len(t, l.operations(store.OpUnknown), 1)
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", `{}`)
	l.mustSync()
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk on"}, l.accounts("app"))
	require.Empty(t, l.operations(store.OpenStates...))
}

func TestADeleteThatWaitsDoesNotFireWhileThePlanWithTheRehireIsHeld(t *testing.T) { // QUIRKS Q-5
	l := newLab(t, labConnector{name: "app", more: "    on: {leave: delete}\n"})
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,", "3,cid,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", down)
	l.people("1,ann,Clerk,,active,,", "3,cid,Clerk,,active,,")
	l.mustSync()
	l.write("app.control", `{}`)
	l.deletes = "{percent: 0.5}"
	l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,active,,")
	r := l.mustSync()
	require.Equal(t, store.PlanHeld, r.Plans[0].Status)
	require.Equal(t, []string{"ann 1 Clerk on", "bob 2 Clerk on", "cid 3 Clerk on"}, l.accounts("app"))
}

// A match that the target cannot be asked for, or that no rule gives a value of, would
// make second accounts for those who have one. Leavers are disabled all the same.
func TestAMatchThatFindsNobodyStopsTheConnector(t *testing.T) {
	for by, why := range map[string]string{
		"badge":     `the target cannot look a person up by "badge"`,
		"mail":      `no rule gives "mail"`,
		"user_name": `did you mean "userName"?`,
	} {
		l := newLab(t, app)
		l.people("2,bob,Clerk,,active,,")
		l.mustSync()
		l.sources[0].connectors[0].more = "    match: {by: [" + by + "], then: adopt}\n"
		l.existing("app", "ann")
		l.people("1,ann,Clerk,,active,,", "2,bob,Clerk,,left,,")
		r, err := l.sync(hub.PlanOptions{})
		require.NoError(t, err)
		require.Contains(t, strings.Join(r.Plans[0].Problems, "\n"), why)
		require.Len(t, r.Plans[0].Plan.Operations, 1)
		require.Equal(t, plan.Disable, r.Plans[0].Plan.Operations[0].Kind)
		require.Len(t, l.accounts("app"), 2)
	}
}
