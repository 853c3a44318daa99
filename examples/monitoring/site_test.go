// Package monitoring runs provhub as its users do, and holds what is said here of
// metrics, logs and alerts to what it gives.
package monitoring

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
	"github.com/provhub/provhub/logtest"
)

// bin holds provhub and its plugins.
var bin string

func TestMain(m *testing.M) { os.Exit(withPrograms(m)) }

func withPrograms(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "provhub-monitoring-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "../../cmd/provhub", "../../plugins/provhub-connector-memory",
		"../../plugins/provhub-connector-scim", "../../plugins/provhub-connector-sql")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience is how long something may take on a machine that is busy with other tests.
const patience = 2 * time.Minute

// site is a config with a source and two targets: the database of an app, which refuses
// titles longer than 12 characters and does not let zaphod be disabled, and a SCIM
// service.
type site struct {
	t    *testing.T
	dir  string
	scim *fakescim.Server
	// config is that of the site, unless another one is given.
	config string
	env    []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	profile, err := scim.LoadProfile("rfc7644")
	require.NoError(t, err)
	s.scim, err = fakescim.New(fakescim.Options{Profile: profile})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.scim.Close() })
	s.exec(`CREATE TABLE app_user (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, employee_no TEXT UNIQUE, title TEXT CHECK (LENGTH(title) <= 12),
		active BOOLEAN NOT NULL DEFAULT true, CHECK (active OR login <> 'zaphod'))`)
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// exec changes the app's database.
func (s *site) exec(q string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.path("crm.db")+"?_pragma=busy_timeout(20000)")
	require.NoError(s.t, err)
	defer db.Close()
	_, err = db.ExecContext(s.t.Context(), q)
	require.NoError(s.t, err)
}

// people writes the source: "id,login,mail,title,status".
func (s *site) people(rows ...string) {
	s.t.Helper()
	text := "id,login,mail,title,status\n" + strings.Join(rows, "\n") + "\n"
	require.NoError(s.t, os.WriteFile(s.path("hr.new"), []byte(text), 0o600))
	require.NoError(s.t, os.Rename(s.path("hr.new"), s.path("hr.csv")))
}

const siteConfig = `
org: acme
state: {url: "sqlite:provhub.db"}
log: {level: debug, format: json}
plugins: {data: data, dev: {sql: %[1]q, scim: %[2]q}}
serve: {listen: "127.0.0.1:0", stop_within: 10s}
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id, required: true}, {name: login, required: true}, {name: mail}, {name: title}, {name: status, required: true}]
    lifecycle: {status: status, active: [here], leaver: [left]}
    vanish: {max: 1000}
    max_bad_percent: 50
    schedule: {cron: "@every 1s"}
connectors:
  - name: crm
    plugin: sql
    config: {dialect: sqlite, users: {table: app_user, key: login, id: id, anchor: employee_no, enabled: {column: active}}}
    secrets: {dsn: crm_dsn}
    attributes: [{to: login, from: person.login}, {to: employee_no, from: person.id}, {to: title, from: person.title}]
    retry: {first: 100ms, max: 1s}
    guards: {disable: {max: 1}}
  - name: wiki
    plugin: scim
    config: %[3]s
    secrets: {token: wiki_token}
    attributes: [{to: userName, from: person.mail}, {to: externalId, from: person.id}, {to: displayName, from: person.login}]
    retry: {first: 100ms, max: 1s}
    guards: {disable: {max: 1}}
secrets:
  - {name: crm_dsn, file: crm.dsn}
  - {name: wiki_token, file: wiki.token}
`

func (s *site) write() {
	s.t.Helper()
	files := map[string]string{"provhub.yaml": s.config}
	if s.config == "" {
		wiki, err := s.scim.Config(s.dir)
		require.NoError(s.t, err)
		files = map[string]string{"crm.dsn": s.path("crm.db"), "wiki.token": s.scim.Token(),
			"provhub.yaml": fmt.Sprintf(siteConfig, filepath.Join(bin, "provhub-connector-sql"), filepath.Join(bin, "provhub-connector-scim"), wiki)}
	}
	for name, content := range files {
		require.NoError(s.t, os.WriteFile(s.path(name), []byte(content), 0o600))
	}
}

// node is `provhub serve`.
type node struct {
	*site
	cmd  *exec.Cmd
	url  string
	log  *logtest.Log
	done chan error
}

var servingAt = regexp.MustCompile(`^Serving .* at (https?://[^:]+:\d+)`)

// serve starts a node, which the end of the test stops.
func (s *site) serve() *node {
	s.t.Helper()
	s.write()
	n := &node{site: s, log: &logtest.Log{}, done: make(chan error, 1), cmd: exec.Command(filepath.Join(bin, "provhub"), "serve")}
	n.cmd.Dir, n.cmd.Stderr, n.cmd.Env = s.dir, n.log, append(os.Environ(), s.env...)
	out, err := n.cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, n.cmd.Start())
	s.t.Cleanup(n.stop)
	serving := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := servingAt.FindStringSubmatch(lines.Text()); m != nil {
				serving <- m[1]
			}
		}
		n.done <- n.cmd.Wait()
	}()
	select {
	case n.url = <-serving:
	case err := <-n.done:
		n.done <- err
		s.t.Fatalf("provhub serve ended: %v\n%s", err, n.log)
	case <-time.After(patience):
		s.t.Fatalf("provhub serve does not serve\n%s", n.log)
	}
	return n
}

// stop ends the node in an orderly way.
func (n *node) stop() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-n.done:
	case <-time.After(patience):
		_ = n.cmd.Process.Kill()
		n.t.Error("provhub serve did not stop")
	}
	n.cmd = nil
	if n.t.Failed() || os.Getenv("SHOWLOG") != "" {
		n.t.Logf("the log:\n%s", n.log)
	}
}

// get reads a page.
func (n *node) get(path string) (status int, body string) {
	n.t.Helper()
	return fetch(n.t, n.url+path)
}

func fetch(t *testing.T, address string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// provhub runs a command beside the node.
func (s *site) provhub(args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(bin, "provhub"), args...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *site) eventually(what string, f func() bool) {
	s.t.Helper()
	require.Eventually(s.t, f, patience, 100*time.Millisecond, what)
}
