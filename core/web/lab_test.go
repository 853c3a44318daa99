package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// pluginsDir holds the plugin binaries.
var pluginsDir string

func TestMain(m *testing.M) { os.Exit(withPlugins(m)) }

// withPlugins builds the plugin once: what pages show comes from a real one.
func withPlugins(m *testing.M) int {
	dir, err := os.MkdirTemp("", "provhub-web-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	pluginsDir = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../plugins/provhub-connector-memory")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugin: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// password is everybody's.
const password = "correct horse battery"

var passwordHash = signin.HashPassword(password)

// labConfig has two targets, one of which refuses Eve's name, and a guard that holds
// when more than two people leave.
const labConfig = `
org: acme
state: {url: "sqlite:state.db"}
log: {level: error}
plugins:
  dev: {memory: %[1]q}
  data: data
web: {url: "http://127.0.0.1"}
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id, required: true}, {name: login, required: true}, {name: name}, {name: status, required: true}]
    vanish: {max: 1000}
    lifecycle: {status: status, active: [active], leaver: [left]}
connectors:
  - &crm
    name: crm
    plugin: memory
    config: {journal: crm.journal, control: %[2]q}
    attributes: &attributes
      - {to: externalId, from: person.id}
      - {to: userName, from: person.login}
      - {to: displayName, from: person.name}
    guards: {disable: {max: 2}, day: {disable: {max: 1000}}}
    retry: {attempts: 3, first: 10ms, max: 20ms, timeout: 5s}
  - name: wiki
    plugin: memory
    config: {journal: wiki.journal}
    attributes: *attributes
    guards: {disable: {max: 1000}, day: {disable: {max: 1000}}}
`

// lab is a hub with its pages on a real listener.
type lab struct {
	*httptest.Server
	t   *testing.T
	dir string
	hub *hub.Hub
	// asked is what was asked to run: "cycle of hr, asked for by operator".
	asked []string
	asks  error // the answer to who asks
}

func (l *lab) ask(_ context.Context, kind, subject, why string) error {
	if l.asks == nil {
		l.asked = append(l.asked, kind+" of "+subject+", "+why)
	}
	return l.asks
}

// newLab serves a hub of nine people: Eve's account in crm is parked, and a plan that
// disables three accounts is held.
func newLab(t *testing.T) *lab {
	l := bareLab(t, "")
	l.people("active")
	l.write("crm.faults.json", `{"faults": [{"do": "fail", "calls": ["create"], "key": "eve", "code": "INVALID_VALUE", "message": "the name is too short"}]}`)
	_, err := l.hub.Sync(t.Context(), hub.PlanOptions{}, hub.DrainOptions{Wait: time.Minute})
	require.NoError(t, err)
	l.write("crm.faults.json", `{}`)
	l.people("left")
	_, err = l.hub.Plan(t.Context(), hub.PlanOptions{})
	require.NoError(t, err)
	return l
}

// bareLab serves a hub that has read nothing; more is put into the config.
func bareLab(t *testing.T, more string) *lab {
	l := &lab{t: t, dir: t.TempDir()}
	text := fmt.Sprintf(labConfig, filepath.Join(pluginsDir, "provhub-connector-memory"), filepath.Join(l.dir, "crm.faults.json"))
	l.Server = httptest.NewUnstartedServer(nil)
	address := "http://" + l.Listener.Addr().String()
	text = strings.Replace(text, `web: {url: "http://127.0.0.1"}`, "web:\n  url: "+address+more, 1)
	l.write("provhub.yaml", text)
	cfg, err := config.Load(filepath.Join(l.dir, "provhub.yaml"), config.Settings{})
	require.NoError(t, err)
	began, at := time.Now(), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	l.hub, err = hub.Open(context.Background(), cfg, hub.Options{Actor: "provhub", Now: func() time.Time { return at.Add(time.Since(began)) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.hub.Close()) })
	l.serve()
	for _, r := range signin.Roles {
		require.NoError(t, l.hub.State().AddUser(t.Context(), store.User{Name: string(r), Role: string(r), Password: passwordHash}, "root", l.hub.Now()))
	}
	return l
}

// serve serves the pages of the hub.
func (l *lab) serve() {
	l.t.Helper()
	handler, err := New(l.hub, l.ask)
	require.NoError(l.t, err)
	if l.Server == nil {
		l.Server = httptest.NewUnstartedServer(nil)
	}
	l.Config.Handler = handler
	l.Start()
	l.t.Cleanup(l.Close)
}

// reload gives the hub another config, and makes its pages anew.
func (l *lab) reload(change func(*config.Config)) {
	l.t.Helper()
	cfg := *l.hub.Config()
	change(&cfg)
	next, err := l.hub.Renew(&cfg)
	require.NoError(l.t, err)
	next.Succeed(l.hub)
	l.hub = next
	l.Config.Handler, err = New(next, l.ask)
	require.NoError(l.t, err)
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	require.NoError(l.t, os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600))
}

