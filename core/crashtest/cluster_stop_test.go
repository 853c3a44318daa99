package crashtest

import (
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store/storetest"
)

// When everything is stopped, every node soon begins nothing more, and so it stays with
// nodes that come anew, until everything is to go on.
func TestEverythingStopped(t *testing.T) { // QUIRKS Q-45
	url := storetest.PostgresURL(t)
	t.Parallel()
	c := newCluster(t, url, 4, 200)
	c.start(url)
	c.start(url)
	c.settle()
	load := c.load(rand.New(rand.NewPCG(1, 4)))
	c.stirAll("Stopped")
	c.until(patience, "both nodes are busy", func() bool { return c.busy(c.nodes[0]) && c.busy(c.nodes[1]) })
	c.run("stop", "--reason", "a test")
	at := time.Now()
	time.Sleep(3 * time.Second)
	for _, n := range c.nodes {
		t.Logf("node %d began its last call %v after everything was stopped", n.pid(), max(c.lastCall(n).Sub(at), 0).Round(10*time.Millisecond))
	}
	quiet := c.begun()
	require.NotZero(t, c.open(c.apps...), "there was nothing left to stop")

	c.nodes[0].kill()
	c.start(url)
	c.nodes[0].stop()
	c.start(url)
	c.until(patience, "the nodes have all connectors", c.shared)
	time.Sleep(2 * time.Second) // in which they would begin
	require.Equal(t, quiet, c.begun(), "something was sent although everything is stopped")

	c.run("go")
	gone := time.Now()
	for _, a := range c.apps {
		c.served(a, 0, gone)
	}
	load()
	c.settle()
	c.check()
}

// run runs a command beside the nodes.
func (c *cluster) run(args ...string) {
	c.t.Helper()
	out, err := exec.Command(provhub(c.t), append(args, "--config", c.path("provhub.yaml"))...).CombinedOutput()
	require.NoError(c.t, err, "%s", out)
}

// begun counts the calls that were begun so far, by target.
func (c *cluster) begun() (n []int) {
	c.t.Helper()
	c.catchUp()
	for _, a := range c.apps {
		n = append(n, len(a.calls))
	}
	return n
}

// shared reports whether the nodes that run say that they have all connectors.
func (c *cluster) shared() bool {
	c.t.Helper()
	nodes, err := c.org.Nodes(c.t.Context())
	require.NoError(c.t, err)
	var names []string
	for _, n := range nodes {
		if slices.ContainsFunc(c.nodes, func(x *node) bool { return x.url == "http://"+n.Address }) {
			names = append(names, n.Connectors...)
		}
	}
	return len(names) == len(c.apps)
}
