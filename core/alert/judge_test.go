package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/store"
)

const judgeConfig = `
sources:
  - {name: hr, type: csv, path: hr.csv, anchor: id, columns: [{name: id}]}
  - {name: badges, type: csv, path: badges.csv, anchor: id, columns: [{name: id}], schedule: {cron: "@weekly"}}
connectors:
  - {name: crm, plugin: memory, sources: [hr], config: {}, attributes: [{to: userName, from: person.id}]}
`

func ago(d time.Duration) time.Time { return at.Add(-d) }

// QUIRKS Q-40: the oldest that waits, the last success, no progress, a source that is silent.
func TestWhatIsWrong(t *testing.T) {
	cfg, err := config.Parse("provhub.yaml", []byte(judgeConfig), config.Settings{})
	require.NoError(t, err)
	source := func(name string, s hub.SourceVitals) hub.Vitals {
		s.Name = name
		return hub.Vitals{Sources: []hub.SourceVitals{s}}
	}
	of := func(c hub.ConnectorVitals) hub.Vitals {
		c.Name = "crm"
		return hub.Vitals{Connectors: []hub.ConnectorVitals{c}}
	}
	state := func(s store.ConnectorState) hub.Vitals { return of(hub.ConnectorVitals{State: s}) }
	ready := func(lane plan.Lane, age time.Duration) store.QueueLook {
		return store.QueueLook{Open: map[store.OpState]store.Count{store.OpReady: {N: 3}}, Oldest: map[plan.Lane]time.Time{lane: ago(age)}}
	}
	for _, c := range []struct {
		name   string
		vitals hub.Vitals
		want   Condition // "": nothing is wrong
		says   string
	}{
		{"nothing is known yet", source("hr", hub.SourceVitals{}), "", ""},
		{"a source was read an hour ago", source("hr", hub.SourceVitals{ReadAt: ago(time.Hour)}), "", ""},
		{"a source is silent", source("hr", hub.SourceVitals{ReadAt: ago(25 * time.Hour)}), SourceSilent, "Source hr was last read with success at 2026-03-01 08:00 UTC."},
		{"one that is read weekly is not yet", source("badges", hub.SourceVitals{ReadAt: ago(5 * 24 * time.Hour)}), "", ""},
		{"nor before its schedule has come twice", source("badges", hub.SourceVitals{ReadAt: ago(15 * 24 * time.Hour)}), SourceSilent, "badges"},
		{"a file is missing", source("hr", hub.SourceVitals{ReadAt: ago(time.Hour), Failed: ago(time.Minute), Failure: "source hr: no such file: /in/hr.csv\nmore"}),
			SourceFailing, "Source hr cannot be read: source hr: no such file: /in/hr.csv."},
		{"a reading waits for a person", source("hr", hub.SourceVitals{ReadAt: ago(time.Hour), Refused: ago(time.Minute)}), SourceHeld, "suspicious"},

		{"a plan was held a moment ago", hub.Vitals{Held: []store.PlanHead{{Hash: "0123456789abcdef", Source: "hr", Operations: 1, CreatedAt: ago(time.Minute)}}}, "", ""},
		{"a plan is held", hub.Vitals{Held: []store.PlanHead{{Hash: "0123456789abcdef", Source: "hr", Operations: 212, CreatedAt: ago(time.Hour), Counts: plan.Counts{plan.Update: 12, plan.Disable: 200}}}},
			PlanHeld, "Plan 0123456789ab of source hr is held by a guard, and nobody has decided: 212 operations (200 disable, 12 update)."},

		{"a leaver is on the way", of(hub.ConnectorVitals{Queue: store.QueueLook{Leavers: store.Count{N: 1}, LeaverSince: ago(time.Minute)}}), "", ""},
		{"a leaver is late", of(hub.ConnectorVitals{Queue: store.QueueLook{Leavers: store.Count{N: 2}, LeaverSince: ago(time.Hour)}}),
			LeaverLate, "Connector crm: 2 operations for people who left are not done, the oldest since 2026-03-02 08:00 UTC: they may still have access."},
		{"a leaver is parked", of(hub.ConnectorVitals{Queue: store.QueueLook{ParkedLeavers: store.Count{N: 1}, ParkedSince: ago(time.Second)}}), LeaverParked, "1 operation for people who left"},
		{"a leaver is late while the connector is paused", of(hub.ConnectorVitals{State: store.ConnectorState{PausedBy: "ann: x"},
			Queue: store.QueueLook{Leavers: store.Count{N: 1}, LeaverSince: ago(time.Hour)}}), LeaverLate, ""},

		{"the sign-in is refused", state(store.ConnectorState{Stopped: "AUTHENTICATION: refused", StoppedAt: ago(time.Hour)}), ConnectorStopped, "nothing is sent any more: AUTHENTICATION: refused."},
		{"a person has paused it", state(store.ConnectorState{PausedBy: "ann: maintenance", Stopped: "x"}), "", ""},
		{"another target", state(store.ConnectorState{Target: "a", OtherTarget: "b"}), ConnectorStopped, "another target"},
		{"the plugin does not start", state(store.ConnectorState{Unusable: "not pinned", UnusableAt: ago(time.Hour)}), ConnectorUnusable, "not pinned."},
		{"the target does not answer when the plugin starts, in a maintenance window", of(hub.ConnectorVitals{Maintained: true, State: store.ConnectorState{Unusable: "UNAVAILABLE"}}), "", ""},
		{"the plugin refuses its config", state(store.ConnectorState{Unusable: "the plugin refuses its config\n  /url: is missing", UnusableAt: ago(time.Hour)}),
			ConnectorUnusable, "the plugin refuses its config /url: is missing."},
		{"quarantine", state(store.ConnectorState{Quarantined: "40 of 50 failed", QuarantinedAt: ago(time.Hour)}), ConnectorQuarantined, "40 of 50 failed."},
		{"the breaker is open", of(hub.ConnectorVitals{Down: true, State: store.ConnectorState{Failures: 7}}), ConnectorDown, "7 failures in a row."},
		{"as in a maintenance window", of(hub.ConnectorVitals{Down: true, Maintained: true}), "", ""},

		{"nothing was ever done", of(hub.ConnectorVitals{Queue: ready(plan.LaneNormal, 2*time.Hour)}), ConnectorSilent, "none of those sent lately was done"},
		{"nothing is done any more", of(hub.ConnectorVitals{Queue: ready(plan.LaneNormal, 2*time.Hour), DoneAt: ago(90 * time.Minute)}), ConnectorSilent, "the last one was done at 2026-03-02 07:30 UTC"},
		{"the queue is long", of(hub.ConnectorVitals{Queue: ready(plan.LaneNormal, 2*time.Hour), DoneAt: ago(time.Second)}), QueueOld, "3 operations wait for their turn"},
		{"what fails keeps nothing waiting", of(hub.ConnectorVitals{Queue: store.QueueLook{Failing: ago(2 * time.Hour)}, DoneAt: ago(time.Second)}), "", ""},
		{"all that is left fails", of(hub.ConnectorVitals{Queue: store.QueueLook{Failing: ago(2 * time.Hour)}, DoneAt: ago(2 * time.Hour)}), ConnectorSilent, ""},
		{"a long queue of a connector that is paused", of(hub.ConnectorVitals{State: store.ConnectorState{PausedBy: "ann: x"}, Queue: ready(plan.LaneNormal, 2*time.Hour)}), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.vitals.At = at
			found := Judge(cfg, &c.vitals)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, c.want, found[0].Condition)
			require.Contains(t, found[0].Summary, c.says)
			require.NotEmpty(t, found[0].Do)
			require.Regexp(t, `^/`, found[0].Page)
		})
	}
}

