package pluginhost

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// binaryPrefix begins the file name of every plugin: provhub-connector-scim.
const binaryPrefix = "provhub-connector-"

// Catalog finds the binary of a connector type. Only what is pinned in the
// lock file, or named as a dev override, is ever run.
type Catalog struct {
	// Dir holds the binaries; "": the folder of the provhub binary.
	Dir  string
	Lock *Lock
	// Dev maps types to binaries that run without a pin.
	Dev map[string]string
}

// Resolve returns a config with Type, Version, Path, SHA256 and Dev set for
// the plugin of the given type. The error is a [*NotPinnedError] when the
// plugin may not run.
func (c *Catalog) Resolve(typ string) (Config, error) {
	if path, ok := c.Dev[typ]; ok {
		return Config{Type: typ, Path: path, Dev: true}, nil
	}
	p, err := c.Lock.Find(typ)
	if err != nil {
		if e, ok := err.(*NotPinnedError); ok {
			e.Path = c.defaultPath(typ)
		}
		return Config{}, err
	}
	cfg := Config{Type: typ, Version: p.Version, Path: c.path(p), SHA256: p.SHA256[Platform()]}
	if cfg.SHA256 == "" {
		e := &NotPinnedError{Type: typ, Lock: c.Lock.Path, Path: cfg.Path}
		for platform := range p.SHA256 {
			e.Platforms = append(e.Platforms, platform)
		}
		slices.Sort(e.Platforms)
		return Config{}, e
	}
	return cfg, nil
}

func (c *Catalog) path(p Pinned) string {
	switch {
	case p.Path == "":
		return c.defaultPath(p.Type)
	case filepath.IsAbs(p.Path):
		return p.Path
	}
	return filepath.Join(filepath.Dir(c.Lock.Path), p.Path)
}

func (c *Catalog) defaultPath(typ string) string { return filepath.Join(c.dir(), binaryPrefix+typ) }

func (c *Catalog) dir() string {
	if c.Dir != "" {
		return c.Dir
	}
	if exe, err := os.Executable(); err == nil {
		return filepath.Dir(exe)
	}
	return "."
}

// Binaries lists the files in the plugins' folder that are named like plugins,
// by type, pinned or not. It runs none of them.
func (c *Catalog) Binaries() (map[string]string, error) {
	entries, err := os.ReadDir(c.dir())
	if err != nil {
		return nil, fmt.Errorf("list the plugins' folder: %w", err)
	}
	found := map[string]string{}
	for _, e := range entries {
		if typ, ok := strings.CutPrefix(e.Name(), binaryPrefix); ok && typePattern.MatchString(typ) && !e.IsDir() {
			found[typ] = filepath.Join(c.dir(), e.Name())
		}
	}
	return found, nil
}

// Pin runs the binary at path, asks what it is and puts its type, version and
// hash for this platform into the lock. What is pinned is the file that ran.
// before is what was pinned for the type; nil: nothing. Save the lock after it.
func (c *Catalog) Pin(ctx context.Context, path string) (now Pinned, before *Pinned, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return Pinned{}, nil, err
	}
	d, err := Inspect(ctx, path, "")
	if err != nil {
		return Pinned{}, nil, err
	}
	if !typePattern.MatchString(d.Type) {
		return Pinned{}, nil, fmt.Errorf("plugin %s calls its type %q: a type has 2 to 32 lower-case letters, digits and hyphens", path, clip(d.Type, 40))
	}
	if d.Version == "" {
		return Pinned{}, nil, fmt.Errorf("plugin %s does not say its version", path)
	}
	p := Pinned{Type: d.Type, Version: d.Version, SHA256: map[string]string{Platform(): d.SHA256}}
	if path != c.absDefault(d.Type) {
		p.Path = c.lockRelative(path)
	}
	before = c.Lock.put(p)
	now, err = c.Lock.Find(d.Type)
	return now, before, err
}

func (c *Catalog) absDefault(typ string) string {
	abs, err := filepath.Abs(c.defaultPath(typ))
	if err != nil {
		return ""
	}
	return abs
}

// lockRelative writes path relative to the lock file when it lies below it, so
// that the two can move together.
func (c *Catalog) lockRelative(path string) string {
	base, err := filepath.Abs(filepath.Dir(c.Lock.Path))
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(base, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}
