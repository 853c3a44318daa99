package dispatch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// crm is a target that can do everything, one call at a time.
func crm() Shape {
	return Shape{
		Capabilities: connector.Capabilities{
			Verbs: []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbEnable, connector.VerbDisable,
				connector.VerbDelete, connector.VerbGrant, connector.VerbRevoke, connector.VerbRename, connector.VerbPoll},
			Idempotency: connector.IdempotencyNone, Get: true,
		},
		Schema: connector.Schema{
			{Name: "user", Kind: connector.KindAccount, Correlation: []string{"externalId"}, Grants: []string{"role", "seat"}, Attributes: []connector.Attr{
				{Name: "externalId", Unique: true, CaseExact: true},
				{Name: "login", Naming: true, Unique: true},
				{Name: "mail"},
				{Name: "phones", Multi: true},
				{Name: "manager", Type: connector.TypeReference, RefersTo: "user"},
				{Name: "password", WriteOnly: true},
			}},
			{Name: "role", Kind: connector.KindEntitlement, Correlation: []string{"name"}},
			{Name: "seat", Kind: connector.KindEntitlement},
		},
	}
}

func lacking(s Shape, verbs ...connector.Verb) Shape {
	var kept []connector.Verb
	for _, v := range s.Verbs {
		if !strings.Contains(fmt.Sprint(verbs), string(v)) {
			kept = append(kept, v)
		}
	}
	s.Verbs = kept
	return s
}

func atomic(s Shape) Shape { s.Atomic = true; return s }

// Tiny constructors of operations and accounts.
func op(kind plan.Kind, with ...func(*plan.Operation)) plan.Operation {
	o := plan.Operation{ID: "op1", AccountKey: identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: "1001"}, Kind: kind, Lane: plan.LaneNormal}
	switch kind {
	case plan.Create:
		o.Enabled = connector.IsEnabled
		o.Correlate = connector.Correlation{Attribute: "externalId", Value: "1001"}
	case plan.Enable:
		o.Enabled = connector.IsEnabled
	case plan.Disable:
		o.Enabled = connector.IsDisabled
	}
	for _, w := range with {
		w(&o)
	}
	return o
}

func change(name, before, after string) func(*plan.Operation) {
	return func(o *plan.Operation) {
		o.Changes = append(o.Changes, plan.Change{Name: name, Before: texts(before), After: texts(after)})
	}
}

// texts makes values of words separated by blanks.
func texts(s string) connector.Values {
	var vs connector.Values
	for _, w := range strings.Fields(s) {
		vs = append(vs, w)
	}
	return vs
}

func gain(entitlement string) func(*plan.Operation) { return grantChange(entitlement, false) }
func lose(entitlement string) func(*plan.Operation) { return grantChange(entitlement, true) }

func grantChange(e string, remove bool) func(*plan.Operation) {
	return func(o *plan.Operation) {
		o.Grants = append(o.Grants, plan.GrantChange{Grant: identity.Grant{Entitlement: e}, Remove: remove})
	}
}

func account(with ...func(*identity.Account)) identity.Account {
	a := identity.Account{AccountKey: op(plan.Update).AccountKey, Rev: 1, Ref: connector.Ref{ID: "7"}, Ownership: identity.Created, Enabled: connector.IsEnabled}
	for _, w := range with {
		w(&a)
	}
	return a
}

func has(name, values string) func(*identity.Account) {
	return func(a *identity.Account) { a.Applied = set(a.Applied, name, texts(values)) }
}

func holding(es ...string) func(*identity.Account) {
	return func(a *identity.Account) {
		for _, e := range es {
			a.Grants = setGrant(a.Grants, identity.Grant{Entitlement: e}, true)
		}
	}
}

func disabled(a *identity.Account) { a.Enabled = connector.IsDisabled }
func absent(a *identity.Account)   { vanish(a) }

