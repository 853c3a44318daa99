package plan

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

// QUIRKS Q-7
func TestWhatIsPushedTakesAFasterLane(t *testing.T) {
	pushed := map[Lane]Lane{}
	for _, l := range Lanes {
		pushed[l] = l.pushed()
	}
	require.Equal(t, map[Lane]Lane{LaneUrgent: LaneUrgent, LaneLeaver: LaneUrgent, LanePushed: LanePushed, LaneRevoke: LanePushed, LaneNormal: LanePushed}, pushed)
	require.IsIncreasing(t, Lanes)
}

// What stands in the queue in a slower lane, and leads to the same, is replaced; what
// is parked waits for a person all the same.
func TestAPushOvertakesWhatIsPlanned(t *testing.T) {
	schema := connector.Schema{{Name: "user", Kind: connector.KindAccount, Verbs: []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbEnable, connector.VerbDisable}}}
	subject := Subject{Connector: "crm", Key: identity.Key{Source: "hr", Kind: identity.Person, Anchor: "1"}, State: identity.Leaver,
		Have: identity.Account{Rev: 1, Ref: connector.Ref{ID: "u1"}, Enabled: connector.IsEnabled, Ownership: identity.Created}}
	first := Diff(subject, Policy{}, schema).Operation
	require.Equal(t, LaneLeaver, first.Lane)
	first.ID = "op1"
	open := func(sent, parked bool) *OpenOperation {
		return &OpenOperation{Operation: *first, Sent: sent, Parked: parked}
	}
	subject.Open = open(false, false)
	require.Nil(t, Diff(subject, Policy{}, schema).Operation, "not pushed: it is under way already")
	subject.Pushed = true
	require.Equal(t, LaneUrgent, Diff(subject, Policy{}, schema).Operation.Lane)
	subject.Open = open(false, true)
	require.Nil(t, Diff(subject, Policy{}, schema).Operation, "parked")
	subject.Open = open(true, false)
	require.Nil(t, Diff(subject, Policy{}, schema).Operation, "sent")
}

// What an attempt may have done does not stay behind unseen: only what sets the same
// takes the place of an operation in doubt, and who leaves does not wait for it.
func TestAnOperationInDoubtIsOverwrittenOrWaitedFor(t *testing.T) {
	schema := connector.Schema{{Name: "user", Kind: connector.KindAccount, Verbs: []connector.Verb{connector.VerbUpdate, connector.VerbEnable, connector.VerbDisable},
		Attributes: []connector.Attr{{Name: "dept"}, {Name: "title"}}}}
	have := connector.Attributes{{Name: "dept", Values: connector.Values{"it"}}, {Name: "title", Values: connector.Values{"Clerk"}}}
	for name, c := range map[string]struct {
		open  string // what it sets
		state identity.State
		title string
		want  string
	}{
		"none is wanted after a disable":      {"disable", identity.Active, "Clerk", ""},
		"another thing after a disable":       {"disable", identity.Active, "Head", ""},
		"the same after a disable":            {"disable", identity.Leaver, "", ""},
		"none is wanted after an update":      {"title", identity.Active, "Clerk", ""},
		"the same attribute after an update":  {"title", identity.Active, "Chief", "update"},
		"another attribute after an update":   {"dept", identity.Active, "Chief", ""},
		"somebody leaves, whatever it was on": {"dept", identity.Leaver, "", "disable"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Subject{Connector: "crm", Key: identity.Key{Source: "hr", Kind: identity.Person, Anchor: "1"}, State: c.state,
				Have: identity.Account{Rev: 1, Ref: connector.Ref{ID: "u1"}, Enabled: connector.IsEnabled, Ownership: identity.Created, Applied: have}}
			op := Operation{AccountKey: s.Account("crm"), ID: "op1", Kind: Update, Changes: []Change{{Name: c.open, After: connector.Values{"Head"}}}}
			if c.open == "disable" {
				op.Kind, op.Enabled, op.Changes = Disable, connector.IsDisabled, nil
			}
			s.Open = &OpenOperation{Operation: op, Doubt: true}
			if c.state == identity.Active {
				s.Want = &mapping.Result{InScope: true, Attributes: []mapping.Desired{
					{Name: "dept", Values: connector.Values{"it"}}, {Name: "title", Values: connector.Values{c.title}}}}
			}
			step := Diff(s, Policy{}, schema)
			got := ""
			if step.Operation != nil {
				got = string(step.Operation.Kind)
			}
			require.Equal(t, c.want, got)
			require.Empty(t, step.Withdraw)
			waits := c.want == "" && c.state == identity.Active
			require.Equal(t, waits, slices.ContainsFunc(step.Notes, func(n Note) bool { return n.Code == NoteInFlight }))
		})
	}
}
