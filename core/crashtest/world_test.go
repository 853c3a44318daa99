package crashtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
)

// person is one row of the source.
type person struct {
	ID, Login, Title, Manager string
	Roles                     []string
	Status                    string
}

// world is one hub with its state, its source and its target, all of its own.
type world struct {
	t      *testing.T
	dir    string
	state  string // file of a SQLite state
	people []person
	// connector is its name in the config; target is behind it.
	connector string
	target    target
}

const hubText = `
org: acme
state: {url: %[1]q}
log: {level: error}
plugins:
  dev: {%[2]s: %[3]q}
  data: data
`

const sourceText = `
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns:
      - {name: id, required: true}
      - {name: login, required: true}
      - {name: title}
      - {name: manager}
      - {name: roles, type: list, separator: ";"}
      - {name: status, required: true}
    reference: manager
    lifecycle: {status: status, active: [active], suspended: [leave], leaver: [left]}
`

const connectorText = `
  - name: %[1]s
    plugin: %[2]s
    config: %[3]s
    attributes:
      - {to: externalId, from: person.id}
      - {to: %[4]s, from: person.login}
      - {to: title, from: person.title}
      - {to: manager, from: person.manager}
    grants:
      - {from: person.roles, when: has(person.roles)}
    match: {by: [externalId], then: adopt}
    on: {leave: disable, suspend: disable}
    revoke_on_leave: true
    guards:
      disable: {max: 1000}
      revoke: {max: 1000}
      day: {disable: {max: 100000}, revoke: {max: 100000}}
    retry: {attempts: 50, first: 20ms, max: 200ms, timeout: 5s}
`

func newWorld(t *testing.T, stateURL string, of target) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), state: strings.TrimPrefix(stateURL, "sqlite:"), connector: "app", target: of}
	w.write("provhub.yaml", fmt.Sprintf(hubText, stateURL, of.plugin(), pluginPath(of))+sourceText+"connectors:"+w.configured())
	of.prepare(w)
	return w
}

// pluginPath is where the binary of a target's plugin lies.
func pluginPath(of target) string { return filepath.Join(pluginsDir, "provhub-connector-"+of.plugin()) }

// configured is the connector in the config.
func (w *world) configured() string {
	return fmt.Sprintf(connectorText, w.connector, w.target.plugin(), w.target.config(w), w.target.login())
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// source writes the people.
func (w *world) source(people ...person) {
	w.t.Helper()
	w.people = people
	w.write("hr.csv", table(people))
}

// table is what the source has of people.
func table(people []person) string {
	var b strings.Builder
	b.WriteString("id,login,title,manager,roles,status\n")
	for _, p := range people {
		fmt.Fprintf(&b, "%s,%s,%s,%s,%s,%s\n", p.ID, p.Login, p.Title, p.Manager, strings.Join(p.Roles, ";"), cmp.Or(p.Status, "active"))
	}
	return b.String()
}

// set sets a trap for a write to the target.
func (w *world) set(t trap) {
	w.t.Helper()
	_ = os.Remove(w.path("trap.sprung")) // of the one before
	w.write("trap", w.target.trap(w, t))
}

// disarm takes the trap away and reports whether it was sprung.
func (w *world) disarm() (sprung bool) {
	_ = os.Remove(w.path("trap"))
	_, err := os.Stat(w.path("trap.sprung"))
	return err == nil
}

// sync runs one hub to its end, whichever that is. killed tells that it was
// killed; any other failure ends the test.
func (w *world) sync(o order) (killed bool) {
	w.t.Helper()
	cmd, out := w.start(o)
	return w.end(cmd, out)
}

// mustSync runs a hub that nobody kills.
func (w *world) mustSync() {
	w.t.Helper()
	if w.sync(order{}) {
		w.t.Fatal("killed, and not by us")
	}
}

func (w *world) start(o order) (*exec.Cmd, *bytes.Buffer) {
	w.t.Helper()
	o.Config = w.path("provhub.yaml")
	text, err := json.Marshal(o)
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = 10 * time.Second // a plugin of a killed hub may hold the pipe for a moment
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	return cmd, out
}

func (w *world) end(cmd *exec.Cmd, out *bytes.Buffer) (killed bool) {
	w.t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		w.t.Fatalf("the hub failed: %v\n%s", err, out)
	}
	return false
}

// syncKilledInFlight runs a hub and kills it while the write that the trap is
// set for is under way. killed is false when there was no such write.
func (w *world) syncKilledInFlight() (killed bool) {
	w.t.Helper()
	cmd, out := w.start(order{})
	ended := make(chan bool, 1)
	go func() { ended <- w.end(cmd, out) }()
	for {
		select {
		case killed := <-ended:
			return killed
		case <-time.After(2 * time.Millisecond):
		}
		if _, err := os.Stat(w.path("trap.sprung")); err == nil {
			_ = cmd.Process.Kill() // it may have ended by itself
			return <-ended
		}
	}
}