// work is an operation at its first attempt.
func work(o plan.Operation, ledger identity.Account, refs ...string) Work {
	row := store.OpRow{Operation: o}
	w := Work{OpRow: row, Account: Begin(row, ledger), Refs: References{}}
	for _, r := range refs {
		anchor, id, _ := strings.Cut(r, "=")
		w.Refs[identity.Key{Source: "hr", Kind: identity.Person, Anchor: anchor}] = connector.Ref{Type: "user", ID: id}
	}
	return w
}

// show writes a step in one line.
func show(s Step) string {
	switch o := s.Operation.(type) {
	case connector.Create:
		line := fmt.Sprintf("create %s %s%s", o.Type, showAttributes(o.Attributes), o.Enabled)
		if o.Adopt {
			line += " or adopt"
		}
		return line + fmt.Sprintf(" by %s=%s", o.Correlate.Attribute, o.Correlate.Value)
	case connector.Update:
		line := "update " + ref(o.Target)
		for _, c := range o.Changes {
			if c.Delta {
				line += fmt.Sprintf(" %s+%v-%v", c.Name, c.Add, c.Remove)
			} else {
				line += fmt.Sprintf(" %s=%v", c.Name, show1(c.Replace))
			}
		}
		return line
	case connector.SetEnabled:
		return fmt.Sprintf("%s %s", s.Verb(), ref(o.Target))
	case connector.Grant:
		return fmt.Sprintf("grant %s %s %s", ref(o.Principal), o.Entitlement.Type, ref(o.Entitlement))
	case connector.Revoke:
		return fmt.Sprintf("revoke %s %s %s", ref(o.Principal), o.Entitlement.Type, ref(o.Entitlement))
	case connector.Rename:
		return fmt.Sprintf("rename %s %s", ref(o.Target), o.NewName)
	case connector.Delete:
		return "delete " + ref(o.Target)
	}
	return "?"
}

func showAttributes(as connector.Attributes) string {
	s := ""
	for _, a := range as {
		s += fmt.Sprintf("%s=%v ", a.Name, show1(a.Values))
	}
	return s
}

func show1(vs connector.Values) string {
	var out []string
	for _, v := range vs {
		if r, ok := v.(connector.Ref); ok {
			v = ref(r)
		}
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, "|")
}

