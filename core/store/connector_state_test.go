package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestAConnectorNobodyWroteAboutRuns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		s, err := o.ConnectorState(t.Context(), "crm")
		require.NoError(t, err)
		require.Equal(t, "crm", s.Connector)
		require.True(t, s.Stopped == "" && s.PausedBy == "" && s.ResumeAt.IsZero() && s.Failures == 0)
	})
}

func TestAWorkersFailureDoesNotUndoAPersonsPause(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		worker := must(o.ConnectorState(t.Context(), "crm"))
		person := must(o.ConnectorState(t.Context(), "crm"))
		person.PausedBy = "bob"
		require.NoError(t, o.SetConnectorState(t.Context(), person, "bob", now))
		worker.Failures, worker.ResumeAt = 3, now.Add(time.Minute)
		require.NoError(t, o.SetConnectorState(t.Context(), worker, store.Hub, now))
		s := must(o.ConnectorState(t.Context(), "crm"))
		require.Equal(t, []any{"bob", 3, now.Add(time.Minute)}, []any{s.PausedBy, s.Failures, s.ResumeAt})

		s.PausedBy = ""
		require.NoError(t, o.SetConnectorState(t.Context(), s, "eve", now))
		require.Empty(t, must(o.ConnectorState(t.Context(), "crm")).PausedBy)
	})
}

func TestStoppingAndPausingAreAudited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		set := func(actor string, edit func(*store.ConnectorState)) {
			s := must(o.ConnectorState(t.Context(), "crm"))
			edit(&s)
			require.NoError(t, o.SetConnectorState(t.Context(), s, actor, now))
		}
		set(store.Hub, func(s *store.ConnectorState) { s.Stopped, s.StoppedAt = "AUTHENTICATION: 401", now })
		set(store.Hub, func(s *store.ConnectorState) { s.Failures = 2 })
		set("bob", func(s *store.ConnectorState) { s.PausedBy = "bob" })
		set("bob", func(s *store.ConnectorState) { s.Stopped, s.StoppedAt, s.PausedBy = "", time.Time{}, "" })
		require.Equal(t, []string{"provhub connector.stop crm", "bob connector.pause crm", "bob connector.start crm", "bob connector.resume crm"}, actions(t, o))
	})
}

func TestRulesBelongToPlansAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		s := must(o.ConnectorState(t.Context(), "crm"))
		p := emptyPlan("p1", 0)
		p.Rules = map[string]string{"crm": "r1"}
		apply(t, o, p)
		s.Failures = 1
		require.NoError(t, o.SetConnectorState(t.Context(), s, store.Hub, now))
		require.Equal(t, "r1", must(o.Rules(t.Context(), "hr"))["crm"])
	})
}

func TestWhichTargetAConnectorIsAboutIsAudited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		set := func(actor string, edit func(*store.ConnectorState)) {
			s := must(o.ConnectorState(t.Context(), "crm"))
			edit(&s)
			require.NoError(t, o.SetConnectorState(t.Context(), s, actor, now))
		}
		worker := must(o.ConnectorState(t.Context(), "crm"))
		set(store.Hub, func(s *store.ConnectorState) { s.Target, s.Unusable, s.UnusableAt = "production", "no such file", now })
		set(store.Hub, func(s *store.ConnectorState) { s.OtherTarget = "test" })
		require.Contains(t, must(o.ConnectorState(t.Context(), "crm")).Held(), "(test, it was production)")
		worker.Failures = 1
		require.NoError(t, o.SetConnectorState(t.Context(), worker, store.Hub, now))
		set("bob", func(s *store.ConnectorState) { s.Target, s.OtherTarget, s.Reason = s.OtherTarget, "", "moved" })
		s := must(o.ConnectorState(t.Context(), "crm"))
		require.Equal(t, []any{"test", "", "no such file", now, 1}, []any{s.Target, s.Held(), s.Unusable, s.UnusableAt, s.Failures})
		require.Equal(t, []string{"provhub connector.hold crm", "bob connector.accept crm"}, actions(t, o))
	})
}
