package daemon_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/store/storetest"
)

// check returns one of the checks of readyz.
func (n *node) check(name string) daemon.HealthCheck {
	n.l.t.Helper()
	_, h := n.ready()
	for _, c := range h.Checks {
		if c.Name == name {
			return c
		}
	}
	return daemon.HealthCheck{}
}

// alive checks that nobody would start the process anew.
func (n *node) alive() {
	n.l.t.Helper()
	status, body := n.get("/healthz")
	require.Equal(n.l.t, []any{200, "ok\n"}, []any{status, body})
}

// While the database is gone, requests belong elsewhere; that the process is started
// anew would not help.
func TestReadyWhileTheDatabaseIsGone(t *testing.T) {
	wire, url := through(t, storetest.PostgresURL(t))
	l := newLab(t, url, "crm")
	l.people("1,ann,here")
	n := l.start("a")
	l.eventually("crm", map[string]bool{"ann": true})
	ok, h := n.ready()
	require.True(t, ok, "%+v", h)
	wire.silent()
	l.within(60*time.Second, "it says so", func() bool { return !n.check("state").OK && !n.check("role").OK })
	ok, h = n.ready()
	require.False(t, ok, "%+v", h)
	require.Equal(t, daemon.HealthCheck{Name: "state", Required: true, Reason: "the database does not answer"}, n.check("state"))
	n.alive()
	wire.heals()
	l.within(60*time.Second, "it is back", func() bool { ok, _ := n.ready(); return ok })
}

// From the signal to stop on, no new requests are wanted; those that come while
// something is under way yet are answered.
func TestReadyWhileItStops(t *testing.T) {
	l := newLab(t, "sqlite:state.db", "crm")
	l.people("1,ann,here")
	n, begun, end := l.open("a"), make(chan struct{}), make(chan struct{})
	n.before = func(d *daemon.Node) {
		d.Lead(func(context.Context) {
			close(begun)
			<-end
		})
	}
	n.run("a")
	<-begun
	n.stop()
	ok, _ := n.ready()
	require.False(t, ok)
	require.Equal(t, daemon.HealthCheck{Name: "running", Required: true, Reason: "this node stops"}, n.check("running"))
	n.alive()
	close(end)
	n.close()
}
