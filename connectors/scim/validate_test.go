package scim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func TestValidateTellsEveryFaultAtOnce(t *testing.T) {
	const good = `"base_url": "https://app.example.org/scim/v2"`
	own := filepath.Join(t.TempDir(), "own.yaml")
	require.NoError(t, os.WriteFile(own, []byte("name: own\nversion: 1\nextends: slakc\nverified: docs-only\nverified_on: 2026-11-22\n"), 0o600))
	for _, c := range []struct {
		config string
		want   map[string]string // path → part of the summary
	}{
		{`{` + good + `}`, nil},
		{`{"base_url": "http://app.example.org/scim"}`, map[string]string{"/base_url": "in the clear"}},
		{`{"base_url": "http://app.example.org/scim", "allow_insecure": ["app.example.org"]}`, nil},
		{`{"base_url": "https://svc:pw@app.example.org/scim"}`, map[string]string{"/base_url": "name or password"}},
		{`{"base_url": "app.example.org"}`, map[string]string{"/base_url": "is not an address"}},
		{`{` + good + `, "dialect": "slakc"}`, map[string]string{"/dialect": `did you mean "slack"`}},
		{`{` + good + `, "dialect": "own.yaml"}`, map[string]string{"/dialect": "full path"}},
		{`{` + good + `, "dialect": "` + own + `"}`, map[string]string{"/dialect": `did you mean "slack"`}},
		{`{` + good + `, "overrides": {"pageing": "cursor", "page_max": -1}}`, map[string]string{"/overrides/pageing": "did you mean", "/overrides/page_max": "page_max"}},
		{`{` + good + `, "auth": {"kind": "oauth2"}}`, map[string]string{"/auth/token_url": "missing", "/auth/client_id": "missing"}},
		{`{` + good + `, "auth": {"user": "x"}}`, map[string]string{"/auth/user": "no meaning"}},
		{`{` + good + `, "auth": {"kind": "mtls"}}`, map[string]string{"/certificate_file": "missing"}},
		{`{` + good + `, "auth": {"kind": "oauth2", "client_id": "c", "token_url": "http://id.example.org/token"}}`, map[string]string{"/auth/token_url": "in the clear"}},
		{`{` + good + `, "tls_ca_file": "ca.pem"}`, map[string]string{"/tls_ca_file": "full path"}},
		{`{` + good + `, "users": {"attributes": [{"name": "a", "path": "emails[type eq work].value"}, {"name": "a"}, {"name": "id"}, {"name": "b", "path": "emails[type eq \"x\"]"}, {"name": "c", "refers_to": "user"}]}}`,
			map[string]string{"/users/attributes/0/path": "emails[type eq work].value", "/users/attributes/1/name": "two attributes", "/users/attributes/2/name": "no name", "/users/attributes/3/path": ".value", "/users/attributes/4/refers_to": "needs type reference"}},
		{`{` + good + `, "users": {"leave_out": ["shoeSize"], "anchor": "badge", "protected": [{"attribute": "x", "values": []}]}}`,
			map[string]string{"/users/leave_out/0": "shoeSize", "/users/anchor": "badge", "/users/protected/0/attribute": `"x"`, "/users/protected/0/values": "holds nothing"}},
		{`{` + good + `, "groups": {"type": "user"}, "concurrency": -1}`, map[string]string{"/groups/type": "accounts are called", "/concurrency": "negative"}},
	} {
		got := map[string]string{}
		for _, f := range Definition.Validate(json.RawMessage(c.config)) {
			require.False(t, f.Warning)
			require.NotEmpty(t, f.Detail, "what to do about %s", f.Path)
			got[f.Path] += f.Summary
		}
		require.Len(t, got, len(c.want), "%s: %v", c.config, got)
		for path, part := range c.want {
			require.Contains(t, got[path], part, c.config)
		}
	}
}

func TestValidateWarns(t *testing.T) {
	fs := Definition.Validate(json.RawMessage(`{"base_url": "https://x.example.org", "dialect": "aws-identity-center", "auth": {"kind": "basic", "user": "x"}, "users": {"allow_irreversible_delete": true}}`))
	require.Equal(t, []string{"/auth/kind", "/users/allow_irreversible_delete"}, []string{fs[0].Path, fs[1].Path})
	require.True(t, fs[0].Warning && fs[1].Warning, "what the profile does not know may work all the same")
}

func TestOpenRefusesWhatValidateFinds(t *testing.T) {
	_, err := Definition.Open(t.Context(), json.RawMessage(`{"base_url": "http://x.example.org", "dialect": "none"}`), connector.Instance{})
	require.Equal(t, connector.CodeConfiguration, code(err))
	require.ErrorContains(t, err, "/base_url")
	require.ErrorContains(t, err, "/dialect")
}
