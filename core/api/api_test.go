package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/api"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
)

const hubConfig = `
state: {url: "sqlite:state.db"}
log: {level: error}
plugins: {dev: {memory: %q}, data: data}
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id}, {name: name, required: true}, {name: status}]
    lifecycle: {status: status, active: [here], leaver: [left]}
connectors:
  - {name: chat, plugin: memory, config: {journal: chat.journal}, attributes: [{to: userName, from: person.name}]}
`

// newAPI is the API of a hub with three people who have accounts.
func newAPI(t *testing.T) *httptest.Server {
	dir := t.TempDir()
	plugin := filepath.Join(dir, "provhub-connector-memory")
	out, err := exec.Command("go", "build", "-o", plugin, "github.com/provhub/provhub/plugins/provhub-connector-memory").CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hr.csv"), []byte("id,name,status\n1,Ann,here\n2,Bo,here\n3,Cy,here\n"), 0o600))
	path := filepath.Join(dir, "provhub.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, hubConfig, plugin), 0o600))
	cfg, err := config.Load(path, config.Settings{})
	require.NoError(t, err)
	t.Chdir(dir)
	h, err := hub.Open(t.Context(), cfg, hub.Options{Actor: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	_, err = h.Sync(t.Context(), hub.PlanOptions{}, hub.DrainOptions{Wait: 10 * time.Second})
	require.NoError(t, err)
	a, err := api.New(h, api.Options{Token: connector.NewSecret("token-Qx7")})
	require.NoError(t, err)
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	return s
}

func post(t *testing.T, s *httptest.Server, path, token, body string) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &answer), "%s", b)
	return resp.StatusCode, answer
}

func TestPush(t *testing.T) {
	s := newAPI(t)
	const path, token = "/v1/sources/hr/push", "token-Qx7"
	status, a := post(t, s, path, token, `{"record": {"id": "2", "name": "Bo", "status": "left"}}`)
	require.Equal(t, http.StatusOK, status, "%v", a)
	require.Equal(t, "done", a["status"])
	op := a["operations"].([]any)[0].(map[string]any)
	require.Equal(t, []any{"chat", "disable", "done"}, []any{op["connector"], op["kind"], op["state"]})

	status, a = post(t, s, path, token, `{"anchor": "3"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "nothing", a["status"])

	for _, c := range []struct {
		name, path, token, body string
		status                  int
		says                    string
	}{
		{"no token", path, "", `{"anchor": "3"}`, http.StatusUnauthorized, "Authorization"},
		{"a wrong token", path, "token-Qx8", `{"anchor": "3"}`, http.StatusUnauthorized, "Authorization"},
		{"nobody", path, token, `{"anchor": "99"}`, http.StatusUnprocessableEntity, `nobody \"99\"`},
		{"a bad record", path, token, `{"record": {"id": "9", "name": "", "status": "here"}}`, http.StatusUnprocessableEntity, `\"name\" `},
		{"no such source", "/v1/sources/hrr/push", token, `{"anchor": "3"}`, http.StatusNotFound, "hr"},
		{"no JSON", path, token, `anchor=3`, http.StatusBadRequest, "EmployeeID"},
		{"an unknown key", path, token, `{"ancor": "3"}`, http.StatusBadRequest, "ancor"},
		{"another source", path, token, `{"source": "it", "anchor": "3"}`, http.StatusBadRequest, "another source"},
		{"too much", path, token, `{"anchor": "` + strings.Repeat("x", 2<<20) + `"}`, http.StatusBadRequest, "too large"},
		{"both", path, token, `{"anchor": "3", "record": {"id": "3"}}`, http.StatusUnprocessableEntity, "either"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, a := post(t, s, c.path, c.token, c.body)
			require.Equal(t, c.status, status, "%v", a)
			text, err := json.Marshal(a)
			require.NoError(t, err)
			require.Contains(t, string(text), c.says)
			require.NotContains(t, string(text), "token-Qx")
		})
	}
}

func TestNoTokenNoAPI(t *testing.T) {
	_, err := api.New(nil, api.Options{})
	require.ErrorContains(t, err, "no token")
}
