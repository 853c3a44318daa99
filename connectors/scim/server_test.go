package scim

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// realService is the SCIM service of the test environment, which others use at
// the same time: what a test makes has a name of its own and is removed again.
type realService struct {
	t          testing.TB
	url, token string
	prefix     string
}

func newReal(t testing.TB) *realService {
	s := &realService{t: t, url: env(t, "PROVHUB_TEST_SCIM_URL"), token: env(t, "PROVHUB_TEST_SCIM_TOKEN"), prefix: unique()}
	t.Cleanup(s.sweep)
	return s
}

// newKit is the SCIM service that is there for the conformance suite alone,
// emptied.
func newKit(t testing.TB) *realService {
	s := &realService{t: t, url: env(t, "PROVHUB_TEST_SCIM_KIT_URL"), token: env(t, "PROVHUB_TEST_SCIM_KIT_TOKEN"), prefix: unique()}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env(t, "PROVHUB_TEST_SCIM_KIT_RESET_URL"), nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Less(t, resp.StatusCode, 300, "emptying the service")
	return s
}

func env(t testing.TB, name string) string {
	v := os.Getenv(name)
	if v == "" {
		t.Skip("needs " + name + ": run make test")
	}
	return v
}

func unique() string { return "zz" + strings.ToLower(rand.Text()[:8]) }

// config is a config for the service, with more keys in front.
func (s *realService) config(more string) string {
	return `{"base_url": "` + s.url + `", "dialect": "scimmy", "allow_insecure": ["127.0.0.1"]` + more + `}`
}

func (s *realService) target(more string) *Target {
	return openTarget(s.t, s.config(more), map[string]connector.Secret{"token": connector.NewSecret(s.token)})
}

// do makes a request past the connector and returns the body.
func (s *realService) do(method, path, body string) client.Resource {
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, bytes.NewReader([]byte(body)))
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	var r client.Resource
	if len(raw) > 0 {
		require.NoError(s.t, json.Unmarshal(raw, &r), string(raw))
	}
	return r
}

// sweep removes what the test left.
func (s *realService) sweep() {
	for path, attr := range map[string]string{"/Users": "userName", "/Groups": "displayName"} {
		page := s.do(http.MethodGet, path+"?count=200&filter="+attr+"%20sw%20%22"+s.prefix+"%22", "")
		for _, v := range page.Values(client.Path{Attr: "Resources"}) {
			s.do(http.MethodDelete, path+"/"+client.Resource(v.(map[string]any)).ID(), "")
		}
	}
}

func openTarget(t testing.TB, config string, secrets map[string]connector.Secret) *Target {
	t.Helper()
	for _, f := range Definition.Validate(json.RawMessage(config)) {
		require.True(t, f.Warning, "%s: %s", f.Path, f.Summary)
	}
	target, err := Definition.Open(context.Background(), json.RawMessage(config), connector.Instance{Secrets: secrets})
	require.NoError(t, err)
	t.Cleanup(func() { _ = target.(*Target).Close(context.Background()) })
	return target.(*Target)
}

// --- tiny constructors

func attrs(pairs ...any) connector.Attributes {
	var out connector.Attributes
	for i := 0; i < len(pairs); i += 2 {
		a := connector.Attribute{Name: pairs[i].(string)}
		if pairs[i+1] != nil {
			a.Values = connector.Values{pairs[i+1]}
		}
		out = append(out, a)
	}
	return out
}

func call(n string) connector.Call { return connector.Call{ID: n, Key: n, Attempt: 1} }

// newUser is the create of an account whose anchor is its name's.
func newUser(name string, more ...any) connector.Create {
	return connector.Create{Call: call("create-" + name), Type: "user", Enabled: connector.IsEnabled,
		Attributes: attrs(append([]any{"userName", name, "externalId", "x-" + name}, more...)...),
		Correlate:  connector.Correlation{Attribute: "externalId", Value: "x-" + name}}
}

func newGroup(name string) connector.Create {
	return connector.Create{Call: call("create-" + name), Type: "group", Attributes: attrs("displayName", name),
		Correlate: connector.Correlation{Attribute: "displayName", Value: name}}
}

func by(attribute, value string) connector.Ref {
	return connector.Ref{Type: "user", By: connector.Correlation{Attribute: attribute, Value: value}}
}

// group names a group as the hub does with a grant.
func group(name string) connector.Ref {
	return connector.Ref{Type: "group", Name: name, By: connector.Correlation{Attribute: "displayName", Value: name}}
}

func replace(name string, values ...any) connector.Change {
	return connector.Change{Name: name, Replace: values}
}

// outcome is what an error of the connector tells the hub.
func outcome(err error) connector.Outcome {
	return connector.ResultOf("", connector.Ref{}, err).Outcome
}

func code(err error) connector.Code {
	if e := connector.AsError(err); e != nil {
		return e.Code
	}
	return 0
}
