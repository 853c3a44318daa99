package pluginhost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func lockFileWith(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plugins.lock")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

func TestPinnedPluginsAreFoundBesideTheBinaryOrWhereTheLockSays(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	path := lockFileWith(t, `plugins:
  - type: scim
    version: 1.2.0
    sha256: {`+Platform()+`: `+hash+`}
  - type: ldap
    version: 2.0.0
    path: bin/ldap-plugin
    sha256: {`+Platform()+`: `+hash+`}
  - type: foreign
    version: 1.0.0
    sha256: {plan9/mips: `+hash+`, aix/ppc64: `+hash+`}
`)
	lock, err := LoadLock(path)
	require.NoError(t, err)
	c := &Catalog{Dir: "/opt/provhub/bin", Lock: lock, Dev: map[string]string{"mine": "/home/me/mine"}}

	got, err := c.Resolve("scim")
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(Config{Type: "scim", Version: "1.2.0", Path: "/opt/provhub/bin/provhub-connector-scim", SHA256: hash}, got))
	got, err = c.Resolve("ldap")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(filepath.Dir(path), "bin/ldap-plugin"), got.Path)
	got, err = c.Resolve("mine")
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(Config{Type: "mine", Path: "/home/me/mine", Dev: true}, got))

	_, err = c.Resolve("sql")
	assert.EqualError(t, err, "the sql plugin is not pinned in "+path+": check where its binary comes from, then run: "+
		"provhub plugin pin /opt/provhub/bin/provhub-connector-sql")
	_, err = c.Resolve("foreign")
	assert.ErrorContains(t, err, "for aix/ppc64, plan9/mips, not for "+Platform())
}

func TestALockFileWithFaultsListsThemAll(t *testing.T) {
	_, err := LoadLock(lockFileWith(t, `plugins:
  - {type: SCIM, version: 1.0.0, sha256: {linux/amd64: abc}}
  - {type: ldap, version: 1.0.0, sha256: {linux: `+strings.Repeat("a", 64)+`}}
  - {type: ldap, version: 1.0.0}
`))
	for _, want := range []string{"plugins[0] (SCIM): type must be", "sha256 for linux/amd64 must have 64", "plugins[1] (ldap): sha256 has the key", "plugins[2] (ldap): the type is pinned twice"} {
		assert.ErrorContains(t, err, want)
	}
	_, err = LoadLock(lockFileWith(t, "plugins:\n  - type: scim\n    hash: x\n"))
	assert.ErrorContains(t, err, "line 3")
	assert.ErrorContains(t, err, "plugins.lock")

	none, err := LoadLock(filepath.Join(t.TempDir(), "plugins.lock"))
	require.NoError(t, err)
	assert.Empty(t, none.Plugins)
}

func TestPinningWritesWhatRan(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "provhub-connector-bad")
	content, err := os.ReadFile(badBinary)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(bin, content, 0o755))
	lock, err := LoadLock(filepath.Join(dir, "plugins.lock"))
	require.NoError(t, err)
	lock.Plugins = []Pinned{{Type: "bad", Version: "1.0.0", SHA256: map[string]string{"plan9/mips": strings.Repeat("0", 64)}}, {Type: "zzz", Version: "1.0.0", SHA256: map[string]string{"aix/ppc64": strings.Repeat("1", 64)}}}
	c := &Catalog{Dir: dir, Lock: lock}

	now, before, err := c.Pin(t.Context(), bin)
	require.NoError(t, err)
	assert.Equal(t, "1.0.0", before.Version)
	assert.Empty(t, now.Path, "it lies where it is looked for")
	assert.Len(t, now.SHA256, 2, "the same version keeps its other platforms")
	require.NoError(t, lock.Save())

	again, err := LoadLock(lock.Path)
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(lock.Plugins, again.Plugins))
	cfg, err := (&Catalog{Dir: dir, Lock: again}).Resolve("bad")
	require.NoError(t, err)
	_, err = Inspect(t.Context(), cfg.Path, cfg.SHA256)
	require.NoError(t, err)
	found, err := c.Binaries()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"bad": bin}, found)

	// Elsewhere, and another version: relative to the lock, other platforms forgotten.
	lock.Plugins[0].Version = "0.9.0"
	other := filepath.Join(dir, "sub", "my-plugin")
	require.NoError(t, os.Mkdir(filepath.Dir(other), 0o755))
	require.NoError(t, os.Rename(bin, other))
	now, _, err = c.Pin(t.Context(), other)
	require.NoError(t, err)
	assert.Equal(t, "sub/my-plugin", now.Path)
	assert.Len(t, now.SHA256, 1)

	_, _, err = c.Pin(t.Context(), "/bin/true")
	assert.Error(t, err)
}
