package web

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/schedule"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// alarm has two alerts that people were told of, and one that has to last first.
func (l *lab) alarm() {
	l.t.Helper()
	now := l.hub.Now()
	a := func(condition, subject, severity, summary string, told time.Time) store.Alert {
		return store.Alert{Condition: condition, Subject: subject, Severity: severity, Summary: summary, Do: "Do something.", Page: "/connectors/crm", Since: now, SeenAt: now, ToldAt: told}
	}
	require.NoError(l.t, l.hub.State().SaveAlerts(l.t.Context(), []store.Alert{
		a("queue.old", "crm", "warning", "Operations of crm wait.", now), a("connector.stopped", "crm", "critical", "crm refuses the password.", now),
		a("source.failing", "hr", "warning", "Not for long yet.", time.Time{}),
	}, nil, []store.Notice{{ID: "n1", Route: "pager", Body: "{}", CreatedAt: now}}))
}

func TestAlertsAreShown(t *testing.T) {
	l := newLab(t)
	l.alarm()
	b := l.as(signin.Viewer)
	for _, path := range []string{"/", "/alerts"} {
		text := b.ok(path)
		assert.NotContains(t, text, "Not for long yet", path)
		critical, warning := strings.Index(text, "crm refuses the password."), strings.Index(text, "Operations of crm wait.")
		assert.Positive(t, critical, path)
		assert.Less(t, critical, warning, "%s: the critical first", path)
	}
	text := b.ok("/alerts")
	assert.Contains(t, text, "pager")
	assert.Contains(t, text, "not tried yet")
	assert.Contains(t, text, "Nobody is told of alerts but here")
}

// Operations that wait for a connector which sends nothing are in the queue, with why,
// what that means for leavers, and who can do something about it.
func TestAConnectorThatStandsStillIsInTheQueue(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.hub.Pause(t.Context(), "crm", "the vendor moves"))
	leavers, now := l.held().Hash, l.hub.Now()
	require.NoError(t, l.hub.State().ApprovePlan(t.Context(), leavers, store.Approval{By: "olga", Reason: "ticket 1", At: now, Until: now.Add(time.Hour)}))
	_, err := l.hub.Apply(t.Context(), leavers)
	require.NoError(t, err)
	b := l.as(signin.Helpdesk)
	text := b.ok("/queue")
	for _, want := range []string{"a person has paused crm", "provhub: the vendor moves", "leavers among them", `href="/connectors/crm"`, `href="/queue/list?connector=crm"`} {
		assert.Contains(t, text, want)
	}
	require.NoError(t, l.hub.Resume(t.Context(), "crm"))
	assert.NotContains(t, b.ok("/queue"), "a person has paused")

	noon, err := schedule.NewWindows([]schedule.Window{{Cron: "0 12 * * *", For: 4 * time.Hour}})
	require.NoError(t, err)
	crm, err := l.hub.Connector("crm")
	require.NoError(t, err)
	crm.Maintenance = noon
	until := "maintenance until " + time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC).Local().Format("2006-01-02 15:04 MST")
	text = b.ok("/queue")
	assert.Contains(t, text, "the target of crm is worked on")
	assert.Contains(t, text, until)
	for _, path := range []string{"/", "/connectors/crm"} {
		text = l.as(signin.Operator).ok(path)
		assert.Contains(t, text, `<span class="badge maintenance">maintenance</span>`, path)
		assert.NotContains(t, text, "Resume crm", path)
	}
	assert.Contains(t, text, until[len("maintenance "):])
}

func TestASourceSaysWhenItIsReadNext(t *testing.T) {
	text := newLab(t).as(signin.Viewer).ok("/sources/hr")
	assert.Regexp(t, `<dt>Next</dt><dd><time [^>]*>in \d+ (min|s)</time>`, text)
	assert.Contains(t, text, "(@every 15m)")
}

func TestNodesAreShown(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Viewer)
	assert.Contains(t, b.ok("/nodes"), "No node serves.")
	now := l.hub.Now()
	_, err := l.hub.State().BeginRun(t.Context(), store.Run{Kind: "cycle", Subject: "hr", StartedAt: now, Why: "schedule", Node: "berlin/1"})
	require.NoError(t, err)
	var text, crm string
	require.Eventually(t, func() bool { // a node that is not heard of for a while is gone
		require.NoError(t, l.hub.State().Seen(t.Context(), store.Node{Name: "berlin/1", Version: "1.2", Address: "10.0.0.1:8484", StartedAt: now, Connectors: []string{"crm"}}))
		text, crm = b.ok("/nodes"), b.ok("/connectors/crm")
		return strings.Contains(text, "serves") && strings.Contains(crm, "berlin/1")
	}, time.Minute, 10*time.Millisecond)
	for _, want := range []string{"berlin/1", "10.0.0.1:8484", "cycle of hr", "No node sends to"} {
		assert.Contains(t, text, want)
	}
	assert.Contains(t, b.ok("/connectors/wiki"), "no node")
}

func TestRunsByKind(t *testing.T) {
	l := bareLab(t, "")
	now := l.hub.Now()
	due := now.Truncate(time.Hour).Add(-5 * time.Hour)
	for _, r := range []store.Run{{Kind: "cycle", Subject: "hr", Slot: due}, {Kind: "reconcile", Subject: "crm", Slot: now}, {Kind: "retention"}} {
		r.StartedAt, r.Why = now, "schedule"
		_, err := l.hub.State().BeginRun(t.Context(), r)
		require.NoError(t, err)
		r.EndedAt, r.Outcome, r.Summary = now.Add(time.Second), store.RunDone, "went well: "+r.Kind
		require.NoError(t, l.hub.State().EndRun(t.Context(), r))
	}
	b := l.as(signin.Viewer)
	text := b.ok("/runs?kind=reconcile")
	assert.Contains(t, text, `href="/connectors/crm"`)
	assert.NotContains(t, text, "went well: cycle")
	assert.NotContains(t, text, ", due ")
	assert.Contains(t, b.ok("/sources/hr"), "schedule, due "+due.Local().Format("2006-01-02 15:04:05"), "nobody was there to begin it")
	assert.Contains(t, b.ok("/runs"), "went well: cycle")
	assert.Contains(t, b.ok("/runs?kind=none"), "Nothing of this kind has run yet.")
	assert.Contains(t, b.ok("/connectors/crm"), "went well: reconcile")
	assert.Contains(t, b.ok("/findings"), "As far as it was looked")
}
