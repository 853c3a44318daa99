package monitoring

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/logtest"
)

// prometheus is the real program; promtool is beside it.
func prometheus(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PROVHUB_TEST_PROMETHEUS")
	if path == "" {
		t.Skip("needs PROVHUB_TEST_PROMETHEUS: run make test")
	}
	return path
}

// The rules tell what they are to tell, and nothing else.
func TestRules(t *testing.T) {
	promtool := filepath.Join(filepath.Dir(prometheus(t)), "promtool")
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "rules_test.yaml"}, {"check", "config", "--syntax-only", "prometheus.yaml"}} {
		out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput()
		require.NoError(t, err, "promtool %v: %s", args, out)
	}
}

// A Prometheus that scrapes a node as prometheus.yaml says shows something in every
// panel, and can work out every rule.
func TestPrometheusShowsEveryPanel(t *testing.T) {
	program := prometheus(t)
	n := watched(t)
	api := scraping(t, program, n)
	for _, q := range ask(t) {
		panel := strings.HasPrefix(q.where, "panel ")
		var last string
		n.eventually(q.where+" shows something: "+q.expr, func() bool {
			status, body := fetch(t, api+"/api/v1/query?query="+url.QueryEscape(q.expr))
			require.Equal(t, 200, status, "%s: %s: %s", q.where, q.expr, body)
			last = body
			return !panel || !strings.Contains(last, `"result":[]`)
		})
	}
	_, body := fetch(t, api+"/api/v1/rules")
	var rules struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &rules))
	require.NotEmpty(t, rules.Data.Groups)
	for _, g := range rules.Data.Groups {
		for _, r := range g.Rules {
			require.Empty(t, r.LastError, r.Name)
		}
	}
}

// scraping starts a Prometheus that scrapes n every second, and returns where it is.
func scraping(t *testing.T, program string, n *node) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("prometheus.yaml")
	require.NoError(t, err)
	rules, err := filepath.Abs("rules.yaml")
	require.NoError(t, err)
	config := strings.NewReplacer("15s", "1s", "https", "http", "[rules.yaml]", "["+rules+"]", "/etc/prometheus/provhub-token", filepath.Join(dir, "token"),
		`"provhub-1.example.org:8484", "provhub-2.example.org:8484"`, fmt.Sprintf("%q", strings.TrimPrefix(n.url, "http://"))).Replace(string(text))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte("any"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	out := &logtest.Log{}
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus:\n%s", out)
		}
	})
	n.eventually("prometheus is ready", func() bool {
		resp, err := http.Get("http://" + addr + "/-/ready")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == 200
	})
	return "http://" + addr
}
