package crashtest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store/storetest"
)

// cuts are the ways in which a node loses its database.
var cuts = []weather{
	{name: "nothing arrives and nothing comes back", toxics: []toxic{
		{"timeout", toTarget, toxiproxy.Attributes{"timeout": 0}}, {"timeout", toHub, toxiproxy.Attributes{"timeout": 0}}}},
	{name: "nothing comes back", toxics: []toxic{{"timeout", toHub, toxiproxy.Attributes{"timeout": 0}}}},
	{name: "connections are reset", toxics: []toxic{{"reset_peer", toHub, toxiproxy.Attributes{"timeout": 0}}}},
	{name: "connections are closed and refused", down: true},
}

var cutRounds = flag.Int("cuts", 1, "how often a node is cut off in each of the ways in TestNodeCutOff")

// A node that is cut off from the database soon begins no calls any more, and none at
// all once another node has taken its connectors over; nothing is done twice. It is
// back by itself when the database is.
func TestNodeCutOff(t *testing.T) { // QUIRKS Q-16
	state := storetest.PostgresURL(t)
	t.Parallel()
	proxy, through := proxied(t, state)
	c := newCluster(t, state, 4, 200)
	cutOff := c.start(through)
	c.start(state)
	c.settle()
	s := chance(t, fmt.Sprint("-cuts ", *cutRounds))
	stop := c.load(rand.New(rand.NewPCG(s, 2)))
	var worst time.Duration
	for i := range *cutRounds * len(cuts) {
		w := cuts[i%len(cuts)]
		c.until(patience, "the node sends to a target", func() bool { return len(c.of(cutOff)) > 0 })
		c.stirAll(w.name)
		c.until(patience, "the node is busy", func() bool { return c.busy(cutOff) })
		at := time.Now()
		set(t, proxy, w, true)
		lost := c.of(cutOff)
		var taken time.Duration
		for _, a := range lost {
			taken = max(taken, c.served(a, cutOff.pid(), at))
			c.neverBoth(a, cutOff, at)
		}
		worst = max(worst, taken)
		last := c.lastCall(cutOff).Sub(at)
		back := time.Now()
		set(t, proxy, w, false)
		c.until(patience, "the node sends again", func() bool { return c.lastCall(cutOff).After(back) })
		t.Logf("%-40s last call begun %6v after it, %d connectors taken over within %6v, the node sent again %6v after the database was back",
			w.name+":", max(last, 0).Round(10*time.Millisecond), len(lost), taken.Round(10*time.Millisecond), time.Since(back).Round(10*time.Millisecond))
	}
	stop()
	t.Logf("%d cuts: at most %v without a node", *cutRounds*len(cuts), worst.Round(10*time.Millisecond))
	if worst > *within {
		t.Errorf("a connector was not served for %v; want %v at most", worst, *within)
	}
	c.settle()
	c.check()
}

// proxied is the URL of a database that is reached by a proxy of toxiproxy.
func proxied(t *testing.T, state string) (*toxiproxy.Proxy, string) {
	t.Helper()
	n := &network{t: t}
	u, err := url.Parse(state)
	require.NoError(t, err)
	proxy, err := toxiproxy.NewClient(n.env("PROVHUB_TEST_TOXIPROXY_URL")).CreateProxy(uniqueName("state"), "127.0.0.1:0", u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = proxy.Delete() })
	u.Host = proxy.Listen
	return proxy, u.String()
}

// of returns the connectors that a node sends to.
func (c *cluster) of(n *node) (out []*app) {
	c.t.Helper()
	c.catchUp()
	for _, a := range c.apps {
		if a.owner() == n.pid() {
			out = append(out, a)
		}
	}
	return out
}

// busy reports whether a node sends, and more waits for each connector that it sends to
// than it has under way.
func (c *cluster) busy(n *node) bool {
	c.t.Helper()
	for _, a := range c.of(n) {
		if c.open(a) < 50 {
			return false
		}
	}
	return time.Since(c.lastCall(n)) < 2*latency
}

// lastCall is when a node last began a call to any target.
func (c *cluster) lastCall(n *node) (at time.Time) {
	c.t.Helper()
	c.catchUp()
	for _, a := range c.apps {
		for _, call := range a.calls {
			if call.Node == n.pid() && call.At.After(at) {
				at = call.At
			}
		}
	}
	return at
}

// neverBoth looks whether a node began a call to a target although another node had
// begun one after a time.
func (c *cluster) neverBoth(a *app, n *node, after time.Time) {
	c.t.Helper()
	other := false
	for _, call := range a.calls {
		switch {
		case call.At.Before(after):
		case call.Node != n.pid():
			other = true
		case other:
			c.t.Errorf("%s: node %d began %s at %v, when another one had begun already", a.connector, call.Node, call.Operation, call.At)
		}
	}
}
