package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/reconcile"
)

var schema = connector.Schema{{Name: "user", Kind: connector.KindAccount, Attributes: []connector.Attr{
	{Name: "userName", CaseExact: true}, {Name: "title"}, {Name: "password", WriteOnly: true}, {Name: "manager", Type: connector.TypeReference},
	{Name: "phones", Multi: true},
}}}

// world is a target and a ledger that a test writes down.
type world struct {
	listed, there []connector.Object // what the listing has, and what Get finds
	complete      bool
	ledger        map[string]identity.Account // by anchor
	open          map[string]plan.OpenOperation
	owners        map[string][]string // target id → anchors
	taken         bool
}

func (w *world) List(_ context.Context, _ connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	for _, o := range w.listed {
		if err := yield(o); err != nil {
			return connector.ListEnd{}, err
		}
	}
	return connector.ListEnd{Complete: w.complete}, nil
}

func (w *world) Get(_ context.Context, ref connector.Ref, _ []string) (connector.Object, error) {
	for _, o := range w.there {
		if o.Ref.ID == ref.ID {
			return o, nil
		}
	}
	return connector.Object{}, connector.Errorf(connector.CodeNotFound, "it is not there")
}

func (w *world) AccountsByTarget(_ context.Context, _ string, _ identity.Kind, ids []string) (map[string]identity.Account, error) {
	out := map[string]identity.Account{}
	for _, a := range w.ledger {
		if slices.Contains(ids, a.Ref.ID) {
			out[a.Ref.ID] = a
		}
	}
	return out, nil
}

