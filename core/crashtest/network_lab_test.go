package crashtest

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
)

// network is a hub in this process, its plugin, and a real server behind a proxy
// that fails when it is told to.
type network struct {
	t      *testing.T
	family family
	dir    string
	name   string // of whatever the test makes in the server
	addr   string // of the proxy
	proxy  *toxiproxy.Proxy
	bad    bool // the toxics are there
	hub    *hub.Hub
	people []person
	// ahead is how far the hub's clock is ahead of ours.
	ahead atomic.Int64
	seq   int64 // the last operation whose attempts were counted
	hits  int   // attempts and syncs that failed
}

// account is what a server holds for one person.
type account struct {
	anchor, title string
	enabled       bool
}

const networkConfig = `
org: acme
state: {url: "sqlite:state.db"}
log: {level: error}
plugins: {dev: {%[1]s: %[2]q}, data: data}
secrets: [{name: target, file: secret}]
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id, required: true}, {name: login, required: true}, {name: title}, {name: status, required: true}]
    lifecycle: {status: status, active: [active], leaver: [left]}
connectors:
  - name: app
    plugin: %[1]s
    config: %[3]s
    secrets: {%[4]s: target}
    attributes: %[5]s
    match: {by: [%[6]s], then: adopt}
    guards: {disable: {max: 1000}, update: {max: 1000}, day: {disable: {max: 10000}}}
    in_flight: 8
    retry: {attempts: 50, first: 20ms, max: 200ms, timeout: 3s}
`

func newNetwork(t *testing.T, f family) *network {
	n := &network{t: t, family: f, dir: t.TempDir(), name: uniqueName("net")}
	api := n.env("PROVHUB_TEST_TOXIPROXY_URL")
	plugin := networkPlugin(t, f.plugin)
	var err error
	n.proxy, err = toxiproxy.NewClient(api).CreateProxy(n.name, "127.0.0.1:0", f.server(n))
	require.NoError(t, err)
	t.Cleanup(func() { _ = n.proxy.Delete() })
	n.addr = n.proxy.Listen
	f.prepare(n)
	secret, text := f.config(n)
	n.write("secret", secret)
	n.write("provhub.yaml", fmt.Sprintf(networkConfig, f.plugin, plugin, text, f.secret, f.rules, f.match))
	cfg, err := config.Load(filepath.Join(n.dir, "provhub.yaml"), config.Settings{})
	require.NoError(t, err)
	n.hub, err = hub.Open(t.Context(), cfg, hub.Options{Actor: "crashtest", ReadLag: 50 * time.Millisecond,
		Now: func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.hub.Close()) })
	return n
}

// uniqueName is a name that no other test has.
func uniqueName(prefix string) string {
	return prefix + time.Now().Format("150405.000000")[7:] + fmt.Sprint(os.Getpid())
}

var networkBuild = sync.OnceValue(func() error {
	args := []string{"build", "-o", pluginsDir + string(filepath.Separator)}
	for _, f := range families {
		args = append(args, "../../plugins/provhub-connector-"+f.plugin)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build the plugins: %w\n%s", err, out)
	}
	return nil
})

// networkPlugin returns the path of a plugin, which it builds when nobody has.
func networkPlugin(t *testing.T, name string) string {
	require.NoError(t, networkBuild())
	return filepath.Join(pluginsDir, "provhub-connector-"+name)
}

func (n *network) env(name string) string {
	v := os.Getenv(name)
	if v == "" {
		n.t.Skip("needs " + name + ": run make test")
	}
	return v
}

// url is the URL in an environment variable; through: it leads to the proxy.
func (n *network) url(name string, through bool) *url.URL {
	u, err := url.Parse(n.env(name))
	require.NoError(n.t, err)
	if through {
		u.Host = n.addr
	}
	return u
}

func (n *network) write(name, text string) {
	require.NoError(n.t, os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600))
}

