package crashtest

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/crashtest/internal/naive"
	"github.com/provhub/provhub/core/store"
)

// cluster is an org that several nodes serve, with several connectors. Its nodes are
// real ones: processes of provhub serve.
type cluster struct {
	t     *testing.T
	dir   string
	state string // URL of the database
	org   *store.Org
	apps  []*app
	nodes []*node // those that were started and not stopped or killed

	mu     sync.Mutex
	people []person
}

// app is one connector and its target.
type app struct {
	*world
	read  int64 // how far the calls are known
	calls []naive.Call
}

// latency is how long a write to a target takes: long enough to be killed in.
const latency = 20 * time.Millisecond

const serveText = `
secrets: [{name: push, file: push}]
serve: {push_token: push, stop_within: 5s}
`

const pushToken = "let-me-in"

var clusters = flag.Bool("cluster", false, "run the tests of several nodes under load, which want the machine for themselves")

// newCluster makes an org without nodes, that has as many connectors and people.
func newCluster(t *testing.T, url string, connectors, people int) *cluster {
	t.Helper()
	if !*clusters {
		t.Skip("several nodes under load want the machine for themselves: scripts/cluster")
	}
	c := &cluster{t: t, dir: t.TempDir(), state: url}
	text := fmt.Sprintf(hubText, url, "naive", pluginPath(naiveTarget{})) + serveText + sourceText + "    schedule: {cron: \"@every 1s\"}\nconnectors:"
	for i := range connectors {
		w := &world{t: t, dir: filepath.Join(c.dir, fmt.Sprint("app", i+1)), connector: fmt.Sprint("app", i+1), target: naiveTarget{latency}}
		require.NoError(t, os.Mkdir(w.dir, 0o700))
		c.apps = append(c.apps, &app{world: w})
		text += w.configured()
	}
	c.write("provhub.yaml", text)
	c.write("push", pushToken)
	for i := range people {
		p := person{ID: fmt.Sprint(i + 1), Login: fmt.Sprint("p", i+1), Title: "Clerk", Roles: []string{"mail"}, Status: "active"}
		if i > 0 {
			p.Manager = fmt.Sprint((i + 1) / 2)
		}
		c.people = append(c.people, p)
	}
	c.source()
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	c.org = s.Org("acme")
	return c
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

// write puts a file in the place of the one before: nobody sees half of it.
func (c *cluster) write(name, text string) {
	c.t.Helper()
	require.NoError(c.t, os.WriteFile(c.path(name+".new"), []byte(text), 0o600))
	require.NoError(c.t, os.Rename(c.path(name+".new"), c.path(name)))
}

// source writes the people as they are now.
func (c *cluster) source() {
	c.t.Helper()
	c.write("hr.csv", table(c.people))
}

// catchUp reads which calls have begun since the last time.
func (c *cluster) catchUp() {
	c.t.Helper()
	for _, a := range c.apps {
		more, err := naive.Calls(a.path("calls"), &a.read)
		require.NoError(c.t, err)
		a.calls = append(a.calls, more...)
	}
}

// owner is the node that last sent to a target; 0: nobody has.
func (a *app) owner() int {
	if len(a.calls) == 0 {
		return 0
	}
	return a.calls[len(a.calls)-1].Node
}

// busiest is the node that began the most calls within the last while.
func (c *cluster) busiest() *node {
	c.t.Helper()
	c.catchUp()
	began := map[int]int{}
	for _, a := range c.apps {
		for _, call := range slices.Backward(a.calls) {
			if time.Since(call.At) > 2*time.Second {
				break
			}
			began[call.Node]++
		}
	}
	return slices.MaxFunc(c.nodes, func(a, b *node) int { return cmp.Compare(began[a.pid()], began[b.pid()]) })
}

// served waits until another node than not begins a call to a target after a time, and
// returns how long after.
func (c *cluster) served(a *app, not int, after time.Time) time.Duration {
	c.t.Helper()
	var at time.Time
	c.until(patience, a.connector+" is served again", func() bool {
		c.catchUp()
		for _, call := range slices.Backward(a.calls) {
			if call.At.Before(after) {
				break
			}
			if call.Node != not {
				at = call.At
			}
		}
		return !at.IsZero()
	})
	return at.Sub(after)
}

// patience is how long anything may take before a test gives up; it is no promise.
const patience = 2 * time.Minute

// until waits for something.
func (c *cluster) until(d time.Duration, what string, f func() bool) {
	c.t.Helper()
	for end := time.Now().Add(d); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// settle waits until every target holds what the source says and nothing is left to do.
func (c *cluster) settle() {
	c.t.Helper()
	for _, a := range c.apps {
		a.people = c.people
		var wrong []string
		for end := time.Now().Add(patience); ; time.Sleep(500 * time.Millisecond) {
			if wrong = a.wrong(a.held()); len(wrong) == 0 {
				break
			}
			// A push that took long may have been of an older state, and what is pushed
			// counts until the source is of a later time.
			c.source()
			if time.Now().After(end) {
				c.t.Fatalf("%s does not get there: %s\n%s", a.connector, strings.Join(wrong, "\n"), c.known(wrong[0]))
			}
		}
	}
	c.until(patience, "nothing is left to do", func() bool { return c.open(c.apps...) == 0 })
}

// chance is the seed of a test, which is told so that the same may come again.
func chance(t *testing.T, args string) uint64 {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("repeat with: go test ./core/crashtest -run %s -args -cluster -seed %d %s", t.Name(), s, args)
	return s
}

// known is what the hub says of the person whom a fault is about.
func (c *cluster) known(fault string) string {
	_, of, _ := strings.Cut(fault, " has for ")
	id, _, _ := strings.Cut(of, "\n")
	var out strings.Builder
	for _, args := range [][]string{{"explain", id}, {"account", "show", id, "--output", "json"}, {"ops", "list", "--all", "--person", id, "--output", "json"},
		{"source", "list", "--output", "json"}} {
		text, _ := exec.Command(provhub(c.t), append(args, "--config", c.path("provhub.yaml"))...).CombinedOutput()
		fmt.Fprintf(&out, "provhub %s\n%s\n", strings.Join(args, " "), text)
	}
	return out.String()
}

// open counts the operations of connectors with which something is to be done.
func (c *cluster) open(apps ...*app) (n int) {
	c.t.Helper()
	counts, err := c.org.OperationCounts(context.Background())
	require.NoError(c.t, err)
	for _, a := range apps {
		for _, s := range openStates {
			n += counts[a.connector][s]
		}
	}
	return n
}

// check stops all nodes and holds everything against everything.
func (c *cluster) check() {
	c.t.Helper()
	for len(c.nodes) > 0 {
		c.nodes[0].stop()
	}
	ctx := context.Background()
	h, err := open(ctx, c.path("provhub.yaml"))
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, h.Close()) }()
	for _, a := range c.apps {
		a.people = c.people
		a.checkTarget(ctx, h)
	}
	checkHub(ctx, c.t, h)
}

// provhub is the program, which is built when nobody has.
func provhub(t *testing.T) string {
	t.Helper()
	require.NoError(t, provhubBuild())
	return filepath.Join(pluginsDir, "provhub")
}

var provhubBuild = sync.OnceValue(func() error {
	if out, err := exec.Command("go", "build", "-o", pluginsDir+string(filepath.Separator), "../../cmd/provhub").CombinedOutput(); err != nil {
		return fmt.Errorf("build provhub: %w\n%s", err, out)
	}
	return nil
})
