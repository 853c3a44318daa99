package scim

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// fake is a simulated service of one dialect and a target that speaks it.
type fake struct {
	*fakescim.Server
	t      testing.TB
	dir    string
	target *Target
}

// config is more of a target's config, by key.
type config map[string]any

// newFake starts a service whose dialect is the profile called name, changed by
// overrides, and opens a target for it. Both know the overrides.
func newFake(t testing.TB, name string, overrides map[string]any, more config) *fake {
	return newFakeWith(t, name, overrides, more, fakescim.Options{})
}

func newFakeWith(t testing.TB, name string, overrides map[string]any, more config, o fakescim.Options) *fake {
	t.Helper()
	p, err := client.LoadProfile(name)
	require.NoError(t, err)
	p, err = p.With(overrides)
	require.NoError(t, err)
	o.Profile = p
	s, err := fakescim.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	f := &fake{Server: s, t: t, dir: t.TempDir()}
	if overrides != nil {
		more = maps.Clone(more)
		if more == nil {
			more = config{}
		}
		more["overrides"] = overrides
	}
	f.target = f.open(more)
	return f
}

// config is the config of a target for the service.
func (f *fake) config(more config) string {
	raw, err := f.Config(f.dir)
	require.NoError(f.t, err)
	c := config{}
	require.NoError(f.t, json.Unmarshal(raw, &c))
	maps.Copy(c, more)
	out, err := json.Marshal(c)
	require.NoError(f.t, err)
	return string(out)
}

// open opens one more target for the service.
func (f *fake) open(more config) *Target {
	return openTarget(f.t, f.config(more), f.Secrets())
}

// create makes an account that must be made.
func (f *fake) create(c connector.Create) connector.Ref {
	f.t.Helper()
	ref, err := f.target.Create(context.Background(), c)
	require.NoError(f.t, err)
	require.NotEmpty(f.t, ref.ID)
	return ref
}

// user is the account as the service holds it.
func (f *fake) user(name string) fakescim.Resource {
	f.t.Helper()
	u, ok := f.User(name)
	require.True(f.t, ok, "there is a user %s", name)
	return u
}

// together runs n calls at once and returns what each returned.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = call(i) })
	}
	all.Wait()
	return errs
}

// fetchToken gets a second token that the service accepts.
func fetchToken(t *testing.T, f *fake, login fakescim.Login) string {
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: f.CertPool()}}}
	defer hc.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.TokenURL(), strings.NewReader("grant_type=client_credentials"))
	require.NoError(t, err)
	req.SetBasicAuth(login.Name, login.Password)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := hc.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var token struct {
		Value string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&token))
	require.NotEmpty(t, token.Value)
	return token.Value
}
