package daemon_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// A config with faults is told of whole, and the one before stays.
func TestAFaultyConfigIsNotTakenOver(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm")
	l.people("1,ann,here")
	n := l.start("a")
	l.eventually("crm", map[string]bool{"ann": true})
	before := n.Hub()
	text, err := os.ReadFile(l.path("provhub.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(l.path("provhub.yaml"), []byte(strings.ReplaceAll(strings.ReplaceAll(string(text),
		"secrets: {dsn: crm_dsn}", "secrets: {dsn: crm_dns}"), "anchor: id", "anchor: idd")), 0o600))
	n.Reload(t.Context())
	require.Same(t, before, n.Hub())
	require.Contains(t, n.logs.String(), `there is no secret \"crm_dns\"`)
	require.Contains(t, n.logs.String(), "idd", "all faults are told")
	l.people("1,ann,left")
	require.NoError(t, n.Ask(t.Context(), "cycle", "hr", "test"))
	l.eventually("crm", map[string]bool{"ann": false})
}

// Of a new config, the connectors that changed are begun anew, those that are new
// begin, those that are gone end, and the others go on with the plugin they have.
func TestReload(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "same", "changed", "gone")
	l.people("1,ann,here", "2,bo,here")
	n := l.start("a")
	for _, c := range l.connectors {
		l.eventually(c, map[string]bool{"ann": true, "bo": true})
	}
	instance := func(name string) any {
		c, err := n.Hub().Connector(name)
		require.NoError(t, err)
		in, err := n.Hub().Instance(t.Context(), c)
		require.NoError(t, err)
		return in
	}
	same, changed := instance("same"), instance("changed")

	l.exec("new", `CREATE TABLE app_user (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, employee_no TEXT UNIQUE, active BOOLEAN NOT NULL DEFAULT true)`)
	l.connectors = []string{"same", "changed", "new"}
	l.more["changed"] = "    in_flight: 3\n"
	l.write()
	n.Reload(t.Context())
	l.eventually("new", map[string]bool{"ann": true, "bo": true})
	require.Same(t, same, instance("same"))
	require.NotSame(t, changed, instance("changed"))
	l.people("1,ann,left", "2,bo,here")
	require.NoError(t, l.eventuallyAsk(n))
	for _, c := range l.connectors {
		l.eventually(c, map[string]bool{"ann": false, "bo": true})
	}
	require.Equal(t, map[string]bool{"ann": true, "bo": true}, l.accounts("gone"))
	ok, h := n.ready()
	require.True(t, ok, "%+v", h)
	require.Len(t, n.owners()["a"], 3)
}

// eventuallyAsk asks for a reading as soon as runs begin again.
func (l *lab) eventuallyAsk(n *node) (err error) {
	l.within(60*time.Second, "runs begin again", func() bool {
		err = n.Ask(l.t.Context(), "cycle", "hr", "test")
		return err != hub.ErrNotServing
	})
	return err
}

// A secret that was replaced is used after a reload.
func TestReloadTakesNewSecrets(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm", "other")
	l.people("1,ann,here")
	n := l.start("a")
	l.eventually("crm", map[string]bool{"ann": true})
	require.NoError(t, os.WriteFile(l.path("crm.dsn"), []byte(l.path("crm.db")+"?"), 0o600))
	n.Reload(t.Context())
	require.Contains(t, n.logs.String(), `changed=[crm]`)
}

// A maintenance window that a reload brings holds from the next call on, says so where
// people look, and is over when it is taken out.
func TestReloadTakesMaintenanceWindows(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm")
	l.people("1,ann,here")
	n := l.start("a")
	l.eventually("crm", map[string]bool{"ann": true}) // its dispatcher runs
	now := time.Now().UTC().Add(-time.Minute)
	l.more["crm"] = fmt.Sprintf("    maintenance: [{cron: \"%d %d * * *\", for: 23h}]\n", now.Minute(), now.Hour())
	l.write()
	n.Reload(t.Context())
	l.people("1,ann,left")
	require.NoError(t, l.eventuallyAsk(n))
	var causes store.Causes
	l.within(60*time.Second, "the leaver waits", func() (ok bool) {
		var err error
		causes, err = n.Hub().Causes(t.Context(), store.CauseFilter{})
		require.NoError(t, err)
		return len(causes.Causes) == 1
	})
	require.Equal(t, store.StillMaintained, causes.Causes[0].Standstill.Kind)
	require.Equal(t, 1, causes.Causes[0].Leavers)
	found, err := n.Hub().Connectors(t.Context())
	require.NoError(t, err)
	require.Contains(t, found[0].State, "maintenance until ")
	require.Equal(t, map[string]bool{"ann": true}, l.accounts("crm"))

	delete(l.more, "crm")
	l.write()
	n.Reload(t.Context())
	l.eventually("crm", map[string]bool{"ann": false})
}

// A connector whose plugin cannot start is told of, and goes on by itself once it can;
// the others do not wait for it.
func TestAPluginThatCannotStart(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm", "broken")
	l.people("1,ann,here")
	first := l.start("a")
	l.eventually("crm", map[string]bool{"ann": true})
	l.eventually("broken", map[string]bool{"ann": true})
	first.close()

	l.exec("broken", `ALTER TABLE app_user RENAME TO elsewhere`)
	l.people("1,ann,left")
	n := l.start("b")
	require.NoError(t, l.eventuallyAsk(n))
	l.eventually("crm", map[string]bool{"ann": false})
	l.within(60*time.Second, "it is told of", func() bool { return !n.check("connectors").OK })
	ok, h := n.ready()
	require.True(t, ok, "requests are taken all the same: %+v", h)
	require.NotContains(t, n.check("connectors").Reason, "broken", "whoever asks sees it")
	require.Contains(t, n.logs.String(), "app_user")
	l.exec("broken", `ALTER TABLE elsewhere RENAME TO app_user`)
	l.within(60*time.Second, "it goes on", func() bool { return !l.accounts("broken")["ann"] })
	ok, h = n.ready()
	require.True(t, ok, "%+v", h)
}