// check holds everything against everything: effects, target, ledger, queue, plan.
func (w *world) check() {
	w.t.Helper()
	ctx := context.Background()
	h, err := open(ctx, w.path("provhub.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	w.checkTarget(ctx, h)
	checkHub(ctx, w.t, h)
}

// checkTarget holds effects, target and ledger of the connector against the people.
func (w *world) checkTarget(ctx context.Context, h *hub.Hub) {
	w.t.Helper()
	for _, fault := range twice(w.target.effects(w)) {
		w.t.Error(fault)
	}
	held := w.held()
	for _, fault := range w.wrong(held) {
		w.t.Error(fault)
	}
	for _, p := range w.people {
		if got := w.ledger(ctx, h, p.ID); got != held[p.ID] {
			w.t.Errorf("the ledger has for %s\n     %s\nthe target\n     %s", p.ID, got, held[p.ID])
		}
	}
}

// checkHub looks for what is left to do, and at the audit trail.
func checkHub(ctx context.Context, t *testing.T, h *hub.Hub) {
	t.Helper()
	counts, err := h.State().OperationCounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range counts {
		for state, n := range of {
			if slices.Contains(openStates, state) {
				t.Errorf("%d operations of %s are %s", n, name, state)
			}
		}
	}
	plans, err := h.Plan(ctx, hub.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range plans[0].Plan.Operations {
		t.Errorf("a second plan still has: %s %s (%s)", op.Kind, op.Anchor, op.Reason)
	}
	if n, err := h.State().AuditVerify(ctx); err != nil || n == 0 {
		t.Errorf("audit of %d entries: %v", n, err)
	}
}

// openStates are those of operations with which something is still to be done.
var openStates = []store.OpState{store.OpReady, store.OpLeased, store.OpSent, store.OpRetry, store.OpUnknown, store.OpParked}

// twice finds effects that were made again though nothing had undone them.
func twice(effects []effect) (faults []string) {
	last := map[string]effect{}
	for _, e := range effects {
		key := e.id + " enabled"
		switch e.verb {
		case "create":
			key = "create " + e.anchor
		case "grant", "revoke":
			key = e.id + " " + e.entitlement
		case "update", "rename":
			key = e.id + " " + e.operation
		}
		if before, ok := last[key]; ok && before.verb == e.verb {
			faults = append(faults, fmt.Sprintf("%s %s %s%s took effect twice: %s and %s",
				e.verb, e.id, e.anchor, e.entitlement, before.operation, e.operation))
		}
		last[key] = e
	}
	return faults
}

// held describes the accounts that the target holds, by anchor.
func (w *world) held() map[string]string {
	w.t.Helper()
	held := map[string]string{}
	anchors := map[string]string{"": ""}
	objects := w.target.accounts(w)
	for _, o := range objects {
		anchors[o.Ref.ID] = o.Attributes.Text("externalId")
	}
	for _, o := range objects {
		var roles []string
		for _, g := range o.Grants {
			roles = append(roles, g.Name)
		}
		manager := ""
		if vs := o.Attributes.Get("manager"); len(vs) > 0 {
			manager = anchors[vs[0].(connector.Ref).ID]
		}
		held[anchors[o.Ref.ID]] = describe(o.Attributes.Text(w.target.login()), o.Attributes.Text("title"), manager, roles, string(o.Enabled))
	}
	if len(held) != len(objects) {
		w.t.Errorf("the target has %d accounts for %d people", len(objects), len(held))
	}
	return held
}

// wrong says where what a target holds is not what the source says.
func (w *world) wrong(held map[string]string) (faults []string) {
	held = maps.Clone(held)
	for _, p := range w.people {
		// Nothing else is kept up to date while an account is disabled.
		want := describe(p.Login, p.Title, p.Manager, p.Roles, "enabled")
		switch p.Status {
		case "leave":
			want = ", disabled"
		case "left":
			want = " with [], disabled"
		}
		if got := held[p.ID]; !strings.HasSuffix(got, want) {
			faults = append(faults, fmt.Sprintf("the target has for %s\n     %s\nwant %s", p.ID, got, want))
		}
		delete(held, p.ID)
	}
	for anchor, o := range held {
		faults = append(faults, fmt.Sprintf("the target also has %s: %s", anchor, o))
	}
	return faults
}

func (w *world) ledger(ctx context.Context, h *hub.Hub, anchor string) string {
	w.t.Helper()
	as, err := h.State().Accounts(ctx, "hr", identity.Person, []string{anchor})
	if err != nil {
		w.t.Fatal(err)
	}
	a := as[identity.AccountKey{Source: "hr", Connector: w.connector, Kind: identity.Person, Anchor: anchor}]
	var roles []string
	for _, g := range a.Grants {
		roles = append(roles, g.Entitlement)
	}
	return describe(a.Applied.Text(w.target.login()), a.Applied.Text("title"), a.Applied.Text("manager"), roles, string(a.Enabled))
}

func describe(login, title, manager string, roles []string, enabled string) string {
	roles = slices.Clone(roles)
	slices.Sort(roles)
	return fmt.Sprintf("%s %q under %q with %v, %s", login, title, manager, roles, enabled)
}