func (w *world) EachTargetID(_ context.Context, _ string, _ identity.Kind, yield func(key identity.Key, id string) error) error {
	for _, a := range w.ledger {
		if !a.Absent {
			if err := yield(a.Identity(), a.Ref.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) ConnectorAccounts(_ context.Context, _ string, keys []identity.Key) (map[identity.AccountKey]identity.Account, error) {
	out := map[identity.AccountKey]identity.Account{}
	for _, k := range keys {
		out[k.Account("crm")] = w.ledger[k.Anchor]
	}
	return out, nil
}

func (w *world) OpenOperations(_ context.Context, keys []identity.Key) (map[identity.AccountKey]plan.OpenOperation, error) {
	out := map[identity.AccountKey]plan.OpenOperation{}
	for _, k := range keys {
		if op, ok := w.open[k.Anchor]; ok {
			out[k.Account("crm")] = op
		}
	}
	return out, nil
}

func (w *world) Entitlements(context.Context, string) (map[string]bool, error) {
	return map[string]bool{"reader": true, "admin": true}, nil
}

func (w *world) Of(_ context.Context, _ identity.Kind, o *connector.Object) (who []identity.Key, taken bool, err error) {
	for _, anchor := range w.owners[o.Ref.ID] {
		who = append(who, identity.Key{Source: "hr", Kind: identity.Person, Anchor: anchor})
	}
	return who, w.taken, nil
}

func account(anchor string, change ...func(*identity.Account)) identity.Account {
	a := identity.Account{AccountKey: identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: anchor}, Ref: connector.Ref{Type: "user", ID: "id-" + anchor},
		Ownership: identity.Created, Enabled: connector.IsEnabled, Rev: 3, Grants: []identity.Grant{{Entitlement: "reader", Reason: "everyone"}},
		Applied: connector.Attributes{{Name: "userName", Values: connector.Values{anchor}}, {Name: "title", Values: connector.Values{"Agent"}}, {Name: "password", Values: connector.Values{"x"}},
			{Name: "manager", Values: connector.Values{connector.Ref{Type: "person", By: connector.Correlation{Attribute: "anchor", Value: "9"}}}}}}
	for _, f := range change {
		f(&a)
	}
	return a
}

func object(anchor string, change ...func(*connector.Object)) connector.Object {
	o := connector.Object{Ref: connector.Ref{Type: "user", ID: "id-" + anchor}, Enabled: connector.IsEnabled, Grants: []connector.Ref{{ID: "7", Name: "reader"}},
		Attributes: connector.Attributes{{Name: "userName", Values: connector.Values{anchor}}, {Name: "title", Values: connector.Values{"AGENT"}},
			{Name: "manager", Values: connector.Values{connector.Ref{ID: "id-9"}}}}}
	for _, f := range change {
		f(&o)
	}
	return o
}

// seen is one finding in short.
type seen struct {
	situation reconcile.Situation
	anchor    string
	text      string
}

func run(t *testing.T, w *world, react map[reconcile.Situation]reconcile.Reaction) ([]seen, []identity.Account, reconcile.Result) {
	t.Helper()
	var found []seen
	var correct []identity.Account
	r := reconcile.Run{Connector: "crm", Schema: schema, Capabilities: connector.Capabilities{List: true, Get: true}, Target: w, Ledger: w, Owners: w,
		Kinds: []identity.Kind{identity.Person, identity.Group}, React: react, Now: time.Now,
		Found: func(_ context.Context, f reconcile.Finding, c *identity.Account) error {
			found = append(found, seen{f.Situation, f.Anchor, f.Text})
			if c != nil {
				correct = append(correct, *c)
			}
			return nil
		}}
	res, err := r.Do(t.Context())
	require.NoError(t, err)
	return found, correct, res
}

// QUIRKS Q-44: the target against the ledger.
func TestSituations(t *testing.T) {
	off := func(a *identity.Account) { a.Enabled = connector.IsDisabled }
	for _, c := range []struct {
		name   string
		have   []identity.Account
		listed []connector.Object
		world  func(*world)
		want   []seen
	}{
		{"case, references, write-only attributes and what is not told are no drift", []identity.Account{account("1")}, []connector.Object{object("1", func(o *connector.Object) { o.Grants = nil })}, nil, nil},
		{"an attribute", []identity.Account{account("1")}, []connector.Object{object("1", func(o *connector.Object) { o.Attributes[1].Values = connector.Values{"Boss"} })}, nil,
			[]seen{{reconcile.Drifted, "1", "changed in the target: title"}}},
		{"an attribute emptied", []identity.Account{account("1")}, []connector.Object{object("1", func(o *connector.Object) { o.Attributes = o.Attributes[:1] })}, nil,
			[]seen{{reconcile.Drifted, "1", "changed in the target: title"}}},
		{"an attribute cut short", []identity.Account{account("1")}, []connector.Object{object("1", func(o *connector.Object) {
			o.Attributes[1] = connector.Attribute{Name: "title", Incomplete: true}
		})}, nil, nil},
		{"grants", []identity.Account{account("1")}, []connector.Object{object("1", func(o *connector.Object) {
			o.Grants = []connector.Ref{{ID: "admin"}, {ID: "8", Name: "theirs"}}
		})}, nil, []seen{{reconcile.Drifted, "1", "changed in the target: grant reader: gone, grant admin: extra, grant theirs: extra"}}},
		{"disabled by somebody", []identity.Account{account("1")}, []connector.Object{object("1", func(o *connector.Object) { o.Enabled = connector.IsDisabled })}, nil,
			[]seen{{reconcile.Drifted, "1", "changed in the target: disabled"}}},
		{"enabled again", []identity.Account{account("1", off)}, []connector.Object{object("1")}, nil, []seen{{reconcile.Enabled, "1", "we disabled it, and somebody enabled it"}}},
		{"missing", []identity.Account{account("1")}, nil, nil, []seen{{reconcile.Missing, "1", "it is not in the target any more"}}},
		{"passed over by the listing", []identity.Account{account("1")}, nil, func(w *world) { w.there = []connector.Object{object("1")} }, nil},
		{"a listing that is not complete", []identity.Account{account("1")}, nil, func(w *world) { w.complete = false }, nil},
		{"mended since it was listed", []identity.Account{account("1")}, []connector.Object{object("1", func(o *connector.Object) { o.Enabled = connector.IsDisabled })},
			func(w *world) { w.there = []connector.Object{object("1")} }, nil},
		{"deleted since it was listed", []identity.Account{account("1", func(a *identity.Account) { a.Absent = true })}, []connector.Object{object("1")},
			func(w *world) { w.there = nil }, nil},
		{"an operation is under way", []identity.Account{account("1", off)}, []connector.Object{object("1")},
			func(w *world) { w.open = map[string]plan.OpenOperation{"1": {Sent: true}} }, nil},
		{"an operation waits", []identity.Account{account("1", off)}, []connector.Object{object("1")},
			func(w *world) { w.open = map[string]plan.OpenOperation{"1": {}} }, []seen{{reconcile.Enabled, "1", "we disabled it, and somebody enabled it"}}},
		{"there again", []identity.Account{account("1", func(a *identity.Account) { a.Absent = true })}, []connector.Object{object("1")}, nil,
			[]seen{{reconcile.Returned, "1", "we deleted it, and it is there"}}},
		{"only observed", []identity.Account{account("1", off, func(a *identity.Account) { a.Ownership = identity.Observed })}, []connector.Object{object("1")}, nil, nil},
		{"an orphan", nil, []connector.Object{object("x")}, nil, []seen{{reconcile.Orphan, "", "it belongs to nobody we know"}}},
		{"somebody's who has none", nil, []connector.Object{object("x")}, func(w *world) { w.owners = map[string][]string{"id-x": {"4"}} },
			[]seen{{reconcile.Unlinked, "4", "it matches somebody who has no account"}}},
		{"somebody's who has another", nil, []connector.Object{object("x")}, func(w *world) { w.owners, w.taken = map[string][]string{"id-x": {"4"}}, true },
			[]seen{{reconcile.Ambiguous, "4", "it matches somebody who has another account"}}},
		{"several people's", nil, []connector.Object{object("x")}, func(w *world) { w.owners = map[string][]string{"id-x": {"4", "5"}} },
			[]seen{{reconcile.Ambiguous, "4", "it matches 2 people"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{listed: c.listed, there: c.listed, complete: true, ledger: map[string]identity.Account{}}
			for _, a := range c.have {
				w.ledger[a.Anchor] = a
			}
			if c.world != nil {
				c.world(w)
			}
			found, _, res := run(t, w, nil)
			require.Equal(t, c.want, found)
			require.Equal(t, w.complete, res.Complete)
		})
	}
}

// What is to be fixed is written into the ledger as it was seen, and nothing else.
func TestCorrections(t *testing.T) {
	w := &world{complete: true, ledger: map[string]identity.Account{"1": account("1"), "2": account("2")}, listed: []connector.Object{
		object("1", func(o *connector.Object) {
			o.Enabled = connector.IsDisabled
			o.Attributes[1].Values = connector.Values{"Boss"}
			o.Grants = []connector.Ref{{ID: "admin"}, {Name: "theirs"}}
		})}}
	w.there = w.listed
	_, correct, _ := run(t, w, map[reconcile.Situation]reconcile.Reaction{reconcile.Drifted: reconcile.Fix, reconcile.Missing: reconcile.Fix})
	require.Len(t, correct, 2)
	want := account("1", func(a *identity.Account) {
		a.Enabled = connector.IsDisabled
		a.Applied[1].Values = connector.Values{"Boss"}
		a.Grants = []identity.Grant{{Entitlement: "admin", Reason: "found in the target"}}
	})
	require.Equal(t, want, correct[0], "not what no rule of ours gives")
	require.True(t, correct[1].Absent)
	require.Empty(t, correct[1].Grants)
}

// Many accounts are compared in batches, each with few questions to the ledger.
func TestMany(t *testing.T) {
	w := &world{complete: true, ledger: map[string]identity.Account{}}
	for i := range 1700 {
		a := account(fmt.Sprint(i))
		w.ledger[a.Anchor] = a
		if i%100 != 7 {
			w.listed = append(w.listed, object(a.Anchor))
		}
	}
	w.there = w.listed
	found, _, res := run(t, w, map[reconcile.Situation]reconcile.Reaction{reconcile.Missing: reconcile.Ignore})
	require.Empty(t, found)
	require.Equal(t, 17, res.Counts[reconcile.Missing])
	require.Equal(t, 1683, res.Counts[reconcile.InSync])
}
