package plan

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

func many(n int, kind Kind, change ...func(*Operation)) []Operation {
	var out []Operation
	for i := range n {
		o := op(kind, "crm", identity.Person, strconv.Itoa(i), LaneNormal)
		for _, c := range change {
			c(&o)
		}
		out = append(out, o)
	}
	return out
}

func changing(name string, naming bool, values ...any) func(*Operation) {
	return func(o *Operation) {
		o.Changes = append(o.Changes, Change{Name: name, Before: connector.Values{"before"}, After: values, Naming: naming})
	}
}

func revoking(o *Operation) {
	o.Grants = []GrantChange{{Grant: identity.Grant{Entitlement: "a"}, Remove: true}, {Grant: identity.Grant{Entitlement: "b"}, Remove: true}, {Grant: identity.Grant{Entitlement: "c"}}}
}

// QUIRKS HR-9: limits per connector and kind, absolute and in percent with a
// minimum population, per run and per 24 hours.
func TestGuards(t *testing.T) {
	run := func(g Guarded, l Limit) Guards { return Guards{Run: map[Guarded]Limit{g: l}} }
	day := func(g Guarded, l Limit) Guards { return Guards{Day: map[Guarded]Limit{g: l}} }
	tests := []struct {
		name   string
		guards Guards
		ops    []Operation
		pop    Population
		want   string
	}{
		{name: "no limits, no verdict", ops: many(100, Delete), pop: Population{Accounts: 100}},
		{name: "as many as the limit is fine", guards: run("disable", Limit{Max: 3}), ops: many(3, Disable)},
		{name: "one more is not", guards: run("disable", Limit{Max: 3}), ops: many(4, Disable), want: "disable 4 max 3 run"},
		{name: "another kind does not count", guards: run("disable", Limit{Max: 3}), ops: many(9, Delete)},
		{name: "a share as large as the limit is fine", guards: run("disable", Limit{Percent: 5}), ops: many(5, Disable), pop: Population{Accounts: 100}},
		{name: "a larger one is not", guards: run("disable", Limit{Percent: 5}), ops: many(6, Disable), pop: Population{Accounts: 100}, want: "disable 6 5 % of 100 run"},
		{name: "a share of a small population is still a few", guards: run("disable", Limit{Percent: 5}), ops: many(5, Disable), pop: Population{Accounts: 9}},
		{name: "and a small population is still guarded", guards: run("disable", Limit{Percent: 5}), ops: many(6, Disable), pop: Population{Accounts: 9}, want: "disable 6 5 % of 100 run"},
		{name: "what counts as small can be set", guards: run("disable", Limit{Percent: 50, MinPopulation: 2}), ops: many(3, Disable), pop: Population{Accounts: 4}, want: "disable 3 50 % of 4 run"},
		{name: "either limit trips", guards: run("delete", Limit{Max: 2, Percent: 50}), ops: many(3, Delete), pop: Population{Accounts: 100}, want: "delete 3 max 2 run"},
		{name: "drip by drip over a day trips", guards: day("disable", Limit{Max: 10}), ops: many(2, Disable), pop: Population{Last24h: map[Guarded]int{"disable": 9}}, want: "disable 11 max 10 24h"},
		{name: "a day that was full does not hold what is harmless", guards: day("disable", Limit{Max: 10}), ops: many(2, Create), pop: Population{Last24h: map[Guarded]int{"disable": 11}}},
		{name: "every grant that is removed counts", guards: run(GuardRevoke, Limit{Max: 3}), ops: many(2, Update, revoking), want: "revoke 4 max 3 run"},
		{name: "renames count", guards: run(GuardRename, Limit{Max: 1}), ops: many(2, Update, changing("userName", true, "x")), want: "rename 2 max 1 run"},
		{name: "a new account is no rename", guards: run(GuardRename, Limit{Max: 1}), ops: many(2, Create, changing("userName", true, "x"))},
		{name: "every attribute that is emptied counts", guards: run(GuardClear, Limit{Max: 3}), ops: many(2, Update, changing("a", false), changing("b", false)), want: "clear 4 max 3 run"},
		{name: "one attribute changed for many counts", guards: run(GuardAttribute, Limit{Max: 3}), ops: append(many(4, Update, changing("mail", false, "x")), many(2, Update, changing("title", false, "x"))...),
			want: "attribute 4 max 3 run"},
		{name: "an adoption that leaves a value as it is does not count", guards: run(GuardAttribute, Limit{Max: 1}), ops: many(2, Adopt, changing("mail", false, "before"))},
		{name: "QUIRKS HR-6: out of scope has a limit of its own", guards: run(GuardOutOfScope, Limit{Max: 1}), ops: many(2, Disable, func(o *Operation) { o.Cause = CauseOutOfScope }), want: "out_of_scope 2 max 1 run"},
		{name: "other connectors have their own limits", guards: run("disable", Limit{Max: 1}), ops: many(4, Disable, func(o *Operation) { o.Connector = "erp" })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verdicts := tt.guards.Check("crm", tt.ops, tt.pop)
			if tt.want == "" {
				require.Empty(t, verdicts)
				return
			}
			require.Len(t, verdicts, 1)
			v := verdicts[0]
			require.Equal(t, tt.want, string(v.Guarded)+" "+strconv.Itoa(v.Count)+" "+v.Limit+" "+v.Window)
			require.Contains(t, v.Text, "crm: "+strconv.Itoa(v.Count))
		})
	}
}

func TestVerdictTellsWhatAndHowMany(t *testing.T) {
	ops := many(34, Disable)
	p := Plan{Operations: ops, Verdicts: Guards{Run: map[Guarded]Limit{"disable": {Percent: 5}}}.Check("crm", ops, Population{Accounts: 310})}
	Seal(&p)
	require.Equal(t, "crm: 34 accounts to disable in this plan, the limit is 5 % of 310", p.Verdicts[0].Text)
}

// QUIRKS HR-2
func TestConflicts(t *testing.T) {
	create := func(anchor, attribute, value string) Operation {
		o := op(Create, "crm", identity.Person, anchor, LaneNormal)
		o.Correlate = connector.Correlation{Attribute: attribute, Value: value}
		return o
	}
	adopt := func(anchor, id string) Operation {
		o := op(Adopt, "crm", identity.Person, anchor, LaneNormal)
		o.Target.ID = id
		return o
	}
	elsewhere := create("5", "mail", "j@x.test")
	elsewhere.Connector = "erp"
	kept, notes := Conflicts([]Operation{
		create("1", "mail", "j@x.test"), create("2", "mail", "J@X.test"), create("3", "mail", "k@x.test"),
		adopt("4", "u1"), adopt("6", "u1"), adopt("7", "u2"), elsewhere, op(Disable, "crm", identity.Person, "8", LaneLeaver),
	})
	var left []string
	for _, o := range kept {
		left = append(left, o.Anchor)
	}
	require.Equal(t, []string{"3", "7", "5", "8"}, left)
	require.Equal(t, []string{NoteConflict, NoteConflict, NoteConflict, NoteConflict}, codes(notes))
	require.Equal(t, "claims the same value of mail as 2; two people cannot share an account: make the source tell them apart", notes[0].Text)
	require.Equal(t, "claims the same existing account as 6; two people cannot share an account: make the source tell them apart", notes[2].Text)
	require.True(t, notes[0].Unsettled())

	kept, notes = Conflicts([]Operation{create("1", "", ""), create("2", "", "")})
	require.Len(t, kept, 2)
	require.Empty(t, notes)
}