func ref(r connector.Ref) string {
	if r.ID != "" {
		return "#" + r.ID
	}
	return "by " + r.By.Attribute + "=" + r.By.Value
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name    string
		shape   Shape
		work    Work
		want    []string
		waiting []string
	}{
		{name: "a joiner is created enabled, then gets grants", shape: crm(),
			work: work(op(plan.Create, change("externalId", "", "1001"), change("login", "", "jane"), gain("sales"), gain("vpn")), identity.Account{}),
			want: []string{"create user externalId=1001 login=jane enabled by externalId=1001", "grant by externalId=1001 role by name=sales", "grant by externalId=1001 role by name=vpn"}},
		{name: "after the create the id is used", shape: crm(),
			work: Work{OpRow: store.OpRow{Operation: op(plan.Create, change("login", "", "jane"), gain("sales"), gain("vpn")), StepsDone: 1},
				Account: account(has("login", "jane"), holding("vpn"))},
			want: []string{"grant #7 role by name=sales"}},
		{name: "a leaver is disabled, then loses grants", shape: crm(),
			work: work(op(plan.Disable, lose("sales"), lose("vpn")), account(holding("sales", "vpn"))),
			want: []string{"disable #7", "revoke #7 role by name=sales", "revoke #7 role by name=vpn"}},
		{name: "a mover loses before gaining", shape: crm(),
			work: work(op(plan.Update, change("mail", "a@x", "b@x"), lose("sales"), gain("it")), account(has("mail", "a@x"), holding("sales"))),
			want: []string{"revoke #7 role by name=sales", "update #7 mail=b@x", "grant #7 role by name=it"}},
		{name: "a returner is brought in line before the account is enabled", shape: crm(),
			work: work(op(plan.Enable, change("mail", "a@x", "b@x"), gain("it")), account(disabled, has("mail", "a@x"))),
			want: []string{"update #7 mail=b@x", "enable #7", "grant #7 role by name=it"}},
		{name: "a new name is a rename where the target has one", shape: crm(),
			work: work(op(plan.Update, change("login", "jane", "jdoe"), change("mail", "a@x", "b@x")), account(has("login", "jane"), has("mail", "a@x"))),
			want: []string{"rename #7 jdoe", "update #7 mail=b@x"}},
		{name: "a new name is an attribute where it has none", shape: lacking(crm(), connector.VerbRename),
			work: work(op(plan.Update, change("login", "jane", "jdoe")), account(has("login", "jane"))),
			want: []string{"update #7 login=jdoe"}},
		{name: "a set is changed by what differs, whatever others keep in it", shape: crm(), // QUIRKS Q-8
			work: work(op(plan.Update, change("phones", "1 2", "2 3")), account(has("phones", "1 2"))),
			want: []string{"update #7 phones+[3]-[1]"}},
		{name: "a set that we know nothing of is replaced", shape: crm(),
			work: work(op(plan.Update, change("phones", "", "2 3")), account()),
			want: []string{"update #7 phones=2|3"}},
		{name: "an attribute without a new value is cleared", shape: crm(),
			work: work(op(plan.Update, change("mail", "a@x", "")), account(has("mail", "a@x"))),
			want: []string{"update #7 mail="}},
		{name: "an adopted account is updated where it differs", shape: crm(),
			work: work(op(plan.Adopt, func(o *plan.Operation) { o.Target = connector.Ref{ID: "9"} }, change("login", "jane", "jane"), change("mail", "A@X", "a@x"), change("phones", "1", "2")), identity.Account{}),
			want: []string{"update #9 phones+[2]-[1]"}},
		{name: "an adopted account that is as wanted needs no call", shape: crm(),
			work: work(op(plan.Adopt, func(o *plan.Operation) { o.Target = connector.Ref{ID: "9"} }, change("login", "jane", "jane")), identity.Account{})},
		{name: "a drift is repaired though the ledger has the value", shape: crm(),
			work: work(op(plan.Update, change("mail", "evil@x", "a@x")), account(has("mail", "a@x"))),
			want: []string{"update #7 mail=a@x"}},
		{name: "a create takes over what is there when it may", shape: crm(),
			work: work(op(plan.Create, func(o *plan.Operation) { o.AdoptExisting = true }), identity.Account{}),
			want: []string{"create user enabled or adopt by externalId=1001"}},
		{name: "a delete", shape: crm(), work: work(op(plan.Delete), account()), want: []string{"delete #7"}},
		{name: "deleting what is gone is done", shape: crm(), work: work(op(plan.Delete), account(absent))},
		{name: "disabling what is gone is done", shape: crm(), work: work(op(plan.Disable), account(absent))},
		{name: "a manager is named by the target's id", shape: crm(),
			work: work(op(plan.Create, change("manager", "", "1000")), identity.Account{}, "1000=3"),
			want: []string{"create user manager=#3 enabled by externalId=1001"}},
		{name: "an account is made though its manager has none", shape: crm(), // QUIRKS HR-26
			work:    work(op(plan.Create, change("login", "", "jane"), change("manager", "", "1000"), gain("it")), identity.Account{}),
			want:    []string{"create user login=jane enabled by externalId=1001", "grant by externalId=1001 role by name=it"},
			waiting: []string{"manager"}},
		{name: "the manager follows once there is an account", shape: crm(), // QUIRKS Q-12
			work: Work{OpRow: store.OpRow{Operation: op(plan.Create, change("login", "", "jane"), change("manager", "", "1000")), StepsDone: 1},
				Account: account(has("login", "jane")), Refs: References{{Source: "hr", Kind: identity.Person, Anchor: "1000"}: {ID: "3"}}},
			want: []string{"update #7 manager=#3"}},
		{name: "an entitlement of another type than the first", shape: crm(),
			work: work(op(plan.Update, gain("seat:gold"), gain("seats:gold"), gain("role:it")), account()),
			want: []string{"grant #7 seat #gold", "grant #7 role by name=seats:gold", "grant #7 role by name=it"}},
		{name: "a rehired person's account is made anew", shape: crm(),
			work: work(op(plan.Create, change("login", "", "jane")), account(absent)),
			want: []string{"create user login=jane enabled by externalId=1001"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps, waiting, err := Steps(c.work, c.shape)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range steps {
				got = append(got, show(s))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("steps (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.waiting, waiting); d != "" {
				t.Errorf("waiting (-want +got):\n%s", d)
			}
		})
	}
}

