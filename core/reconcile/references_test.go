package reconcile_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/reconcile"
)

// The ledger names the manager of everybody in these tests by the anchor 9.
func TestReferencesAreComparedByWhoseAccountTheyName(t *testing.T) {
	manager := func(ids ...string) func(*connector.Object) {
		return func(o *connector.Object) {
			o.Attributes = o.Attributes[:2:2]
			for _, id := range ids {
				o.Attributes = append(o.Attributes, connector.Attribute{Name: "manager", Values: connector.Values{connector.Ref{Type: "user", ID: id}}})
			}
		}
	}
	none := func(a *identity.Account) { a.Applied = a.Applied[:3] }
	drifted := []seen{{reconcile.Drifted, "1", "changed in the target: manager"}}
	for _, c := range []struct {
		name   string
		boss   identity.Account
		listed connector.Object
		want   []seen
	}{
		{"the same manager", account("9", none), object("1", manager("id-9")), nil},
		{"another manager", account("9", none), object("1", manager("id-8")), drifted},
		{"no manager any more", account("9", none), object("1", manager()), drifted},
		{"a manager whose account is gone is not judged", account("9", none, func(a *identity.Account) { a.Absent = true }), object("1", manager()), nil},
		{"nor one who has none", account("7", none), object("1", manager("id-8")), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{complete: true, ledger: map[string]identity.Account{"1": account("1"), c.boss.Anchor: c.boss}, listed: []connector.Object{c.listed}}
			if !c.boss.Absent {
				w.listed = append(w.listed, object(c.boss.Anchor, manager()))
			}
			w.there = w.listed
			found, correct, _ := run(t, w, map[reconcile.Situation]reconcile.Reaction{reconcile.Drifted: reconcile.Fix})
			require.Equal(t, c.want, found)
			if c.want == nil {
				return
			}
			require.Len(t, correct, 1)
			require.NotEqual(t, account("1").Applied.Get("manager"), correct[0].Applied.Get("manager"), "so that the next plan sends it again")
		})
	}
}

func TestWhatIsWantedIsTold(t *testing.T) {
	key := identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: "1"}
	op := func(kind plan.Kind, change ...func(*plan.Operation)) *plan.Operation {
		o := &plan.Operation{AccountKey: key, Kind: kind, Reason: "because"}
		for _, f := range change {
			f(o)
		}
		return o
	}
	grant := func(remove bool) func(*plan.Operation) {
		return func(o *plan.Operation) {
			o.Grants = append(o.Grants, plan.GrantChange{Grant: identity.Grant{Entitlement: "seller"}, Remove: remove})
		}
	}
	title := func(o *plan.Operation) {
		o.Changes = []plan.Change{{Name: "title", Before: connector.Values{"a"}, After: connector.Values{"b"}}}
	}
	for _, c := range []struct {
		name      string
		wish      reconcile.Wish
		situation reconcile.Situation
		text      string
	}{
		{"nobody made the account", reconcile.Wish{Operation: op(plan.Create)}, reconcile.Owed, "because"},
		{"it is disabled and should not be", reconcile.Wish{Operation: op(plan.Enable)}, reconcile.Owed, "because"},
		{"somebody left", reconcile.Wish{Operation: op(plan.Disable), Next: true}, reconcile.LeftOver, "because; the next plan looks at it"},
		{"kept too long", reconcile.Wish{Operation: op(plan.Delete)}, reconcile.LeftOver, "because"},
		{"another title", reconcile.Wish{Operation: op(plan.Update, title, grant(false))}, reconcile.Outdated,
			"not as the rules say now: title, grant seller: not given yet"},
		{"a role too many weighs more", reconcile.Wish{Operation: op(plan.Update, title, grant(true))}, reconcile.Excess,
			"not as the rules say now: title, grant seller: not to be given any more"},
		{"a person has to decide", reconcile.Wish{Operation: op(plan.Adopt, func(o *plan.Operation) { o.Park = "is it the same person?" }),
			Fault: &plan.Note{Code: plan.NoteRehire, Text: "is it the same person?"}}, reconcile.Owed, "because; is it the same person?"},
		{"nobody wants what waits", reconcile.Wish{Withdraw: true}, reconcile.Outdated, "an operation waits in the queue that is not wanted any more"},
		{"nothing can be done", reconcile.Wish{Fault: &plan.Note{Code: plan.NoteUnable, Text: "left; it stays in use"}}, reconcile.LeftOver, "left; it stays in use"},
		{"a rule fails", reconcile.Wish{Fault: &plan.Note{Code: "mapping", Text: "no such key"}}, reconcile.Unclear, "no such key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.wish.AccountKey = key
			f := c.wish.Finding()
			require.Equal(t, []any{c.situation, c.text, "wanted:hr/1"}, []any{f.Situation, f.Text, f.About()})
		})
	}
}