// QUIRKS Q-40: each with a threshold of its own.
func TestEachConditionHasItsOwnThreshold(t *testing.T) {
	cfg, err := config.Parse("provhub.yaml", []byte(judgeConfig+"alerts: {after: {source_silent: 2d, connector_silent: 3h, queue_age: 30m, leaver: 1m}}\n"), config.Settings{})
	require.NoError(t, err)
	waiting := func(age time.Duration, done time.Duration) hub.Vitals {
		return hub.Vitals{Connectors: []hub.ConnectorVitals{{Name: "crm", DoneAt: ago(done), Queue: store.QueueLook{
			Open: map[store.OpState]store.Count{store.OpReady: {N: 3}}, Oldest: map[plan.Lane]time.Time{plan.LaneNormal: ago(age)}}}}}
	}
	leaver := func(age time.Duration) hub.Vitals {
		return hub.Vitals{Connectors: []hub.ConnectorVitals{{Name: "crm", Queue: store.QueueLook{Leavers: store.Count{N: 1}, LeaverSince: ago(age)}}}}
	}
	read := func(age time.Duration) hub.Vitals {
		return hub.Vitals{Sources: []hub.SourceVitals{{Name: "hr", ReadAt: ago(age)}}}
	}
	for _, c := range []struct {
		name   string
		vitals hub.Vitals
		want   Condition
	}{
		{"a source before its time", read(47 * time.Hour), ""},
		{"a source after its time", read(49 * time.Hour), SourceSilent},
		{"a queue before its time", waiting(29*time.Minute, time.Second), ""},
		{"a queue after its time, and something is done", waiting(2*time.Hour, 2*time.Hour), QueueOld},
		{"nothing was done for its time", waiting(4*time.Hour, 4*time.Hour), ConnectorSilent},
		{"a leaver before its time", leaver(50 * time.Second), ""},
		{"a leaver after its time", leaver(2 * time.Minute), LeaverLate},
	} {
		c.vitals.At = at
		var got Condition
		if found := Judge(cfg, &c.vitals); len(found) > 0 {
			got = found[0].Condition
		}
		require.Equal(t, c.want, got, c.name)
	}
}

func TestANodeThatIsGone(t *testing.T) {
	cfg, err := config.Parse("provhub.yaml", []byte(judgeConfig), config.Settings{})
	require.NoError(t, err)
	nodes := []store.Node{{Name: "a", Silent: time.Second}, {Name: "b", Silent: time.Minute, SeenAt: ago(time.Minute)}}
	found := Judge(cfg, &hub.Vitals{At: at, Nodes: nodes})
	require.Len(t, found, 1)
	require.Equal(t, "Node b is gone since 2026-03-02 08:59 UTC without having said so.", found[0].Summary)

	host := func(name string, silent time.Duration) store.Node {
		return store.Node{Name: name, Address: "127.0.0.1:8484", Silent: silent, SeenAt: ago(silent), StartedAt: ago(silent + 30*time.Second)}
	}
	restarted := []store.Node{host("h/1", time.Minute), host("h/2", 0)}
	require.Empty(t, Judge(cfg, &hub.Vitals{At: at, Nodes: restarted}), "it was started again")
	restarted[1].Name = "other/2"
	require.Len(t, Judge(cfg, &hub.Vitals{At: at, Nodes: restarted}), 1)
}

func TestAPluginThatDiesAgainAndAgain(t *testing.T) {
	found := JudgePlugins(map[string]pluginhost.Health{"crm": {Alarm: "the plugin died 5 times within 10m0s; see its incidents"}, "wiki": {Crashes: 1}})
	require.Len(t, found, 1)
	require.Equal(t, PluginCrashing, found[0].Condition)
	require.Equal(t, "crm", found[0].Subject)
}
