package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/wording"
)

// Catalog reads plugins.lock and knows where the binaries are.
func Catalog(cfg *config.Config) (*pluginhost.Catalog, error) {
	lock, err := pluginhost.LoadLock(cfg.Plugins.Lock)
	if err != nil {
		return nil, err
	}
	return &pluginhost.Catalog{Dir: cfg.Plugins.Dir, Lock: lock, Dev: cfg.Plugins.DevOverrides}, nil
}

// PluginStatus is one plugin: what is there and what is pinned.
type PluginStatus struct {
	Type    string `json:"type"`
	Version string `json:"version,omitempty"` // as pinned
	Path    string `json:"path,omitempty"`
	// State is "pinned", "not pinned", "pinned, file missing", "pinned, but the file is
	// another" or "development override".
	State string `json:"state"`
}

// ListPlugins lists the binaries that are there and the pins. It runs none of them.
func ListPlugins(cat *pluginhost.Catalog) ([]PluginStatus, error) {
	bins, err := cat.Binaries()
	if err != nil {
		return nil, err
	}
	all := map[string]PluginStatus{}
	for typ, path := range bins {
		all[typ] = PluginStatus{Type: typ, Path: path, State: "not pinned"}
	}
	for _, p := range cat.Lock.Plugins {
		s := PluginStatus{Type: p.Type, Version: p.Version, Path: bins[p.Type], State: "pinned"}
		if rc, err := cat.Resolve(p.Type); err == nil {
			s.Path = rc.Path
			if other(rc) {
				s.State = "pinned, but the file is another"
			}
		}
		if s.Path == "" {
			s.State = "pinned, file missing"
		}
		all[p.Type] = s
	}
	for typ, path := range cat.Dev {
		all[typ] = PluginStatus{Type: typ, Path: path, State: "development override"}
	}
	types := slices.Sorted(maps.Keys(all))
	out := make([]PluginStatus, len(types))
	for i, t := range types {
		out[i] = all[t]
	}
	return out, nil
}

// other reports whether the file of a pinned plugin is not the one that was pinned.
// One that cannot be read is told of when it is to run.
func other(pc pluginhost.Config) bool {
	f, err := os.Open(pc.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return err == nil && hex.EncodeToString(sum.Sum(nil)) != pc.SHA256
}

// PinnedPlugin is what pinning a plugin did.
type PinnedPlugin struct {
	Type    string `json:"type"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
	// Before is the hash that was pinned until now, "" when none was.
	Before string `json:"before,omitempty"`
}

// Pin puts the plugin called arg, a type or a file, into the lock. The caller
// saves the lock.
func Pin(ctx context.Context, cat *pluginhost.Catalog, arg string) (PinnedPlugin, error) {
	path, err := binary(cat, arg)
	if err != nil {
		return PinnedPlugin{}, err
	}
	now, before, err := cat.Pin(ctx, path)
	if err != nil {
		return PinnedPlugin{}, err
	}
	p := PinnedPlugin{Type: now.Type, Version: now.Version, SHA256: now.SHA256[pluginhost.Platform()]}
	if before != nil {
		p.Before = before.SHA256[pluginhost.Platform()]
	}
	return p, nil
}

// Describe starts the plugin called arg, a type or a file, and asks what it is. A
// type must be pinned; a file is run as it is.
func Describe(ctx context.Context, cat *pluginhost.Catalog, arg string) (pluginhost.Description, error) {
	if !isFile(arg) {
		pc, err := resolve(cat, arg)
		if err != nil {
			return pluginhost.Description{}, err
		}
		return pluginhost.Inspect(ctx, pc.Path, pc.SHA256)
	}
	return pluginhost.Inspect(ctx, arg, "")
}

// binary finds the file of a plugin by its type or its name.
func binary(cat *pluginhost.Catalog, arg string) (string, error) {
	if isFile(arg) {
		return filepath.Abs(arg)
	}
	bins, err := cat.Binaries()
	if err != nil {
		return "", err
	}
	if p, ok := bins[arg]; ok {
		return p, nil
	}
	types := slices.Sorted(maps.Keys(bins))
	return "", fmt.Errorf("there is no plugin of type %q%s; there are: %s", arg, wording.DidYouMean(arg, types), strings.Join(types, ", "))
}

// resolve finds the pinned plugin of a type. Where not even a binary is there, the
// type is misspelt or the plugin not installed, and pinning would not help.
func resolve(cat *pluginhost.Catalog, typ string) (pluginhost.Config, error) {
	pc, err := cat.Resolve(typ)
	var np *pluginhost.NotPinnedError
	if !errors.As(err, &np) || len(np.Platforms) > 0 {
		return pc, err
	}
	if _, serr := os.Stat(np.Path); !errors.Is(serr, fs.ErrNotExist) {
		return pc, err
	}
	bins, berr := cat.Binaries()
	if berr != nil {
		return pc, err
	}
	types := slices.Sorted(maps.Keys(bins))
	return pc, fmt.Errorf("there is no plugin of type %q%s: %s does not exist", typ, wording.DidYouMean(typ, types), np.Path)
}

// isFile tells a file from a type: a type has no slash in it.
func isFile(arg string) bool { return strings.ContainsRune(arg, filepath.Separator) }
