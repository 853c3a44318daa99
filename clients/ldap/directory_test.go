package ldap

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDirectoriesThatAreBuiltIn(t *testing.T) {
	names := Directories()
	require.Contains(t, names, "openldap")
	for _, name := range names {
		d, err := LoadDirectory(name, nil)
		require.NoError(t, err, name)
		require.Equal(t, name, d.Name)
		require.NotEmpty(t, d.Description)
		require.NotEmpty(t, d.Anchor.Attribute)
		require.Positive(t, d.MemberBatch)
		for _, k := range []Kind{d.Users, d.Groups} {
			_, err := k.Matches()
			require.NoError(t, err)
			require.NotEmpty(t, k.Naming)
		}
		require.NotEmpty(t, d.Groups.Member)
	}
	ad, err := LoadDirectory("ad", nil)
	require.NoError(t, err)
	require.Equal(t, int64(2), ad.Disable[0].Bits)
	require.Equal(t, 20, ad.Rule("SAMACCOUNTNAME").MaxLength)
	require.Equal(t, "member", ad.Groups.Member, "from its parent")
	f, err := ad.ByAnchor("3f2504e0-4f89-11d3-9a0c-0305e82c3301")
	require.NoError(t, err)
	require.Equal(t, `(objectGUID=\e0\04\25\3f\89\4f\d3\11\9a\0c\03\05\e8\2c\33\01)`, f.String())
	_, err = ad.ByAnchor("jane")
	require.ErrorContains(t, err, "is not a GUID")
}

func TestDirectoriesOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	head := "version: 1\nverified: docs-only\nverified_on: '2026-11-22'\n"
	write("base.yaml", "name: base\nextends: openldap\nmember_batch: 7\n"+head)
	leaf := write("leaf.yaml", "name: leaf\nextends: base.yaml\nusers: {naming: cn}\n"+head)
	d, err := LoadDirectory(leaf, map[string]any{"groups": map[string]any{"member": "uniqueMember"}})
	require.NoError(t, err)
	require.Equal(t, 7, d.MemberBatch)
	require.Equal(t, "cn", d.Users.Naming)
	require.Equal(t, "uniqueMember", d.Groups.Member)
	require.Equal(t, "cn", d.Groups.Naming)
	require.Equal(t, "entryCSN", d.EntryVersion)

	for says, load := range map[string]func() (*Directory, error){
		"there is no directory \"nds\"; built in are 389ds, ad": func() (*Directory, error) { return LoadDirectory("nds", nil) },
		"cannot be read": func() (*Directory, error) { return LoadDirectory(filepath.Join(dir, "none.yaml"), nil) },
		"/users": func() (*Directory, error) {
			return LoadDirectory(write("bad.yaml", "name: bad\nusers: {nameing: cn}\n"+head), nil)
		},
		"overrides: at /member_batch": func() (*Directory, error) { return LoadDirectory("ad", map[string]any{"member_batch": 0}) },
		"in a circle?": func() (*Directory, error) {
			return LoadDirectory(write("me.yaml", "name: me\nextends: me.yaml\n"+head), nil)
		},
	} {
		_, err := load()
		require.ErrorContains(t, err, says)
	}
}
