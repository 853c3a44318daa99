package cycle

import (
	"errors"
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// One person's whole way: hired, moved, on leave, back, gone, back again.
func TestLifeOfOnePerson(t *testing.T) {
	l := newLab(t)
	steps := []struct{ who, op string }{
		{"1001 name=Jane dept=sales", "crm/create/join 1001 +sales"},
		{"1001 name=Jane dept=sales", ""},
		{"1001 name=Jane-Ann dept=hr", "crm/update/change 1001 -sales"},
		{"1001 name=Jane-Ann dept=hr status=L", "crm/disable/suspend 1001"},
		{"1001 name=Jane-Ann dept=sales", "crm/enable/return 1001 +sales"},
		{"1001 name=Jane-Ann dept=sales status=T", "crm/disable/leave 1001 -sales"},
		{"1001 name=Jane dept=hr", "crm/enable/return 1001"},
	}
	for _, s := range steps {
		l.people(s.who, "1 name=Boss")
		p := l.sync()
		if s.op != "" && len(p.Operations) == 2 { // the first cycle makes the boss's account too
			p.Operations = p.Operations[1:]
		}
		require.Equal(t, s.op, brief(p), s.who)
		require.Empty(t, brief(l.sync()), "apply, then plan again: nothing may be left to do")
	}
}

// QUIRKS EXPR-3: planning again gives the same plan.
func TestPlanIsMadeAgainUntilItIsApplied(t *testing.T) {
	l := newLab(t, "1001 name=Jane")
	first := l.run()
	second := l.run()
	require.Equal(t, first.Hash, second.Hash, "the same plan, whatever the time")
	require.Equal(t, first.Operations, second.Operations)
	l.apply(second)
	require.Empty(t, brief(l.run()), "what is in the queue is not planned afresh")
}

// QUIRKS HR-1: the order of the rows does not matter, to the names chosen either.
func TestOrderOfTheFileDoesNotMatter(t *testing.T) {
	var hashes []string
	for seed := range int64(3) {
		rows := staff(40, "dept=sales")
		for i := range rows {
			rows[i] = fmt.Sprintf("%d name=Sam", 1000+i)
		}
		rand.New(rand.NewSource(seed)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		l := newLab(t, rows...)
		l.connector("crm", plan.Policy{}, mapping.Rules{Attributes: []mapping.AttributeRule{
			{To: "userName", From: mapping.Rule{Expr: "unique(lower(person.name))", Place: "provhub.yaml:4"}, Apply: mapping.OnCreate}}})
		p := l.run()
		require.Len(t, p.Operations, 40)
		require.Len(t, p.Names, 40)
		hashes = append(hashes, p.Hash)
	}
	require.Equal(t, hashes[0], hashes[1])
	require.Equal(t, hashes[0], hashes[2])
}

func TestUnchangedSourceIsOnlyHashed(t *testing.T) {
	l := newLab(t, "1001 name=Jane")
	l.sync()
	require.Equal(t, 1, l.file.reads)
	l.sync()
	require.Equal(t, 1, l.file.reads)
	require.True(t, l.report.Unchanged)
	l.now = l.now.Add(wholeEvery)
	l.sync()
	require.Equal(t, 2, l.file.reads, "now and then it is read all the same")
	l.cycle.Source.Lifecycle.Suspended = []string{"L", "A"}
	l.cycle.Source.Lifecycle.Active = nil
	require.Equal(t, "crm/disable/suspend 1001", brief(l.sync()), "a new meaning of the status is a change of everyone")
	require.Equal(t, 3, l.file.reads)
}

func TestChangedRulesLookAtEveryone(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "1002 name=Joe")
	l.connector("erp", plan.Policy{}, mapping.Rules{})
	l.sync()
	l.connector("erp", plan.Policy{}, mapping.Rules{Attributes: []mapping.AttributeRule{{To: "userName", From: mapping.Rule{Expr: "upper(person.name) + '2'", Place: "provhub.yaml:5"}}}})
	require.Equal(t, "erp/update/change 1001; erp/update/change 1002", brief(l.run()))
	p := l.sync()
	require.Equal(t, "erp/update/change 1001; erp/update/change 1002", brief(p), "until it is applied")
	l.sync()
	require.Zero(t, l.report.Evaluated, "then only who changed")
}

func TestRulesThatReadTheTimeLookAtEveryone(t *testing.T) {
	l := newLab(t, "1001 name=Jane")
	l.connector("erp", plan.Policy{}, mapping.Rules{Attributes: []mapping.AttributeRule{
		{To: "userName", From: mapping.Rule{Expr: `person.name + " " + string(date(now, "UTC"))`, Place: "provhub.yaml:5"}}}})
	l.sync()
	require.Empty(t, brief(l.run()), "the same day")
	l.now = l.now.Add(24 * time.Hour)
	require.Equal(t, "erp/update/change 1001", brief(l.run()), "nobody changed, but the day did")
}

// QUIRKS HR-3: the person is the anchor. Another name and another mail address are a
// change of one account, never somebody who left and somebody who came.
func TestARenamedPersonIsTheSame(t *testing.T) {
	l := newLab(t, "1001 name=Jane mail=jane.doe@x.test", "1002 name=Joe mail=joe@x.test")
	l.sync()
	l.people("1001 name=Janet mail=janet.roe@x.test", "1002 name=Joe mail=joe@x.test")
	require.Equal(t, "crm/update/change 1001", brief(l.sync()))
	require.Equal(t, "janet.roe@x.test", l.account("crm", "1001").Applied.Text("mail"))
	require.Zero(t, l.report.Vanished+l.report.New)
}

// QUIRKS HR-14: on a change of name what is shown follows, in one operation; a name that
// people sign in with stays where its rule is for creating, and follows where it is not.
func TestANameChangeLeavesTheUserNameWhereTheRuleSaysSo(t *testing.T) {
	rule := func(expr string) mapping.Rule { return mapping.Rule{Expr: expr, Place: "provhub.yaml:5"} }
	for apply, want := range map[mapping.Apply]string{mapping.OnCreate: "Jane", mapping.Always: "Janet"} {
		l := newLab(t, "1001 name=Jane mail=jane.doe@x.test")
		l.connector("crm", plan.Policy{}, mapping.Rules{Attributes: []mapping.AttributeRule{
			{To: "mail", From: rule("person.mail")}, {To: "userName", From: rule("person.name"), Apply: apply}}})
		l.sync()
		l.people("1001 name=Janet mail=janet.roe@x.test")
		require.Equal(t, "crm/update/change 1001", brief(l.sync()))
		applied := l.account("crm", "1001").Applied
		require.Equal(t, []string{"janet.roe@x.test", want}, []string{applied.Text("mail"), applied.Text("userName")})
	}
}

// QUIRKS HR-26: who works for somebody is looked at again when that one changes.
func TestManagerPullsTheirPeople(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane manager=1", "1002 name=Joe manager=2")
	l.sync()
	require.Equal(t, "Boss", l.account("crm", "1001").Applied.Text("boss"))
	require.Empty(t, l.account("crm", "1002").Applied.Text("boss"), "an unknown manager defers the attribute, not the account")
	l.people("1 name=Chief", "1001 name=Jane manager=1", "1002 name=Joe manager=2", "2 name=New manager=2")
	require.Equal(t, "crm/create/join 2; crm/update/change 1; crm/update/change 1001; crm/update/change 1002", sorted(brief(l.sync())))
	require.Equal(t, "New", l.account("crm", "1002").Applied.Text("boss"))
	require.Empty(t, l.account("crm", "2").Applied.Text("boss"))
	require.Contains(t, l.report.Source.Warnings[0], "1 people are named as their own manager")
}

func TestOneBadRuleOrPersonStopsNobodyElse(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "1002 name=Joe dept=x", "1003 name=Jim")
	l.connector("crm", plan.Policy{}, mapping.Rules{Scope: mapping.Rule{Expr: `person.dept == "x"`, Place: "provhub.yaml:3"}})
	p := l.sync()
	require.Equal(t, "crm/create/join 1002", brief(p))
	require.Equal(t, "no_scope_data 1001; no_scope_data 1003", faults(p))
	require.Contains(t, p.Faults[0].Text, "provhub.yaml:3")
	require.NotContains(t, p.Faults[0].Text, "Jane")
}

