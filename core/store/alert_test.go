package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestAlertsAreKeptOnceAScopeConditionAndSubject(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		late := store.Alert{Condition: "leaver.late", Subject: "crm", Severity: "critical", Summary: "2 leavers wait.", Do: "Look.", Page: "/queue",
			Since: now.Add(-time.Hour), SeenAt: now}
		crash := store.Alert{Scope: "node-1", Condition: "plugin.crashes", Subject: "crm", Severity: "critical", Since: now, SeenAt: now}
		require.NoError(t, o.SaveAlerts(t.Context(), []store.Alert{late, crash}, nil, nil))
		require.Equal(t, []store.Alert{late, crash}, must(o.Alerts(t.Context())))

		late.Summary, late.ToldAt, late.ClearedAt = "1 leaver waits.", now, now.Add(time.Minute)
		require.NoError(t, o.SaveAlerts(t.Context(), []store.Alert{late}, []store.Alert{crash}, nil))
		require.Equal(t, []store.Alert{late}, must(o.Alerts(t.Context())))
		require.Empty(t, must(o.Alerts(t.Context()))[1:])
	})
}

func TestNoticesWaitUntilTheyAreTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		n := store.Notice{ID: "n1", Route: "pager", Body: "{}", CreatedAt: now, NextAt: now}
		other := n
		other.Route = "mail"
		require.NoError(t, o.SaveAlerts(t.Context(), nil, nil, []store.Notice{n, other}))
		require.NoError(t, o.SaveAlerts(t.Context(), nil, nil, []store.Notice{n}), "the same again is the same")
		require.Empty(t, must(o.Notices(t.Context(), now.Add(-time.Second), 10)), "not due yet")
		require.Equal(t, []store.Notice{other, n}, must(o.Notices(t.Context(), now, 10)))

		n.NextAt, n.LastError = now.Add(time.Minute), "refused"
		require.NoError(t, o.PutOffNotice(t.Context(), n))
		require.NoError(t, o.EndNotice(t.Context(), other))
		require.Empty(t, must(o.Notices(t.Context(), now, 10)))
		n.Tries = 1
		require.Equal(t, []store.Notice{n}, must(o.Notices(t.Context(), now.Add(time.Hour), 10)))
	})
}
