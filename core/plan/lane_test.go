package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
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
