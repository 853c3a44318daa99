package crashtest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/provhub/provhub/core/store/storetest"
)

var (
	kills  = flag.Int("kills", 3, "how often a node is killed in TestNodesKilled, with two nodes and with three")
	within = flag.Duration("within", patience, "how long a connector may be without a node after one was killed or cut off; on a machine that does nothing else 15s hold")
)

// Nodes under load lose the busiest of them at random moments, again and again: nothing
// is lost, nothing is done twice, and every connector is soon served by another node.
func TestNodesKilled(t *testing.T) { // QUIRKS Q-16
	s := chance(t, fmt.Sprint("-kills ", *kills))
	for _, nodes := range []int{2, 3} {
		t.Run(fmt.Sprint(nodes, " nodes"), func(t *testing.T) {
			url := storetest.PostgresURL(t)
			t.Parallel()
			c := newCluster(t, url, 4, 40)
			for range nodes {
				c.start(url)
			}
			c.settle() // everybody has accounts
			r := rand.New(rand.NewPCG(s, uint64(nodes)))
			stop := c.load(rand.New(rand.NewPCG(s, 100+uint64(nodes))))
			var worst time.Duration
			for k := range *kills {
				time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
				took := c.killBusiest(r.IntN(2) == 0)
				t.Logf("kill %d: all connectors are served again after %v", k+1, took.Round(10*time.Millisecond))
				worst = max(worst, took)
			}
			stop()
			t.Logf("%d kills: at most %v without a node", *kills, worst.Round(10*time.Millisecond))
			if worst > *within {
				t.Errorf("a connector was not served for %v; want %v at most", worst, *within)
			}
			c.settle()
			c.check()
		})
	}
}

// killBusiest kills the busiest node and starts another one, at once or when the
// connectors are served again, and returns how long the last of them was not.
func (c *cluster) killBusiest(atOnce bool) (worst time.Duration) {
	c.t.Helper()
	for _, a := range c.apps {
		c.served(a, 0, time.Time{})
	}
	n := c.busiest()
	at := n.kill()
	c.catchUp()
	var lost []*app
	for _, a := range c.apps {
		if a.owner() == n.pid() {
			lost = append(lost, a)
		}
	}
	if atOnce {
		c.start(c.state)
	}
	for _, a := range lost {
		worst = max(worst, c.served(a, n.pid(), at))
	}
	if !atOnce {
		c.start(c.state)
	}
	return worst
}