// people writes the source; status is that of the first three.
func (l *lab) people(status string) {
	l.t.Helper()
	names := []string{"ann", "bob", "cid", "dee", "eve", "fay", "gus", "hal", "<script>alert(1)</script>"}
	rows := []string{"id,login,name,status"}
	for i, n := range names {
		login, st := n, "active"
		if i == len(names)-1 {
			login = "mallory"
		}
		if i < 3 {
			st = status
		}
		rows = append(rows, fmt.Sprintf("%d,%s,%q,%s", 1001+i, login, strings.ToUpper(n[:1])+n[1:]+" \"O'Neil\" & Söhne", st))
	}
	l.write("hr.csv", strings.ReplaceAll(strings.Join(rows, "\n"), `\"`, `""`)+"\n")
}

// browser is somebody's browser; without JavaScript.
type browser struct {
	*http.Client
	l *lab
}

// browser returns one that nobody is signed in with.
func (l *lab) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(l.t, err)
	return &browser{&http.Client{Jar: jar}, l}
}

// as returns a browser in which the user with this role is signed in.
func (l *lab) as(role signin.Role) *browser {
	l.t.Helper()
	desk := signin.New(l.hub.State(), signin.Options{Now: l.hub.Now})
	token, err := desk.Admit(l.t.Context(), signin.Who{Actor: string(role), Role: role}, "")
	require.NoError(l.t, err)
	return l.holding(token)
}

// holding returns a browser that holds the token of a session.
func (l *lab) holding(token string) *browser {
	l.t.Helper()
	b := l.browser()
	w := httptest.NewRecorder()
	jar{}.set(w, sessionCookie, token, 0)
	u, err := url.Parse(l.URL)
	require.NoError(l.t, err)
	b.Jar.SetCookies(u, w.Result().Cookies())
	return b
}

// answer is what came back, after redirects.
type answer struct {
	*http.Response
	text string
}

func (b *browser) do(req *http.Request) answer {
	b.l.t.Helper()
	resp, err := b.Do(req)
	require.NoError(b.l.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.l.t, err)
	return answer{resp, string(body)}
}

func (b *browser) get(path string) answer {
	b.l.t.Helper()
	req, err := http.NewRequestWithContext(b.l.t.Context(), http.MethodGet, b.l.URL+path, nil)
	require.NoError(b.l.t, err)
	return b.do(req)
}

// post sends a form as a page of the site does.
func (b *browser) post(path string, form url.Values) answer {
	b.l.t.Helper()
	req, err := http.NewRequestWithContext(b.l.t.Context(), http.MethodPost, b.l.URL+path, strings.NewReader(form.Encode()))
	require.NoError(b.l.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

// ok is get for a page that must be there.
func (b *browser) ok(path string) string {
	b.l.t.Helper()
	a := b.get(path)
	require.Equal(b.l.t, http.StatusOK, a.StatusCode, "%s: %s", path, a.text)
	return a.text
}

// held returns the held plan.
func (l *lab) held() store.PlanHead {
	l.t.Helper()
	held, err := l.hub.State().PlanList(l.t.Context(), store.PlanFilter{Status: store.PlanHeld})
	require.NoError(l.t, err)
	require.Len(l.t, held, 1)
	return held[0]
}

// parked returns the parked operation.
func (l *lab) parked() store.OpRow {
	l.t.Helper()
	ops, err := l.hub.State().Operations(l.t.Context(), store.OpFilter{States: []store.OpState{store.OpParked}})
	require.NoError(l.t, err)
	require.Len(l.t, ops, 1)
	return ops[0]
}

// audited returns the last entry of the trail with this action.
func (l *lab) audited(action string) store.AuditEntry {
	l.t.Helper()
	entries, err := l.hub.State().AuditNewest(l.t.Context(), store.AuditFilter{Action: action, Limit: 1}, 0)
	require.NoError(l.t, err)
	require.Len(l.t, entries, 1, "nothing about %s in the trail", action)
	return entries[0]
}

// detail reads a value of an entry's detail.
func detail(t *testing.T, e store.AuditEntry, name string) any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(e.Detail, &m))
	return m[name]
}
