package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Load reads and checks the config file at path; s overrides what the file says.
// A file that can be read but has faults gives [Faults], all of them at once.
func Load(path string, s Settings) (*Config, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w; `provhub init` writes a commented one, --config names another", path, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("%s: cannot be read: %w", path, err)
	}
	return Parse(path, data, s)
}

// Parse is [Load] for a file that was read already; relative paths in it start
// at the folder of path.
func Parse(path string, data []byte, s Settings) (*Config, error) {
	d := parse(path, data)
	if d.root == nil || d.root.Kind != yaml.MappingNode {
		return nil, d.faults.sorted()
	}
	d.checkSchema()
	var raw rawConfig
	// What the schema refused may not decode; the rest does, and is checked too.
	if err := d.root.Decode(&raw); err != nil && len(d.faults) == 0 {
		d.add(0, "", "%s", yamlLine.ReplaceAllString(err.Error(), ""))
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b := builder{document: d, dir: dir}
	cfg := b.config(&raw, s)
	if len(d.faults) > 0 {
		return nil, d.faults.sorted()
	}
	return cfg, nil
}
