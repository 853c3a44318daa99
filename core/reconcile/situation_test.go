package reconcile_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/reconcile"
)

// QUIRKS HR-13: what is found is reported, unless the config says otherwise, and an orphan
// is disabled at most.
func TestWhatIsFoundIsReportedByDefault(t *testing.T) {
	for _, s := range reconcile.Situations {
		require.NotEmpty(t, reconcile.Allowed[s], s)
		require.Equal(t, reconcile.Report, reconcile.Allowed[s][0], s)
	}
	require.ElementsMatch(t, []reconcile.Reaction{reconcile.Report, reconcile.Disable, reconcile.Ignore}, reconcile.Allowed[reconcile.Orphan])
	op := plan.Orphan("reconcile/crm", "crm", identity.Person, connector.Ref{Type: "user", ID: "u1"})
	require.Equal(t, plan.Disable, op.Kind)
	require.Equal(t, connector.IsDisabled, op.Enabled)
}

// QUIRKS Q-44: two reports that have nothing in common.
func TestSituationsAreOfTheTargetOrOfTheLedger(t *testing.T) {
	for _, s := range reconcile.OfTarget {
		require.NotContains(t, reconcile.OfLedger, s)
	}
}