func TestStepsThatCannotBe(t *testing.T) {
	needsManager := crm()
	needsManager.Schema[0].Attributes[4].Required = true
	for _, c := range []struct {
		name  string
		shape Shape
		work  Work
		code  connector.Code
	}{
		{"an update of what is gone needs a new plan", crm(), work(op(plan.Update, change("mail", "a", "b")), account(absent)), connector.CodeNotFound},
		{"a target without disable is told apart from one that failed", lacking(crm(), connector.VerbDisable), work(op(plan.Disable), account()), connector.CodeUnsupported},
		{"a create that must name a manager waits whole", needsManager, work(op(plan.Create, change("manager", "", "1000"), gain("it")), identity.Account{}), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps, waiting, err := Steps(c.work, c.shape)
			if len(steps) > 0 {
				t.Errorf("there are %d steps", len(steps))
			}
			switch {
			case c.code == 0 && (err != nil || len(waiting) != 1):
				t.Errorf("err %v, waiting %v", err, waiting)
			case c.code != 0 && (err == nil || err.Code != c.code):
				t.Errorf("err %v, want %v", err, c.code)
			}
		})
	}
}

func TestStepsOfAnAtomicTargetAreOneGroup(t *testing.T) {
	steps, _, err := Steps(work(op(plan.Create, gain("it"), gain("vpn")), identity.Account{}), atomic(crm()))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if c := s.Meta(); c.Group != "op1" || c.GroupSize != 3 {
			t.Errorf("%s is in group %q of %d", s.Name, c.Group, c.GroupSize)
		}
	}
	steps, _, _ = Steps(work(op(plan.Delete), account()), atomic(crm()))
	if c := steps[0].Meta(); c.Group != "" {
		t.Errorf("a single step is in group %q", c.Group)
	}
}

// The id of a step is what the target knows an attempt again by.
func TestStepIDs(t *testing.T) {
	w := work(op(plan.Update, change("mail", "a", "b"), change("manager", "", "1000"), gain("it")), account(has("mail", "a")))
	first, _, _ := Steps(w, crm())
	w.Attempts, w.MaybeApplied = 3, true
	again, _, _ := Steps(w, crm())
	for i := range first {
		a, b := first[i].Meta(), again[i].Meta()
		if a.ID != b.ID || a.Key != b.Key {
			t.Errorf("attempt 4 of %s is %s, %s", a.ID, b.ID, b.Key)
		}
		if b.Attempt != 4 || !b.MaybeApplied {
			t.Errorf("attempt 4 of %s does not say so: %+v", a.ID, b)
		}
	}
	w.Refs[identity.Key{Source: "hr", Kind: identity.Person, Anchor: "1000"}] = connector.Ref{ID: "3"}
	w.Account.Applied = set(w.Account.Applied, "mail", texts("b"))
	late, _, _ := Steps(w, crm())
	if late[0].Meta().Key == first[0].Meta().Key {
		t.Error("the update that had to wait has the key of the first")
	}
	w.Edited++
	edited, _, _ := Steps(w, crm())
	if edited[0].Meta().Key == late[0].Meta().Key || edited[0].Meta().ID != late[0].Meta().ID {
		t.Error("an edited operation needs another key and the same id")
	}
}
