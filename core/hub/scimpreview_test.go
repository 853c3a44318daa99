package hub_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
)

const groupedService = `
state: {url: "sqlite:state.db"}
log: {level: error}
plugins: {dev: {memory: %[1]q}, data: data}
secrets: [{name: idp, env: PROVHUB_TEST_SCIM_TOKEN}]
sources:
  - name: idp
    type: scim
    reference: boss
    secrets: {token: idp}
    scim:
      base_url: %[2]q
      dialect: scimmy
      allow_insecure: [127.0.0.1]
      users:
        filter: userName sw %[3]q
        anchor: userName
        attributes: [{name: login, from: userName, required: true}, {name: boss, from: nickName, type: reference}]
      groups:
        filter: displayName sw %[3]q
        attributes: [{name: name, from: displayName}]
connectors:
  - {name: chat, plugin: memory, config: {journal: chat.journal}, attributes: [{to: userName, from: person.login}, {to: manager, from: ref(person.boss)}], grants: [{from: person.groups}]}
`

// Users of a service are shown with the groups that they are in and the people whom
// they name by id, and nothing is taken over.
func TestPreviewShowsGroupsOfAService(t *testing.T) {
	s := newService(t, 2)
	groups := []string{}
	t.Cleanup(func() {
		for _, id := range groups {
			_ = s.Delete(context.Background(), scim.Groups, id, "")
		}
	})
	g, err := s.Create(t.Context(), scim.Groups, scim.Resource{"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:Group"},
		"displayName": s.prefix + "sales", "members": []any{map[string]any{"value": s.ids[1]}}})
	require.NoError(t, err)
	groups = append(groups, g.ID())
	_, err = s.Update(t.Context(), scim.Update{Type: scim.Users, ID: s.ids[1], Changes: []scim.Change{{Path: scim.MustPath("nickName"), Replace: []any{s.ids[0]}}}})
	require.NoError(t, err)

	dir := t.TempDir()
	path := filepath.Join(dir, "provhub.yaml")
	text := fmt.Sprintf(groupedService, filepath.Join(pluginsDir, "provhub-connector-memory"), s.url, s.prefix)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	cfg, err := config.Load(path, config.Settings{})
	require.NoError(t, err)
	t.Chdir(dir)
	h, err := hub.Open(t.Context(), cfg, hub.Options{Actor: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	seen, err := h.Preview(t.Context(), "idp", "", 10)
	require.NoError(t, err)
	require.Len(t, seen, 2)
	for _, p := range seen {
		want, boss := []string{}, ""
		if p.Anchor == s.prefix+"00001" {
			want, boss = []string{s.prefix + "sales"}, s.prefix+"00000"
		}
		require.Equal(t, want, p.Attributes["groups"])
		require.Equal(t, boss, p.Reference)
	}
	views, err := h.Sources(t.Context())
	require.NoError(t, err)
	require.Zero(t, views[0].People, "nothing was taken over")
}
