package daemon_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

type assertions = assert.CollectT

// What is in the source comes to the targets by itself, what changes too, and what a
// command puts into the queue.
func TestServe(t *testing.T) {
	each(t, []string{"crm", "chat"}, func(t *testing.T, l *lab) {
		l.cron = "@every 1s"
		l.people("1,ann,here", "2,bo,here")
		n := l.start("a")
		l.eventually("crm", map[string]bool{"ann": true, "bo": true})
		l.eventually("chat", map[string]bool{"ann": true, "bo": true})
		l.people("1,ann,here", "2,bo,left", "3,cy,here")
		l.eventually("crm", map[string]bool{"ann": true, "bo": false, "cy": true})

		var h daemon.Health
		l.within(60*time.Second, "it is ready", func() (ok bool) { ok, h = n.ready(); return ok })
		names := []string{}
		for _, c := range h.Checks {
			names = append(names, c.Name)
		}
		require.Equal(t, []string{"running", "state", "writes", "role", "jobs", "connectors"}, names)
		status, body := n.get("/healthz")
		require.Equal(t, []any{200, "ok\n"}, []any{status, body})

		nodes, err := n.State().Nodes(t.Context())
		require.NoError(t, err)
		require.Len(t, nodes, 1)
		require.Equal(t, []any{"a", "test", n.Address()}, []any{nodes[0].Name, nodes[0].Version, nodes[0].Address})
		n.close()
		nodes, err = l.open("b").nodes()
		require.NoError(t, err)
		require.Empty(t, nodes, "it has said that it stops")
	})
}

// A source that was never read does not wait for its schedule.
func TestFirstReading(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm")
	l.people("1,ann,here")
	l.start("a")
	l.eventually("crm", map[string]bool{"ann": true})
}

// Beside a node nobody else reads, plans or sends; whoever tries is told by whom, and
// what a command wants the node does.
func TestNobodyElseWorks(t *testing.T) {
	each(t, []string{"crm"}, func(t *testing.T, l *lab) {
		l.people("1,ann,here")
		l.start("a")
		other := l.open("b")
		defer other.hub.Close()
		_, err := other.hub.State().Work(t.Context(), "test")
		require.ErrorIs(t, err, store.ErrBusy)
		require.ErrorContains(t, err, "provhub serve, process")
		require.EventuallyWithT(t, func(c *assertions) { // a node is known as one a moment after it has its role
			_, err := other.hub.Sync(t.Context(), hub.PlanOptions{}, hub.DrainOptions{})
			require.NoError(c, err)
		}, 60*time.Second, 100*time.Millisecond)
		l.eventually("crm", map[string]bool{"ann": true})
	})
}

// What a guard holds is applied as soon as a person has approved it.
func TestApproved(t *testing.T) {
	each(t, []string{"crm"}, func(t *testing.T, l *lab) {
		l.more["crm"] = "    guards: {disable: {max: 1}}\n"
		l.people("1,ann,here", "2,bo,here", "3,cy,here")
		n := l.start("a")
		l.eventually("crm", map[string]bool{"ann": true, "bo": true, "cy": true})
		n.drained()
		l.people("1,ann,left", "2,bo,left", "3,cy,here")
		require.NoError(t, n.Ask(t.Context(), "cycle", "hr", "test"))
		var held string
		l.within(60*time.Second, "the plan is held", func() bool {
			var err error
			held, err = n.State().HeldPlan(t.Context(), "hr")
			require.NoError(t, err)
			return held != ""
		})
		now := time.Now()
		require.NoError(t, n.State().ApprovePlan(t.Context(), held, store.Approval{By: "alice", Reason: "true", At: now, Until: now.Add(time.Hour)}))
		l.eventually("crm", map[string]bool{"ann": false, "bo": false, "cy": true})
		t.Logf("applied %s after the approval", time.Since(now))
	})
}

// What is pushed is carried out while the answer is waited for.
func TestPush(t *testing.T) {
	each(t, []string{"crm", "chat"}, func(t *testing.T, l *lab) {
		l.people("1,ann,here", "2,bo,here")
		n := l.start("a")
		l.eventually("crm", map[string]bool{"ann": true, "bo": true})
		l.eventually("chat", map[string]bool{"ann": true, "bo": true})
		n.drained() // what is under way is not planned for
		r, err := n.Push(t.Context(), hub.PushRequest{Source: "hr", Record: map[string]any{"id": "1", "login": "ann", "status": "left"}}, hub.DrainOptions{Wait: time.Minute})
		require.NoError(t, err)
		require.Len(t, r.Plans, 1)
		require.Len(t, r.Plans[0].Plan.Operations, 2)
		require.Equal(t, map[string]bool{"ann": false, "bo": true}, l.accounts("crm"))
		require.Equal(t, map[string]bool{"ann": false, "bo": true}, l.accounts("chat"))

		_, err = n.Push(t.Context(), hub.PushRequest{Source: "hr", Record: map[string]any{"id": "1"}}, hub.DrainOptions{Wait: time.Second})
		require.ErrorIs(t, err, hub.ErrPushRequest)
		n.close()
		_, err = n.Push(t.Context(), hub.PushRequest{Source: "hr", Anchor: "1"}, hub.DrainOptions{Wait: time.Second})
		require.ErrorIs(t, err, hub.ErrNotServing)
	})
}
