package hub_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
)

const serviceConfig = `
state: {url: "sqlite:state.db"}
log: {level: error}
plugins: {dev: {memory: %[1]q}, data: data}
secrets: [{name: idp, env: PROVHUB_TEST_SCIM_TOKEN}]
sources:
  - name: idp
    type: scim
    secrets: {token: idp}
    scim:
      base_url: %[2]q
      dialect: scimmy
      allow_insecure: [127.0.0.1]
      page_size: 20
      users:
        filter: userName sw %[3]q
        attributes: [{name: login, from: userName, required: true}, {name: title}]
connectors:
  - name: chat
    plugin: memory
    config: {journal: chat.journal}
    attributes: [{to: userName, from: person.login}, {to: title, from: person.title}]
`

// Users in many pages of a service that we did not write: all of them, and
// nobody gone; then only what was modified.
func TestServiceAsSource(t *testing.T) {
	url, token := os.Getenv("PROVHUB_TEST_SCIM_URL"), os.Getenv("PROVHUB_TEST_SCIM_TOKEN")
	if url == "" {
		t.Skip("needs PROVHUB_TEST_SCIM_URL: run make test")
	}
	const n = 300
	access := scim.Access{BaseURL: url, Dialect: "scimmy", AllowInsecure: []string{"127.0.0.1"}}
	o, err := access.Options(map[string]connector.Secret{"token": connector.NewSecret(token)})
	require.NoError(t, err)
	client, err := scim.New(o)
	require.NoError(t, err)
	var b [4]byte
	_, _ = rand.Read(b[:])
	prefix := "hub-" + hex.EncodeToString(b[:]) + "-"
	ids := make([]string, n)
	each := func(do func(i int) error) {
		var g errgroup.Group
		g.SetLimit(16)
		for i := range n {
			g.Go(func() error { return do(i) })
		}
		require.NoError(t, g.Wait())
	}
	each(func(i int) error {
		r, err := client.Create(context.Background(), scim.Users, scim.Resource{"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": fmt.Sprintf("%s%05d", prefix, i)})
		ids[i] = r.ID()
		return err
	})
	t.Cleanup(func() { each(func(i int) error { return client.Delete(context.Background(), scim.Users, ids[i], "") }) })

	dir := t.TempDir()
	path := filepath.Join(dir, "provhub.yaml")
	text := fmt.Sprintf(serviceConfig, filepath.Join(pluginsDir, "provhub-connector-memory"), url, prefix)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	cfg, err := config.Load(path, config.Settings{})
	require.NoError(t, err)
	t.Chdir(dir)
	h, err := hub.Open(t.Context(), cfg, hub.Options{Actor: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	sync := func() hub.SyncResult {
		r, err := h.Sync(t.Context(), hub.PlanOptions{}, hub.DrainOptions{Wait: 10 * time.Second})
		require.NoError(t, err)
		return r
	}
	r := sync()
	require.Len(t, r.Plans[0].Plan.Operations, n)
	require.True(t, r.Plans[0].Report.Source.Complete)

	_, err = client.Update(t.Context(), scim.Update{Type: scim.Users, ID: ids[7], Changes: []scim.Change{{Path: scim.MustPath("title"), Replace: []any{"Chief"}}}})
	require.NoError(t, err)
	r = sync()
	require.Equal(t, "update "+ids[7], planned(r))
	require.True(t, r.Plans[0].Report.Source.Delta)
	require.Empty(t, planned(sync()))
}
