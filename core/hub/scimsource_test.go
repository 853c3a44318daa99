package hub_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
      page_size: %[4]d
      incremental: %[5]s
      users:
        filter: userName sw %[3]q
        attributes: [{name: login, from: userName, required: true}, {name: title}]
connectors:
  - name: chat
    plugin: memory
    config: {journal: chat.journal}
    attributes: [{to: userName, from: person.login}, {to: title, from: person.title}]
`

// service is a service that we did not write, with users of the test's own.
type service struct {
	testing.TB
	*scim.Client
	url, prefix string
	ids         []string // of the users, in the order of their names
}

func newService(t *testing.T, people int) *service {
	s := &service{TB: t, url: os.Getenv("PROVHUB_TEST_SCIM_URL")}
	if s.url == "" {
		t.Skip("needs PROVHUB_TEST_SCIM_URL: run make test")
	}
	access := scim.Access{BaseURL: s.url, Dialect: "scimmy", AllowInsecure: []string{"127.0.0.1"},
		Overrides: map[string]any{"bulk": scim.BulkSupported, "bulk_max_ops": 250, "timeout": "2m"}}
	o, err := access.Options(map[string]connector.Secret{"token": connector.NewSecret(os.Getenv("PROVHUB_TEST_SCIM_TOKEN"))})
	require.NoError(t, err)
	s.Client, err = scim.New(o)
	require.NoError(t, err)
	var b [4]byte
	_, _ = rand.Read(b[:])
	s.prefix = "hub-" + hex.EncodeToString(b[:]) + "-"
	t.Cleanup(func() { s.remove(s.ids) })
	var ops []scim.BulkOp
	for i := range people {
		ops = append(ops, scim.BulkOp{Method: http.MethodPost, Path: "/Users", BulkID: fmt.Sprint("b", i), Data: scim.Resource{
			"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": fmt.Sprintf("%s%05d", s.prefix, i)}})
	}
	s.ids = s.bulk(ops)
	return s
}

// bulk sends requests of the test's own and returns the ids of what they made.
func (s *service) bulk(ops []scim.BulkOp) (ids []string) {
	for _, a := range s.Bulk(context.Background(), ops) {
		require.NoError(s, a.Err)
		ids = append(ids, a.ID)
	}
	return ids
}

func (s *service) remove(ids []string) {
	var ops []scim.BulkOp
	for i, id := range ids {
		ops = append(ops, scim.BulkOp{Method: http.MethodDelete, Path: "/Users/" + id, BulkID: fmt.Sprint("b", i)})
	}
	s.bulk(ops)
}

// hub opens a hub that reads the service in pages of that size.
func (s *service) hub(t *testing.T, pageSize int, incremental string) (sync func() hub.SyncResult) {
	dir := t.TempDir()
	path := filepath.Join(dir, "provhub.yaml")
	text := fmt.Sprintf(serviceConfig, filepath.Join(pluginsDir, "provhub-connector-memory"), s.url, s.prefix, pageSize, incremental)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	cfg, err := config.Load(path, config.Settings{})
	require.NoError(t, err)
	t.Chdir(dir)
	h, err := hub.Open(t.Context(), cfg, hub.Options{Actor: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return func() hub.SyncResult {
		r, err := h.Sync(t.Context(), hub.PlanOptions{}, hub.DrainOptions{Wait: time.Minute})
		require.NoError(t, err)
		return r
	}
}

// All users of a service that we did not write, then only what was modified.
func TestServiceAsSource(t *testing.T) {
	const n = 300
	s := newService(t, n)
	sync := s.hub(t, 20, "auto")
	r := sync()
	require.Len(t, r.Plans[0].Plan.Operations, n)
	require.True(t, r.Plans[0].Report.Source.Complete)

	_, err := s.Update(t.Context(), scim.Update{Type: scim.Users, ID: s.ids[7], Changes: []scim.Change{{Path: scim.MustPath("title"), Replace: []any{"Chief"}}}})
	require.NoError(t, err)
	r = sync()
	require.Equal(t, "update "+s.ids[7], planned(r))
	require.True(t, r.Plans[0].Report.Source.Delta)
	require.Empty(t, planned(sync()))
}

// Ten thousand users in a hundred pages: the reading is complete, everybody is
// there once, and of two readings one who left is the only difference.
func TestTenThousandUsersInPages(t *testing.T) {
	const n, leaver = 10_000, 4321
	s := newService(t, n)
	sync := s.hub(t, 100, "none")
	r := sync()
	require.True(t, r.Plans[0].Report.Source.Complete, "%v", r.Plans[0].Report.Source.Incomplete)
	var anchors []string
	for _, o := range r.Plans[0].Plan.Operations {
		anchors = append(anchors, o.Anchor)
	}
	require.ElementsMatch(t, s.ids, anchors)

	s.remove(s.ids[leaver : leaver+1])
	gone := s.ids[leaver]
	s.ids = slices.Delete(s.ids, leaver, leaver+1)
	r = sync()
	require.True(t, r.Plans[0].Report.Source.Complete)
	require.Equal(t, 1, r.Plans[0].Report.Vanished)
	require.Equal(t, "disable "+gone, planned(r))
}
