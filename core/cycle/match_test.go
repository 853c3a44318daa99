package cycle

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// directory is a target that can be asked.
type directory struct {
	objects     []connector.Object
	down        error
	cut         bool // its listings are not complete
	gets, lists int
}

func (d *directory) Get(_ context.Context, ref connector.Ref, _ []string) (connector.Object, error) {
	d.gets++
	var found []connector.Object
	for _, o := range d.objects {
		if ref.ID != "" && o.Ref.ID == ref.ID || ref.ID == "" && strings.EqualFold(o.Attributes.Text(ref.By.Attribute), ref.By.Value) {
			found = append(found, o)
		}
	}
	switch {
	case d.down != nil:
		return connector.Object{}, d.down
	case len(found) == 0:
		return connector.Object{}, connector.Errorf(connector.CodeNotFound, "none")
	case len(found) > 1:
		return connector.Object{}, connector.Errorf(connector.CodeAmbiguous, "several")
	}
	return found[0], nil
}

func (d *directory) List(_ context.Context, _ connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	d.lists++
	for _, o := range d.objects {
		if err := yield(o); err != nil {
			return connector.ListEnd{}, err
		}
	}
	return connector.ListEnd{Complete: !d.cut}, d.down
}

// has puts accounts into the directory: "x1 j@x.test".
func (d *directory) has(accounts ...string) *directory {
	for _, a := range accounts {
		id, mail, _ := strings.Cut(a, " ")
		d.objects = append(d.objects, connector.Object{Ref: connector.Ref{Type: "user", ID: id},
			Attributes: connector.Attributes{{Name: "mail", Values: connector.Values{mail}}}, Enabled: connector.IsEnabled})
	}
	return d
}

func (l *lab) matching(d *directory, on plan.MatchReaction, caps connector.Capabilities) {
	c := l.connector("crm", plan.Policy{Match: []string{"mail"}, OnMatch: on}, mapping.Rules{})
	c.Capabilities = caps
	if d != nil {
		c.Target = d
	}
}

var askable = connector.Capabilities{Get: true, List: true}

func TestExistingAccounts(t *testing.T) {
	jane := "1001 name=Jane mail=j@x.test"
	tests := []struct {
		name   string
		on     plan.MatchReaction
		caps   connector.Capabilities
		target *directory
		op     string
		fault  string
	}{
		{name: "none there", on: plan.MatchAdopt, caps: askable, target: (&directory{}).has("x1 other@x.test"), op: "crm/create/join 1001"},
		{name: "one is adopted", on: plan.MatchAdopt, caps: askable, target: (&directory{}).has("x1 J@X.test"), op: "crm/adopt/join 1001"},
		{name: "one is left to a person", on: plan.MatchPark, caps: askable, target: (&directory{}).has("x1 j@x.test"), op: "crm/adopt/join 1001"},
		{name: "one is observed", on: plan.MatchObserve, caps: askable, target: (&directory{}).has("x1 j@x.test")},
		{name: "two are ambiguous", on: plan.MatchAdopt, caps: askable, target: (&directory{}).has("x1 j@x.test", "x2 j@x.test"), fault: "ambiguous 1001"},
		{name: "found in a list where nothing can be looked up", on: plan.MatchAdopt, caps: connector.Capabilities{List: true}, target: (&directory{}).has("x1 j@x.test"), op: "crm/adopt/join 1001"},
		{name: "two in a list are ambiguous", on: plan.MatchAdopt, caps: connector.Capabilities{List: true}, target: (&directory{}).has("x1 j@x.test", "x2 j@x.test"), fault: "ambiguous 1001"},
		{name: "a list that is not complete proves nothing", on: plan.MatchPark, caps: connector.Capabilities{List: true}, target: &directory{cut: true}, fault: "not_asked 1001"},
		{name: "a target that is down cannot be asked", on: plan.MatchPark, caps: askable, target: &directory{down: connector.Errorf(connector.CodeUnavailable, "down")}, fault: "not_asked 1001"},
		{name: "and adopts by itself later where that is the policy", on: plan.MatchAdopt, caps: askable, target: &directory{down: connector.Errorf(connector.CodeUnavailable, "down")}, op: "crm/create/join 1001"},
		{name: "offline, a person's decision waits", on: plan.MatchPark, caps: askable, fault: "not_asked 1001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, jane)
			l.matching(tt.target, tt.on, tt.caps)
			p := l.run()
			require.Equal(t, tt.op, brief(p))
			require.Equal(t, tt.fault, faults(p))
			if len(p.Operations) == 1 && p.Operations[0].Kind == plan.Adopt {
				require.Equal(t, "x1", p.Operations[0].Target.ID)
			}
			if tt.fault == "" {
				return
			}
			l.apply(p)
			require.Equal(t, tt.fault, faults(l.run()), "looked at again though nobody changed")
		})
	}
}

func TestObservedIsInTheLedgerAndNeverTouched(t *testing.T) {
	l := newLab(t, "1001 name=Jane mail=j@x.test", "1 name=Boss")
	l.matching((&directory{}).has("x1 j@x.test"), plan.MatchObserve, askable)
	l.sync()
	require.Equal(t, identity.Observed, l.account("crm", "1001").Ownership)
	l.people("1001 name=Janet mail=j@x.test", "1 name=Boss")
	require.Empty(t, brief(l.sync()))
	l.people("1001 name=Janet mail=j@x.test status=T", "1 name=Boss")
	p := l.sync()
	require.Empty(t, brief(p))
	require.Equal(t, plan.NoteObserved, p.Notes[0].Code)
}