// sync syncs once, an hour later than the last time.
func (n *network) sync(wait time.Duration) error {
	n.t.Helper()
	n.ahead.Add(int64(time.Hour))
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{{"id", "login", "title", "status"}}
	for _, p := range n.people {
		rows = append(rows, []string{p.ID, n.name + p.Login, p.Title, p.Status})
	}
	require.NoError(n.t, w.WriteAll(rows))
	n.write("hr.csv", b.String())
	r, err := n.hub.Sync(context.Background(), hub.PlanOptions{}, hub.DrainOptions{Wait: wait})
	if err != nil {
		return err
	}
	for _, p := range r.Plans {
		require.NotEqual(n.t, store.PlanHeld, p.Status, "a guard holds: %v", p.Plan.Verdicts)
	}
	for _, d := range r.Drained {
		if d.Problem != "" {
			return fmt.Errorf("%s", d.Problem)
		}
	}
	return nil
}

// mustSync syncs in good weather: everything is done, and nothing is left to plan.
func (n *network) mustSync() {
	n.t.Helper()
	err := n.sync(20 * time.Second)
	require.NoError(n.t, err)
	ops, err := n.hub.State().Operations(context.Background(), store.OpFilter{})
	require.NoError(n.t, err)
	for _, op := range ops {
		n.t.Errorf("%s of %s is %s after %d attempts: %v", op.Kind, op.Anchor, op.State, op.Attempts, op.LastError)
	}
	plans, err := n.hub.Plan(context.Background(), hub.PlanOptions{})
	require.NoError(n.t, err)
	for _, op := range plans[0].Plan.Operations {
		n.t.Errorf("a second plan still has: %s %s (%s)", op.Kind, op.Anchor, op.Reason)
	}
}

// open counts the operations that are not done.
func (n *network) open() int {
	n.t.Helper()
	sum, err := n.count(openStates...)
	require.NoError(n.t, err)
	return sum
}

// sent waits until an operation is at the plugin; false when ctx ends before.
func (n *network) sent(ctx context.Context) bool {
	for ctx.Err() == nil {
		if sum, err := n.count(store.OpSent); err != nil {
			n.t.Errorf("count the operations: %v", err)
			return false
		} else if sum > 0 {
			return true
		}
		time.Sleep(2 * time.Millisecond)
	}
	return false
}

func (n *network) count(states ...store.OpState) (sum int, err error) {
	counts, err := n.hub.State().OperationCounts(context.Background())
	for _, s := range states {
		sum += counts["app"][s]
	}
	return sum, err
}

// attempts counts the attempts that failed, and those whose outcome was in doubt,
// of the operations that are new since it was last called.
func (n *network) attempts() (failed, unknown int) {
	n.t.Helper()
	ctx := context.Background()
	ops, err := n.hub.State().Operations(ctx, store.OpFilter{After: n.seq, Limit: 100_000, States: []store.OpState{
		store.OpReady, store.OpRetry, store.OpUnknown, store.OpParked, store.OpDone, store.OpSuperseded}})
	require.NoError(n.t, err)
	for _, op := range ops {
		n.seq = max(n.seq, op.Seq)
		_, attempts, err := n.hub.State().Operation(ctx, op.ID)
		require.NoError(n.t, err)
		for _, a := range attempts {
			switch a.Outcome {
			case connector.OutcomeFailed:
				failed++
			case connector.OutcomeUnknown:
				unknown++
			}
		}
	}
	return failed, unknown
}

// ledger is what the hub believes the target to hold for a person.
func (n *network) ledger(anchor string) account {
	n.t.Helper()
	as, err := n.hub.State().Accounts(context.Background(), "hr", identity.Person, []string{anchor})
	require.NoError(n.t, err)
	a := as[identity.AccountKey{Source: "hr", Connector: "app", Kind: identity.Person, Anchor: anchor}]
	return account{anchor: anchor, title: a.Applied.Text("title"), enabled: a.Enabled == connector.IsEnabled}
}
