package daemon_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/daemon"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
	"github.com/provhub/provhub/logtest"
)

// pluginsDir holds the plugin's binary.
var pluginsDir string

func TestMain(m *testing.M) {
	// River gives its leadership up for a while yet when the database was cut off before.
	goleak.VerifyTestMain(withPlugin{m},
		goleak.IgnoreAnyFunction("github.com/riverqueue/river/internal/leadership.(*Elector).attemptResignLoop"),
		goleak.IgnoreAnyFunction("github.com/riverqueue/river/rivershared/startstop.StopAllParallel"),
		goleak.IgnoreAnyFunction("github.com/riverqueue/river/rivershared/startstop.(*BaseStartStop).Stop"))
}

// withPlugin builds the plugin once: nodes are tested with real processes.
type withPlugin struct{ m *testing.M }

func (w withPlugin) Run() int {
	dir, err := os.MkdirTemp("", "provhub-daemon-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	pluginsDir = dir
	if out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../plugins/provhub-connector-sql").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugin: %v\n%s", err, out)
		return 1
	}
	defer http.DefaultClient.CloseIdleConnections()
	return w.m.Run()
}

// lab is a folder with a config, a source and targets: SQLite files, each written by
// whichever node sends to it.
type lab struct {
	t          *testing.T
	dir        string
	state      string // URL
	connectors []string
	more       map[string]string // of a connector: further YAML in lines of their own
	cron       string
	timeout    string // of a call
	top        string // further YAML of the file
}

func newLab(t *testing.T, state string, connectors ...string) *lab {
	l := &lab{t: t, dir: t.TempDir(), state: state, connectors: connectors, more: map[string]string{}, cron: "@every 1h", timeout: "5s"}
	for _, c := range connectors {
		l.exec(c, `CREATE TABLE app_user (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, employee_no TEXT UNIQUE, active BOOLEAN NOT NULL DEFAULT true)`)
	}
	return l
}

