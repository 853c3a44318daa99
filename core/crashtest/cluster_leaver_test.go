package crashtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store/storetest"
)

// A leaver who is pushed while a bulk load is under way is disabled next, whatever waits.
// How soon is measured by scripts/bench --only leaver.
func TestLeaverOvertakes(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		c := newCluster(t, url, 1, 10)
		c.start(url)
		c.settle()
		for i := len(c.people); i < 1500; i++ {
			c.people = append(c.people, person{ID: fmt.Sprint(i + 1), Login: fmt.Sprint("p", i+1), Title: "Clerk", Roles: []string{"mail"}, Status: "active"})
		}
		c.source()
		a := c.apps[0]
		c.until(patience, "the load is under way", func() bool { return c.open(a) > 1000 })
		for i := range 3 {
			waiting := c.open(a)
			if i > 0 && waiting < 200 {
				t.Logf("the load is through before leaver %d", i+1) // the node had more time than the test
				break
			}
			p := &c.people[i+1]
			p.Status = "left"
			before, began := len(a.target.effects(a.world)), time.Now()
			answer, err := c.nodes[0].push(*p, patience)
			require.NoError(t, err)
			took, after := time.Since(began), a.target.effects(a.world)[before:]
			overtaken := 0
			for overtaken < len(after) && after[overtaken].verb != connector.VerbDisable {
				overtaken++
			}
			t.Logf("leaver %d: answered after %v; %d other effects came first, %d operations wait", i+1, took.Round(time.Millisecond), overtaken, c.open(a))
			require.Less(t, overtaken, len(after), "the push was answered before the account was disabled: %s", answer)
			require.Less(t, overtaken, waiting/2, "the leaver did not overtake")
		}
		c.source()
		c.settle()
		c.check()
	})
}
