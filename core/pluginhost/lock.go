package pluginhost

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Lock is a plugins.lock: which file is the plugin of each type, by hash. It
// lies beside the config, under version control. It guards against mix-ups,
// half-copied files and tampering by someone who can write the plugins' folder
// but not the config; it does not against someone who can write both.
type Lock struct {
	Path    string // of the file
	Plugins []Pinned
}

// Pinned is the one plugin of a type.
type Pinned struct {
	Type    string `yaml:"type"`
	Version string `yaml:"version"`
	// Path is the binary, relative to the lock file; "": provhub-connector-TYPE
	// in the plugins' folder.
	Path string `yaml:"path,omitempty"`
	// SHA256 maps a platform, as "linux/amd64", to the hash of its binary in hex.
	SHA256 map[string]string `yaml:"sha256"`
}

type lockFile struct {
	Plugins []Pinned `yaml:"plugins"`
}

// NotPinnedError says that a plugin is not in plugins.lock, or not for this platform.
type NotPinnedError struct {
	Type, Lock string
	Path       string   // where its binary is expected
	Platforms  []string // it is pinned for; empty: not pinned at all
}

// Error implements error.
func (e *NotPinnedError) Error() string {
	if len(e.Platforms) > 0 {
		return fmt.Sprintf("the %s plugin is pinned in %s for %s, not for %s: run on this machine: provhub plugin pin %s",
			e.Type, e.Lock, strings.Join(e.Platforms, ", "), Platform(), e.Path)
	}
	return fmt.Sprintf("the %s plugin is not pinned in %s: check where its binary comes from, then run: provhub plugin pin %s", e.Type, e.Lock, e.Path)
}

var (
	typePattern     = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)
	hashPattern     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
)

// LoadLock reads a lock file. A file that does not exist pins nothing.
func LoadLock(path string) (*Lock, error) {
	l := &Lock{Path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the plugins' lock file: %w", err)
	}
	var f lockFile
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w; %s", path, err, mendLock)
	}
	l.Plugins = f.Plugins
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, mendLock)
	}
	return l, nil
}

// mendLock is what to do about a lock file that cannot be used.
const mendLock = "restore the file from version control, or delete it and pin each plugin again with: provhub plugin pin TYPE"

// check lists all faults of the content at once.
func (l *Lock) check() error {
	var faults []error
	seen := map[string]bool{}
	for i, p := range l.Plugins {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("%s: plugins[%d] (%s): "+format, append([]any{l.Path, i, p.Type}, args...)...))
		}
		if !typePattern.MatchString(p.Type) {
			fault("type must be 2 to 32 lower-case letters, digits and hyphens")
		}
		if seen[p.Type] {
			fault("the type is pinned twice: remove one entry")
		}
		seen[p.Type] = true
		for _, platform := range slices.Sorted(maps.Keys(p.SHA256)) {
			if !platformPattern.MatchString(platform) {
				fault("sha256 has the key %q, which is not a platform such as linux/amd64", platform)
			}
			if !hashPattern.MatchString(p.SHA256[platform]) {
				fault("sha256 for %s must have 64 hexadecimal digits in lower case", platform)
			}
		}
	}
	return errors.Join(faults...)
}

// Find returns the plugin of a type, or a [*NotPinnedError].
func (l *Lock) Find(typ string) (Pinned, error) {
	for _, p := range l.Plugins {
		if p.Type == typ {
			return p, nil
		}
	}
	return Pinned{}, &NotPinnedError{Type: typ, Lock: l.Path, Path: binaryPrefix + typ}
}

// put replaces what is pinned for p's type and returns what was. The hashes of
// other platforms stay as long as the version is the same.
func (l *Lock) put(p Pinned) (before *Pinned) {
	for i, old := range l.Plugins {
		if old.Type != p.Type {
			continue
		}
		if old.Version == p.Version {
			all := maps.Clone(old.SHA256)
			maps.Copy(all, p.SHA256)
			p.SHA256 = all
		}
		l.Plugins[i] = p
		return &old
	}
	l.Plugins = append(l.Plugins, p)
	slices.SortFunc(l.Plugins, func(a, b Pinned) int { return cmp.Compare(a.Type, b.Type) })
	return nil
}

// Save writes the lock file whole: a reader sees the old content or the new.
func (l *Lock) Save() error {
	var b bytes.Buffer
	b.WriteString("# Which file is the plugin of each connector type. Written by: provhub plugin pin\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(lockFile{l.Plugins}); err != nil {
		return fmt.Errorf("write %s: %w", l.Path, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(l.Path), ".plugins.lock-")
	if err != nil {
		return fmt.Errorf("write %s: %w", l.Path, err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b.Bytes())
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), l.Path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", l.Path, err)
	}
	return nil
}