// each runs a test on both databases.
func each(t *testing.T, connectors []string, test func(t *testing.T, l *lab)) {
	storetest.EachURL(t, func(t *testing.T, url string) { test(t, newLab(t, url, connectors...)) })
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) db(connector string) *sql.DB {
	l.t.Helper()
	db, err := sql.Open("sqlite", "file:"+l.path(connector+".db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	require.NoError(l.t, err)
	return db
}

func (l *lab) exec(connector, q string) {
	l.t.Helper()
	db := l.db(connector)
	defer db.Close()
	_, err := db.ExecContext(l.t.Context(), q)
	require.NoError(l.t, err)
}

// people writes the source: "1,ann,here".
func (l *lab) people(rows ...string) {
	l.t.Helper()
	// A new file in the place of the old one: a reading that is under way sees one of them.
	require.NoError(l.t, os.WriteFile(l.path("hr.new"), []byte("id,login,status\n"+strings.Join(rows, "\n")+"\n"), 0o600))
	require.NoError(l.t, os.Rename(l.path("hr.new"), l.path("hr.csv")))
}

const labConfig = `
org: acme
state: {url: %q}
plugins: {dev: {sql: %q}, data: data}
secrets:%s
serve: {listen: "127.0.0.1:0", stop_within: 5s}
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id, required: true}, {name: login, required: true}, {name: status, required: true}]
    lifecycle: {status: status, active: [here], leaver: [left]}
    vanish: {max: 100000}
    schedule: {cron: %q}
connectors:
`

const labConnector = `
  - name: %[1]s
    plugin: sql
    config: {dialect: sqlite, users: {table: app_user, key: login, id: id, anchor: employee_no, enabled: {column: active}}}
    secrets: {dsn: %[1]s_dsn}
    attributes: [{to: login, from: person.login}, {to: employee_no, from: person.id}]
    retry: {first: 50ms, max: 500ms, timeout: %[3]s}
%[2]s`

func (l *lab) write() {
	l.t.Helper()
	var secrets, connectors strings.Builder
	for _, c := range l.connectors {
		fmt.Fprintf(&secrets, "\n  - {name: %s_dsn, file: %s.dsn}", c, c)
		require.NoError(l.t, os.WriteFile(l.path(c+".dsn"), []byte(l.path(c+".db")), 0o600))
		more := l.more[c]
		if !strings.Contains(more, "guards:") {
			more += "    guards: {disable: {max: 100000}, day: {disable: {max: 100000}}}\n"
		}
		fmt.Fprintf(&connectors, labConnector, c, more, l.timeout)
	}
	text := fmt.Sprintf(labConfig, l.state, filepath.Join(pluginsDir, "provhub-connector-sql"), secrets.String(), l.cron) + connectors.String() + l.top
	require.NoError(l.t, os.WriteFile(l.path("provhub.yaml"), []byte(text), 0o600))
}

func (l *lab) load() (*config.Config, error) {
	return config.Load(l.path("provhub.yaml"), config.Settings{})
}

// node is a running node.
type node struct {
	*daemon.Node
	l      *lab
	hub    *hub.Hub
	logs   *logtest.Log
	stop   context.CancelFunc
	ended  chan error
	before func(*daemon.Node)
}

// open makes a node that does not run yet. Each works with a config as it is now.
func (l *lab) open(name string) *node {
	l.t.Helper()
	l.write()
	cfg, err := l.load()
	require.NoError(l.t, err)
	n := &node{l: l, logs: &logtest.Log{}, ended: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(n.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n.hub, err = hub.Open(l.t.Context(), cfg, hub.Options{Log: log, Node: name, Actor: "test", ReadLag: 20 * time.Millisecond})
	require.NoError(l.t, err)
	return n
}

// start runs a node and waits until it serves. The end of the test stops it.
func (l *lab) start(name string) *node {
	l.t.Helper()
	n := l.open(name)
	n.run(name)
	return n
}

func (n *node) run(name string) {
	n.l.t.Helper()
	ready := make(chan net.Addr, 1)
	n.Node = daemon.New(n.hub, daemon.Options{
		Version: "test", Ready: func(a net.Addr) { ready <- a },
		Reload: func(context.Context) (*config.Config, error) { return n.l.load() },
	})
	if n.before != nil {
		n.before(n.Node)
	}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	go func() { n.ended <- n.Run(ctx) }()
	n.l.t.Cleanup(func() {
		n.close()
		if n.l.t.Failed() || os.Getenv("SHOWLOG") != "" {
			n.l.t.Logf("node %s:\n%s", name, n.logs)
		}
	})
	select {
	case <-ready:
	case err := <-n.ended:
		n.ended <- err
		n.l.t.Fatalf("the node did not begin: %v", err)
	case <-time.After(time.Minute):
		n.l.t.Fatal("the node did not begin")
	}
}

// close stops the node, whose end must be an orderly one.
func (n *node) close() {
	n.l.t.Helper()
	if n.stop == nil {
		return
	}
	n.stop()
	n.stop = nil
	select {
	case err := <-n.ended:
		if err != nil {
			n.l.t.Errorf("the node ended: %v", err)
		}
	case <-time.After(time.Minute):
		n.l.t.Error("the node did not end")
	}
	if err := n.Close(); err != nil {
		n.l.t.Errorf("close: %v", err)
	}
}

// accounts are what a target holds: login → active.
func (l *lab) accounts(connector string) map[string]bool {
	l.t.Helper()
	db := l.db(connector)
	defer db.Close()
	rows, err := db.QueryContext(l.t.Context(), "SELECT login, active FROM app_user")
	require.NoError(l.t, err)
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var login string
		var active bool
		require.NoError(l.t, rows.Scan(&login, &active))
		out[login] = active
	}
	require.NoError(l.t, rows.Err())
	return out
}

// eventually waits until a target holds this.
func (l *lab) eventually(connector string, want map[string]bool) {
	l.t.Helper()
	require.EventuallyWithT(l.t, func(c *assertions) { require.Equal(c, want, l.accounts(connector)) }, 60*time.Second, 50*time.Millisecond)
}

// get reads a page of a node.
func (n *node) get(path string) (status int, body string) {
	n.l.t.Helper()
	r, err := http.NewRequestWithContext(n.l.t.Context(), http.MethodGet, "http://"+n.Address()+path, nil)
	require.NoError(n.l.t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(n.l.t, err)
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	require.NoError(n.l.t, err)
	return resp.StatusCode, b.String()
}

func (n *node) ready() (ok bool, h daemon.Health) {
	n.l.t.Helper()
	status, body := n.get("/readyz")
	require.NoError(n.l.t, json.Unmarshal([]byte(body), &h), body)
	return status == http.StatusOK, h
}

// within calls f again and again until it gives true.
func (l *lab) within(d time.Duration, what string, f func() bool) {
	l.t.Helper()
	require.Eventually(l.t, f, d, 20*time.Millisecond, what)
}

func (n *node) nodes() ([]store.Node, error) {
	defer n.hub.Close()
	return n.hub.State().Nodes(n.l.t.Context())
}

// drained waits until nothing is open.
func (n *node) drained() {
	n.l.t.Helper()
	n.l.within(60*time.Second, "the queue is empty", func() bool {
		counts, err := n.State().OperationCounts(n.l.t.Context())
		require.NoError(n.l.t, err)
		open := 0
		for _, c := range counts {
			for _, s := range store.OpenStates {
				open += c[s]
			}
		}
		return open == 0
	})
}
