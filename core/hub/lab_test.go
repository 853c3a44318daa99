package hub_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// pluginsDir holds the plugin binaries.
var pluginsDir string

func TestMain(m *testing.M) { os.Exit(withPlugins(m)) }

// withPlugins builds the plugins once: the hub is tested with real processes.
func withPlugins(m *testing.M) int {
	dir, err := os.MkdirTemp("", "provhub-hub-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	pluginsDir = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../plugins/provhub-connector-memory")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugins: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// tester is a [testing.T] or a check of rapid.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// lab is a hub with its state, its sources and its targets, all of its own. Each
// target is a memory plugin that keeps its objects in a journal.
type lab struct {
	t   tester
	dir string
	now time.Time
	// sources maps names to connectors' names; both in the order of the config.
	sources []labSource
	// org is the tenant; "": acme.
	org string
	// deletes is the guard of deletes; "": a thousand.
	deletes string
}

type labSource struct {
	name       string
	connectors []labConnector
}

type labConnector struct {
	name string
	more string // further YAML, indented by four
	// config is the plugin's, as YAML in one line; "": a journal of the connector's name.
	config string
}

const labHead = `
org: %[1]s
state: {url: "sqlite:state.db"}
log: {level: error}
plugins:
  dev: {memory: %[2]q}
  data: data
sources:
`

const labSourceText = `
  - name: %[1]s
    type: csv
    path: %[1]s.csv
    anchor: id
    columns:
      - {name: id, required: true}
      - {name: login, required: true}
      - {name: title}
      - {name: manager}
      - {name: status, required: true}
      - {name: start, type: date}
      - {name: end, type: date}
    reference: manager
    vanish: {max: 1000}
    lifecycle: {status: status, active: [active], suspended: [leave], leaver: [left], start: start, end: end}
`

const labConnectorText = `
  - name: %[1]s
    plugin: memory
    sources: [%[2]s]
    config: %[3]s
    attributes:
      - {to: externalId, from: person.id}
      - {to: userName, from: person.login}
      - {to: title, from: person.title}
      - {to: manager, from: ref(person.manager)}
    guards:
      disable: {max: 1000}
      delete: %[5]s
      revoke: {max: 1000}
      day: {disable: {max: 100000}, delete: {max: 100000}, revoke: {max: 100000}}
    retry: {attempts: 50, first: 10ms, max: 100ms, timeout: 5s}
%[4]s`

const labHeader = "id,login,title,manager,status,start,end\n"

// newLab has one source, hr, that feeds the given connectors.
func newLab(t *testing.T, connectors ...labConnector) *lab {
	return &lab{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), sources: []labSource{{"hr", connectors}}}
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
		l.t.Fatalf("%v", err)
	}
}

// people writes the rows of the source called hr: "1,ann,Clerk,,active,,".
func (l *lab) people(rows ...string) {
	l.t.Helper()
	l.write("hr.csv", labHeader+strings.Join(rows, "\n")+"\n")
}

// load writes the config as it is now and reads it.
func (l *lab) load() *config.Config {
	l.t.Helper()
	org, deletes := cmp.Or(l.org, "acme"), cmp.Or(l.deletes, "{max: 1000}")
	var b strings.Builder
	fmt.Fprintf(&b, labHead, org, filepath.Join(pluginsDir, "provhub-connector-memory"))
	for _, s := range l.sources {
		fmt.Fprintf(&b, labSourceText, s.name)
	}
	b.WriteString("connectors:\n")
	for _, s := range l.sources {
		for _, c := range s.connectors {
			conf := c.config
			if conf == "" {
				conf = fmt.Sprintf("{journal: %q, control: %q}", l.path(c.name+".journal"), l.path(c.name+".control"))
			}
			fmt.Fprintf(&b, labConnectorText, c.name, s.name, conf, c.more, deletes)
		}
	}
	l.write("provhub.yaml", b.String())
	cfg, err := config.Load(l.path("provhub.yaml"), config.Settings{})
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	return cfg
}

