package daemon_test

import (
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store/storetest"
)

// cut is a way to a database that can be cut.
type cut struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// through returns the URL that leads to a database by way of the cut.
func through(t *testing.T, direct string) (*cut, string) {
	t.Helper()
	api := os.Getenv("PROVHUB_TEST_TOXIPROXY_URL")
	if api == "" {
		t.Skip("needs PROVHUB_TEST_TOXIPROXY_URL: run make test")
	}
	u, err := url.Parse(direct)
	require.NoError(t, err)
	p, err := toxiproxy.NewClient(api).CreateProxy(fmt.Sprintf("daemon-%d-%d", os.Getpid(), time.Now().UnixNano()), "127.0.0.1:0", u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Delete() })
	u.Host = p.Listen
	return &cut{t, p}, u.String()
}

// silent lets nothing through any more; connections stay.
func (c *cut) silent() {
	c.t.Helper()
	_, err := c.proxy.AddToxic("silent", "timeout", "downstream", 1, toxiproxy.Attributes{"timeout": 0})
	require.NoError(c.t, err)
}

// ends ends all connections, as a restart of the database does.
func (c *cut) ends() { require.NoError(c.t, c.proxy.Disable()) }

func (c *cut) heals() {
	c.t.Helper()
	require.NoError(c.t, c.proxy.Enable())
	_ = c.proxy.RemoveToxic("silent")
}

// staff are n people who are here.
func staff(n int) (rows []string, want map[string]bool) {
	want = map[string]bool{}
	for i := range n {
		login := fmt.Sprintf("p%05d", i)
		rows, want[login] = append(rows, fmt.Sprintf("%d,%s,here", i, login)), true
	}
	return rows, want
}

// owners are the connectors by node, as the nodes tell.
func (n *node) owners() map[string][]string {
	n.l.t.Helper()
	nodes, err := n.State().Nodes(n.l.t.Context())
	require.NoError(n.l.t, err)
	out := map[string][]string{}
	for _, x := range nodes {
		if !x.Gone() {
			out[x.Name] = x.Connectors
		}
	}
	return out
}

// Nodes that join get their share, and what a node had that stops goes on at another.
func TestNodesShareTheConnectors(t *testing.T) {
	l := newLab(t, storetest.PostgresURL(t), "c1", "c2", "c3")
	rows, want := staff(20)
	l.people(rows...)
	a := l.start("a")
	l.within(60*time.Second, "the only node has all", func() bool { return len(a.owners()["a"]) == 3 })
	b := l.start("b")
	l.within(60*time.Second, "both have their share", func() bool {
		o := b.owners()
		return len(o["a"])+len(o["b"]) == 3 && len(o["a"]) > 0 && len(o["b"]) > 0
	})
	for _, c := range l.connectors {
		l.eventually(c, want)
	}
	a.close()
	l.within(60*time.Second, "the other node has all", func() bool { return len(b.owners()["b"]) == 3 })
	rows[3] = "3,p00003,left"
	want["p00003"] = false
	l.people(rows...)
	require.NoError(t, b.Ask(t.Context(), "cycle", "hr", "test"))
	for _, c := range l.connectors {
		l.eventually(c, want)
	}
}

// A node that is cut off from the database stops sending; the others go on for it, and
// it comes back. Nothing is lost, and nothing is done twice.
func TestACutOffNode(t *testing.T) {
	direct := storetest.PostgresURL(t)
	l := newLab(t, direct, "c1", "c2")
	wire, url := through(t, direct)
	l.people("0,p00000,here")
	l.state = url
	a := l.start("a")
	l.state = direct
	b := l.start("b")
	var theirs string // the connector of the node that is cut off
	l.within(60*time.Second, "both have one", func() bool {
		o := b.owners()
		if len(o["a"]) == 1 && len(o["b"]) == 1 {
			theirs = o["a"][0]
		}
		return theirs != ""
	})
	rows, want := staff(1500)
	l.people(rows...)
	require.NoError(t, b.Ask(t.Context(), "cycle", "hr", "test"))
	l.within(60*time.Second, "it sends", func() bool { return len(l.accounts(theirs)) > 50 })
	wire.silent()
	began := time.Now()
	l.within(60*time.Second, "it notices", func() bool { ok, _ := a.ready(); return !ok })
	time.Sleep(time.Second)
	had := len(l.accounts(theirs))
	require.Less(t, had, 1500, "it was cut off in mid-run")
	l.within(60*time.Second, "the other node sends for it", func() bool { return len(l.accounts(theirs)) > had })
	t.Logf("served again after %s", time.Since(began))
	wire.heals()
	for _, c := range l.connectors {
		l.eventually(c, want)
	}
	l.within(60*time.Second, "it is back", func() bool { ok, _ := a.ready(); return ok && len(b.owners()["a"]) == 1 })
	b.drained()
	b.onceEach(l, 1500)
}

// A database that is restarted in mid-run is waited for.
func TestTheDatabaseIsRestarted(t *testing.T) {
	direct := storetest.PostgresURL(t)
	l := newLab(t, direct, "c1")
	wire, url := through(t, direct)
	rows, want := staff(1500)
	l.people(rows...)
	l.state = url
	a := l.start("a")
	for _, at := range []int{100, 600} {
		l.within(60*time.Second, "it sends", func() bool { return len(l.accounts("c1")) > at })
		wire.ends()
		time.Sleep(2 * time.Second)
		wire.heals()
	}
	l.eventually("c1", want)
	a.drained()
	a.onceEach(l, 1500)
}

// onceEach checks that every connector has n accounts that the ledger knows, and
// that none was made twice: a second create would have been refused, and parked.
func (n *node) onceEach(l *lab, accounts int) {
	l.t.Helper()
	for _, c := range l.connectors {
		pop, err := n.State().Population(l.t.Context(), c, "hr", time.Now())
		require.NoError(l.t, err)
		require.Equal(l.t, accounts, pop.Accounts)
		require.Len(l.t, l.accounts(c), accounts)
	}
}