// A rule that fails must not keep the account of somebody who left open.
func TestLeaverNeedsNoMapping(t *testing.T) {
	l := newLab(t, "1001 name=Jane dept=x", "1002 name=Joe dept=x")
	l.connector("crm", plan.Policy{}, mapping.Rules{Scope: mapping.Rule{Expr: `person.dept == "x"`, Place: "provhub.yaml:3"}})
	l.sync()
	l.people("1001 name=Jane status=T", "1002 name=Joe dept=x")
	p := l.sync()
	require.Equal(t, "crm/disable/leave 1001", brief(p))
	require.Empty(t, p.Faults)
}

func TestErrorsNameTheSourceAndConcludeNothing(t *testing.T) {
	l := newLab(t, staff(3, "")...)
	l.sync()
	l.people("1001 name=changed")
	l.file.broken = errors.New("hr.csv:7: the quotes never end")
	_, err := l.try()
	require.EqualError(t, err, "source hr: hr.csv:7: the quotes never end")
	l.file.broken = nil
	l.people(staff(3, "")...)
	require.Empty(t, brief(l.sync()), "nothing of the broken reading was taken over")
}

func TestGuardsHoldThePlan(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	c := &l.cycle.Connectors[0]
	c.Guards = plan.Guards{Run: map[plan.Guarded]plan.Limit{"disable": {Max: 3}}}
	l.sync()
	rows := staff(20, "")
	for i := range 4 {
		rows[i] += " status=T"
	}
	l.people(rows...)
	p := l.sync()
	require.Len(t, p.Verdicts, 1)
	require.Contains(t, p.Verdicts[0].Text, "crm: 4 accounts to disable in this plan, the limit is max 3")
	require.Equal(t, identity.Created, l.account("crm", "1000").Ownership)
	again := l.run()
	require.Equal(t, p.Hash, again.Hash, "an approval stays good until something changes")
}