// open opens a hub over the config as it is now; the caller closes it.
func (l *lab) open() *hub.Hub {
	l.t.Helper()
	h, err := hub.Open(context.Background(), l.load(), hub.Options{Actor: "tester", ReadLag: 20 * time.Millisecond, Now: l.clock()})
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	return h
}

// clock begins at l.now and goes on as time does, so that retries come.
func (l *lab) clock() func() time.Time {
	began, at := time.Now(), l.now
	return func() time.Time { return at.Add(time.Since(began)) }
}

// with opens a hub for one command, as a process would.
func (l *lab) with(f func(context.Context, *hub.Hub)) {
	l.t.Helper()
	h := l.open()
	defer func() {
		if err := h.Close(); err != nil {
			l.t.Fatalf("close: %v", err)
		}
	}()
	f(context.Background(), h)
}

// sync runs one sync; its error is returned.
func (l *lab) sync(o hub.PlanOptions) (r hub.SyncResult, err error) {
	l.t.Helper()
	l.now = l.now.Add(time.Hour) // no breaker stays open that long
	l.with(func(ctx context.Context, h *hub.Hub) { r, err = h.Sync(ctx, o, hub.DrainOptions{Wait: time.Second}) })
	return r, err
}

// mustSync runs one sync that must not fail.
func (l *lab) mustSync() hub.SyncResult {
	l.t.Helper()
	r, err := l.sync(hub.PlanOptions{})
	if err != nil {
		l.t.Fatalf("sync: %v", err)
	}
	return r
}

// accounts returns the accounts of a target, each as "userName id title on|off",
// sorted.
func (l *lab) accounts(name string) (out []string) {
	l.t.Helper()
	l.with(func(ctx context.Context, h *hub.Hub) { out = accountsOf(ctx, l.t, h, name) })
	return out
}

func accountsOf(ctx context.Context, t tester, h *hub.Hub, name string) []string {
	t.Helper()
	c, err := h.Connector(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	in, err := h.Instance(ctx, c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	out := []string{}
	_, err = in.List(ctx, connector.ListQuery{Type: "user"}, func(o connector.Object) error {
		state := "on"
		if o.Enabled == connector.IsDisabled {
			state = "off"
		}
		text := func(name string) string {
			if vs := o.Attributes.Get(name); len(vs) == 1 {
				return connector.Text(vs[0])
			}
			return ""
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", text("userName"), text("externalId"), text("title"), state)))
		return nil
	})
	if err != nil {
		t.Fatalf("list %s: %v", name, err)
	}
	slices.Sort(out)
	return out
}

// existing makes an account in a target behind the hub's back.
func (l *lab) existing(name, login string) {
	l.t.Helper()
	l.with(func(ctx context.Context, h *hub.Hub) {
		c, err := h.Connector(name)
		if err != nil {
			l.t.Fatalf("%v", err)
		}
		in, err := h.Instance(ctx, c)
		if err != nil {
			l.t.Fatalf("%v", err)
		}
		r := in.Apply(ctx, []connector.Operation{connector.Create{
			Call: connector.Call{ID: "by hand " + login, Key: "by hand " + login, OrderingKey: login, Timeout: time.Minute}, Type: "user",
			Attributes: connector.Attributes{{Name: "userName", Values: connector.Values{login}}}, Enabled: connector.IsEnabled,
		}})
		if r[0].Err != nil {
			l.t.Fatalf("%v", r[0].Err)
		}
	})
}

// operations lists the operations in one of the given states.
func (l *lab) operations(states ...store.OpState) (out []store.OpRow) {
	l.t.Helper()
	l.with(func(ctx context.Context, h *hub.Hub) {
		var err error
		if out, err = h.State().Operations(ctx, store.OpFilter{States: states, Limit: 1000}); err != nil {
			l.t.Fatalf("%v", err)
		}
	})
	return out
}