// QUIRKS HR-2: a match that another person has already is a conflict, and so are
// two people who match the same account.
func TestTwoPeopleNeverShareAnAccount(t *testing.T) {
	l := newLab(t, "1001 name=Jane mail=j@x.test")
	d := (&directory{}).has("x1 j@x.test", "x2 k@x.test")
	l.matching(d, plan.MatchAdopt, askable)
	require.Equal(t, "crm/adopt/join 1001", brief(l.sync()))
	l.people("1001 name=Jane mail=j@x.test", "1002 name=Joe mail=J@x.test", "1003 name=Kim mail=k@x.test", "1004 name=Kai mail=k@x.test", "1005 name=Lee mail=l@x.test", "1006 name=Leo mail=l@x.test")
	p := l.sync()
	require.Empty(t, brief(p))
	require.Equal(t, "conflict 1002; conflict 1003; conflict 1004; conflict 1005; conflict 1006", faults(p))
	require.Contains(t, p.Faults[0].Text, "belongs to 1001")
	require.Contains(t, p.Faults[1].Text, "as 1004")
	require.Empty(t, p.Names)
	l.people("1001 name=Jane mail=j@x.test", "1002 name=Joe mail=m@x.test", "1003 name=Kim mail=k@x.test", "1004 name=Kai", "1005 name=Lee mail=l@x.test", "1006 name=Leo")
	require.Equal(t, "crm/adopt/join 1003; crm/create/join 1002; crm/create/join 1004; crm/create/join 1005; crm/create/join 1006", sorted(brief(l.run())), "once the source tells them apart")
}

// QUIRKS HR-10, HR-11: hired again under another number, a person links the old
// account; nothing happens by itself.
func TestRehireUnderAnotherNumber(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane mail=j@x.test dept=sales")
	d := &directory{}
	l.matching(d, plan.MatchAdopt, askable)
	l.sync()
	d.has("id-1001 j@x.test")
	l.people("1 name=Boss", "1001 name=Jane mail=j@x.test status=T")
	require.Equal(t, "crm/disable/leave 1001", brief(l.sync()))
	l.people("1 name=Boss", "1001 name=Jane mail=j@x.test status=T", "2001 name=Jane mail=j@x.test")
	p := l.sync()
	require.Equal(t, "crm/adopt/return 2001 -sales", brief(p))
	require.Equal(t, "rehire 2001", faults(p))
	require.Equal(t, "1001", p.Operations[0].Replaces.Anchor)
	require.Zero(t, l.account("crm", "2001").Rev, "it waits for a person")
	require.Empty(t, brief(l.sync()), "and is not planned afresh")

	l.people("1 name=Boss", "1001 name=Jane mail=j@x.test", "2001 name=Jane mail=j@x.test")
	p = l.sync()
	require.Equal(t, "crm/enable/return 1001 -sales", brief(p))
	require.Equal(t, "conflict 2001", faults(p))
	require.Len(t, p.Withdraw, 1, "the first one is back, so it was somebody else")

	l.people("1 name=Boss", "2001 name=Jane mail=j@x.test")
	require.Equal(t, "crm/disable/gone 1001", brief(l.sync()), "her account is still to be disabled")
	p = l.sync()
	require.Equal(t, "crm/adopt/return 2001", brief(p))
	require.NoError(t, l.store.RetryOperation(t.Context(), p.Operations[0].ID, "helpdesk", l.now))
	l.drain()
	linked, former := l.account("crm", "2001"), l.account("crm", "1001")
	require.Equal(t, "id-1001", linked.Ref.ID)
	require.Equal(t, connector.IsEnabled, linked.Enabled)
	require.Empty(t, linked.Grants)
	require.True(t, former.Absent, "it is nobody's twice")
	require.Empty(t, former.Grants)
	require.Empty(t, brief(l.sync()))
}

func TestManyLookupsBecomeOneListing(t *testing.T) {
	rows := staff(300, "")
	d := (&directory{}).has("x1 p1250@x.test")
	l := newLab(t, rows...)
	l.matching(d, plan.MatchAdopt, askable)
	p := l.run()
	require.Len(t, p.Operations, 300)
	require.Equal(t, plan.Counts{plan.Create: 299, plan.Adopt: 1}, plan.CountsOf(p.Operations))
	require.Equal(t, 1, d.lists)
	require.Equal(t, getsMax+1, d.gets, "and what was found in the list is read as it is now")
}

func TestNamesAreGivenOnce(t *testing.T) {
	l := newLab(t, "1001 name=Sam", "1002 name=Sam")
	named := mapping.Rules{Attributes: []mapping.AttributeRule{{To: "userName", From: mapping.Rule{Expr: "unique(lower(person.name))", Place: "provhub.yaml:4"}, Apply: mapping.OnCreate}}}
	l.connector("crm", plan.Policy{}, named)
	l.sync()
	first, second := l.account("crm", "1001").Applied.Text("userName"), l.account("crm", "1002").Applied.Text("userName")
	require.Equal(t, "sam", first)
	require.NotEqual(t, first, second)
	l.people("1001 name=Sam", "1002 name=Sam", "1003 name=Sam")
	l.sync()
	third := l.account("crm", "1003").Applied.Text("userName")
	require.NotContains(t, []string{first, second}, third) // QUIRKS HR-17
	l.people("1001 name=Samuel", "1002 name=Sam", "1003 name=Sam")
	require.Empty(t, brief(l.sync()), "a name is given on create alone")
}

func TestLeftOutConnectorSeesEveryoneWhenItIsBack(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "1 name=Boss")
	l.sync()
	crm := l.cycle.Connectors
	l.cycle.Connectors, l.cycle.LeftOut = nil, []string{"crm"}
	l.people("1001 name=Jane status=T", "1 name=Boss")
	require.Empty(t, brief(l.sync()))
	l.cycle.Connectors, l.cycle.LeftOut = crm, nil
	require.Equal(t, "crm/disable/leave 1001", brief(l.sync()))
}