// QUIRKS Q-30: disabled accounts are deleted when their time is over, and the
// people behind them have not changed since.
func TestTimedDelete(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "1002 name=Joe", "1003 name=Jim")
	l.connector("crm", plan.Policy{DeleteAfter: 24 * time.Hour}, mapping.Rules{})
	l.sync()
	l.people("1001 name=Jane status=T", "1002 name=Joe", "1003 name=Jim")
	require.Equal(t, "crm/disable/leave 1001", brief(l.sync()))
	l.now = l.now.Add(22 * time.Hour)
	require.Empty(t, brief(l.sync()))
	require.Equal(t, "crm/delete/expired 1001", brief(l.sync()))
	require.True(t, l.account("crm", "1001").Absent)
	require.Empty(t, brief(l.sync()))
}

// QUIRKS Q-32: a legal hold stops the delete until it ends.
func TestALegalHoldStopsTheTimedDelete(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "1002 name=Joe", "1003 name=Jim")
	l.connector("crm", plan.Policy{DeleteAfter: 24 * time.Hour}, mapping.Rules{})
	l.sync()
	l.people("1002 name=Joe", "1003 name=Jim")
	require.Equal(t, "crm/disable/gone 1001", brief(l.sync()))
	l.now = l.now.Add(24 * time.Hour)
	p := l.run()
	require.Equal(t, "crm/delete/expired 1001", brief(p))
	jane := identity.Key{Source: p.Inputs.Source, Kind: identity.Person, Anchor: "1001"}
	_, err := l.store.SavePlan(t.Context(), p, store.PlanProposed, "test", l.now)
	require.NoError(t, err)
	_, err = l.store.SetHold(t.Context(), jane, &identity.Hold{By: "olga", Reason: "case 1", Since: l.now}, "olga", "case 1", l.now)
	require.NoError(t, err)
	_, err = l.store.ApplyPlan(t.Context(), p.Hash, "test", l.now)
	var drift *store.DriftError
	require.ErrorAs(t, err, &drift, "a plan that was made before is not carried out")
	l.now = l.now.Add(90 * 24 * time.Hour)
	require.Empty(t, brief(l.sync()))
	_, err = l.store.SetHold(t.Context(), jane, nil, "olga", "closed", l.now)
	require.NoError(t, err)
	require.Equal(t, "crm/delete/expired 1001", brief(l.sync()))
}

func TestCancelledContextEndsThePass(t *testing.T) {
	l := newLab(t, staff(3, "")...)
	ctx, cancel := contextWithCancel(t)
	cancel()
	_, _, err := l.cycle.Run(ctx, l.now)
	require.ErrorIs(t, err, ctx.Err())
}

// A create that still waits must not go out for somebody who is gone, though the
// rules changed at the same time.
func TestGoneWithAnOpenCreateIsWithdrawnWhenRulesChange(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "1 name=Boss")
	p := l.run()
	l.apply(p)
	l.connector("crm", plan.Policy{}, mapping.Rules{})
	l.people("1 name=Boss")
	p = l.run()
	require.Empty(t, brief(p))
	require.Len(t, p.Withdraw, 1)
	l.apply(p)
	l.drain()
	require.Zero(t, l.account("crm", "1001").Rev)
	require.NotZero(t, l.account("crm", "1").Rev)
}

func TestGroupsComeBeforePeople(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "g1 name=Sales kind=group status=T", "1 name=Boss")
	c := &l.cycle.Connectors[0]
	c.Schema = append(connector.Schema{{Name: "team", Kind: connector.KindGroup, Attributes: []connector.Attr{{Name: "displayName"}}}}, c.Schema...)
	p := l.sync()
	require.Equal(t, "crm/create/join 1; crm/create/join 1001", brief(p), "a kind without rules is not provisioned")
	program, err := mapping.Compile(l.file.Fields(), true, mapping.Rules{Connector: "crm", Kind: identity.Group,
		Attributes: []mapping.AttributeRule{{To: "displayName", From: mapping.Rule{Expr: "group.name", Place: "provhub.yaml:20"}}}})
	require.NoError(t, err)
	c.Programs[identity.Group], c.RulesHash = program, "with groups"
	l.people("1001 name=Jane", "g1 name=Sales kind=group", "1 name=Boss", "1002 name=New")
	require.Equal(t, "crm/create/join g1; crm/create/join 1002", brief(l.sync()))
	l.people("1001 name=Jane", "g1 name=Selling kind=group", "1 name=Boss", "1002 name=New", "1003 name=Newer")
	require.Equal(t, "crm/update/change g1; crm/create/join 1003", brief(l.sync()))
}
