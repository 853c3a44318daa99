package web

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// QUIRKS Q-33: how soon leavers are locked out is on the connector's page.
func TestLockoutsAreShown(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Viewer)
	require.Contains(t, b.ok("/connectors/wiki"), "nobody in 30 days")
	now := l.hub.Now()
	require.NoError(t, l.hub.State().ApprovePlan(t.Context(), l.held().Hash, store.Approval{By: "olga", Reason: "so it is", At: now, Until: now.Add(time.Hour)}))
	_, err := l.hub.Sync(t.Context(), hub.PlanOptions{}, hub.DrainOptions{Wait: time.Minute})
	require.NoError(t, err)
	require.Contains(t, b.ok("/connectors/wiki"), "3 in 30 days: half within ")
}

func TestWithinSaysNeverTooLittle(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 s", 20 * time.Millisecond: "1 s", time.Second: "1 s", 1001 * time.Millisecond: "2 s", 59 * time.Second: "59 s",
		59*time.Second + 1: "1 min", 61 * time.Second: "2 min", time.Hour: "1 h", time.Hour + 1: "2 h", 47 * time.Hour: "47 h",
		47*time.Hour + 1: "2 days", 50 * time.Hour: "3 days",
	} {
		require.Equal(t, want, within(d), d)
	}
	require.Equal(t, "1 in 30 days, within 3 s", lockoutsText(store.Lockouts{N: 1, Median: 1, P95: 1, Longest: 3 * time.Second}))
}
